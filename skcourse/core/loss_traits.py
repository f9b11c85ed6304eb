"""What is known of each loss besides its formula, and the constant at which a descent begins.

See `losses` for the formulas.
"""

from typing import NamedTuple

import numpy as np

from skcourse.core.losses import (
    EPSILON_INSENSITIVE,
    GAMMA,
    GAUSSIAN,
    HINGE,
    HUBER,
    LOGISTIC,
    MODIFIED_HUBER,
    MULTINOMIAL,
    PERCEPTRON,
    PINBALL,
    POISSON,
    SQUARED,
    SQUARED_EPSILON_INSENSITIVE,
    SQUARED_HINGE,
    TWEEDIE,
    TWEEDIE_IDENTITY,
)


class Traits(NamedTuple):
    """What is known of a loss besides its formula; `loss_traits` finds them by name."""

    code: int
    task: str = "regression"  # or "classification": then y is -1 or 1, or a class number
    parameter: str = ""  # the name of the number in the formula
    smooth: int = 2  # how many derivatives are continuous: 0 has kinks, 1 jumps of curvature
    link: str = "identity"  # of the mean: "identity", "log" or "logit"; "" if z is no mean
    domain: tuple = (-np.inf, np.inf)  # of y
    closed: tuple = (False, False)  # whether the ends of the domain belong to it
    curvature: float = np.inf  # the largest d2l/dz2 there is: the step of gradient descent


TRAITS = {
    "squared_error": Traits(SQUARED, curvature=1.0),
    "huber": Traits(HUBER, parameter="epsilon", smooth=1, link="", curvature=1.0),
    "epsilon_insensitive": Traits(EPSILON_INSENSITIVE, parameter="epsilon", smooth=0, link=""),
    "squared_epsilon_insensitive": Traits(
        SQUARED_EPSILON_INSENSITIVE, parameter="epsilon", smooth=1, link="", curvature=2.0
    ),
    "pinball": Traits(PINBALL, parameter="quantile", smooth=0, link=""),
    "log_loss": Traits(LOGISTIC, "classification", link="logit", curvature=0.25),
    "hinge": Traits(HINGE, "classification", smooth=0, link=""),
    "squared_hinge": Traits(SQUARED_HINGE, "classification", smooth=1, link="", curvature=2.0),
    "modified_huber": Traits(MODIFIED_HUBER, "classification", smooth=1, link="", curvature=2.0),
    "perceptron": Traits(PERCEPTRON, "classification", smooth=0, link=""),
    "poisson": Traits(POISSON, link="log", domain=(0.0, np.inf), closed=(True, False)),
    "gamma": Traits(GAMMA, link="log", domain=(0.0, np.inf)),
    "tweedie": Traits(TWEEDIE, parameter="power", link="log", domain=(0.0, np.inf)),
    "tweedie_identity": Traits(TWEEDIE_IDENTITY, parameter="power", domain=(0.0, np.inf)),
    "multinomial": Traits(MULTINOMIAL, "classification", link="logit", curvature=0.5),
    "gaussian": Traits(GAUSSIAN),
}


def loss_traits(name, parameter=0.0):
    """Return the traits of a loss; the domain of Tweedie's follows its power.

    Parameters
    ----------
    name : str, a key of `TRAITS`
    parameter : float, the number in the formula

    Raises
    ------
    KeyError
        If there is no such loss.
    """
    traits = TRAITS[name]
    if not name.startswith("tweedie"):
        return traits
    if parameter <= 0:
        return traits._replace(domain=(-np.inf, np.inf))
    return traits._replace(closed=(parameter < 2, False))


def in_domain(traits, y):
    """Tell whether all of y can come from the model of a loss."""
    low, high = traits.domain
    above = y >= low if traits.closed[0] else y > low
    below = y <= high if traits.closed[1] else y < high
    return bool(np.all(above & below))


def best_constant(name, y, weights=None, parameter=0.0):
    """Return the raw prediction z, the same for all samples, that has the least loss.

    It is where a descent begins, and the intercept if no feature tells anything. The two
    epsilon-insensitive losses and Huber's have no formula for it; theirs is the median, near it.

    Parameters
    ----------
    name : str, a key of `TRAITS`
    y : array of shape (n,)
        Numbers; -1 and 1; or for "multinomial" the numbers 0 .. K - 1 of the classes.
    weights : array of shape (n,), default=None
    parameter : float, the number in the formula

    Returns
    -------
    z : float; for "multinomial" an array of shape (K,), of sum 0; for "gaussian" (mean, log v)
    """
    traits = loss_traits(name, parameter)
    w = np.ones(len(y)) if weights is None else np.asarray(weights, np.float64)
    if name == "multinomial":
        log_shares = np.log(np.bincount(y.astype(np.intp), weights=w) / w.sum())
        return log_shares - log_shares.mean()
    mean = float(np.average(np.asarray(y, np.float64), weights=w))
    if name == "gaussian":
        return mean, float(np.log(np.average((y - mean) ** 2, weights=w)))
    if traits.link == "logit":
        return float(np.log1p(mean) - np.log1p(-mean))  # of the share (1 + mean) / 2
    if traits.link:
        return float(np.log(mean)) if traits.link == "log" else mean
    if traits.task == "classification":
        if name in ("hinge", "perceptron"):
            return float(np.sign(mean)) if name == "hinge" else 0.0
        return mean  # of squared hinge and modified Huber, whose margins then lie within [-1, 1]
    return weighted_quantile(y, w, parameter if name == "pinball" else 0.5)


def weighted_quantile(y, weights, quantile):
    """Return the least y at which the weights of what is not above reach `quantile` of them."""
    order = np.argsort(y, kind="stable")
    shares = np.cumsum(weights[order])
    at = np.searchsorted(shares, quantile * shares[-1] * (1 - 1e-15))
    return float(y[order[min(at, len(y) - 1)]])
