"""What a fitted linear model says of itself: its likelihood and its coefficients, or why not.

Estimators are known by the name of their class, or of a class that theirs derives from, so that
those of scikit-learn and those of this house are read alike, and none has to be imported. Nothing
here looks at data; whether a fit is a maximum at all is asked of its score, later.
"""

import functools
from typing import NamedTuple

import numpy as np
from scipy.sparse import issparse
from sklearn.base import BaseEstimator
from sklearn.utils import get_tags
from sklearn.utils.validation import check_is_fitted

from skcourse.core.loss_traits import Traits, loss_traits

PENALTY = "its penalty moves the coefficients by an amount that nobody knows; fit with {without}"
CHOICE = (
    "{what} chosen by looking at the same y, which makes standard errors too small; "
    "fit the chosen model, without a penalty, to rows that had no part in the choice"
)
SEARCH = CHOICE.format(what="its parameters were")
FEATURES = CHOICE.format(what="its features were")
ALPHA = CHOICE.format(what="its penalty, which moves the coefficients besides, was")
PRIOR = "its prior moves the coefficients; `sigma_` holds their covariance given the prior"
OTHER_LOSS = "its loss is not minus the logarithm of a likelihood"
DESCENT = "it stops before the maximum of a likelihood; fit with {instead}"

REFUSED = {
    "ARDRegression": PRIOR,
    "BayesianRidge": PRIOR,
    "BaseSearchCV": SEARCH,
    "ElasticNetCV": ALPHA,
    "HuberRegressor": OTHER_LOSS,
    "Lars": FEATURES,
    "LassoCV": ALPHA,
    "LogisticRegressionCV": ALPHA,
    "MultiTaskElasticNetCV": ALPHA,
    "MultiTaskLassoCV": ALPHA,
    "OrthogonalMatchingPursuit": FEATURES,
    "OrthogonalMatchingPursuitCV": FEATURES,
    "Perceptron": OTHER_LOSS,
    "QuantileRegressor": OTHER_LOSS,
    "RANSACRegressor": CHOICE.format(what="its rows were"),
    "RidgeCV": ALPHA,
    "RidgeClassifier": PENALTY.format(without="LogisticRegression(C=np.inf)"),
    "RidgeClassifierCV": ALPHA,
    "SGDClassifier": DESCENT.format(instead="LogisticRegression(C=np.inf)"),
    "SGDRegressor": DESCENT.format(instead="LinearRegression()"),
    "TransformedTargetRegressor": "its coefficients are those of `regressor_`, for another y",
}


class Fitted(NamedTuple):
    """A fit by maximum likelihood of a linear predictor z = b_0 + <b, x>, for t outcomes."""

    name: str  # of the class
    loss: str  # minus the logarithm of the likelihood, by its name in `core.losses`
    power: float  # p of the variance mu^p, where the loss is Tweedie's or gamma's
    coef: np.ndarray  # b, (t, p), float64
    intercept: np.ndarray  # b_0, (t,)
    has_intercept: bool
    classes: np.ndarray | None  # of a classifier; t is 1 if there are two
    rank: int | None  # of X, as the fit saw it, where it looked

    @property
    def traits(self) -> Traits:
        """What is known of the loss."""
        return loss_traits(self.loss, self.power)

    @property
    def n_parameters(self):
        """How many coefficients each outcome has, the intercept with them."""
        return self.coef.shape[1] + self.has_intercept

    @property
    def dispersion_known(self):
        """Whether the likelihood sets the variance for each mean, with no factor to estimate."""
        return self.loss in ("log_loss", "multinomial", "poisson") or self.power == 1


def refuse(estimator, reason):
    """Raise the ValueError of an estimator that has no coefficient table."""
    raise ValueError(f"There are no standard errors here for {type(estimator).__name__}: {reason}.")


def read_fitted(estimator: BaseEstimator):
    """Return what the estimator has fitted, as a maximum of its likelihood.

    Raises
    ------
    ValueError
        Where theory knows no standard errors: a penalty, a constraint, a choice made before.
    sklearn.exceptions.NotFittedError
    """
    for kind in type(estimator).__mro__:
        if kind.__name__ in REFUSED:
            refuse(estimator, REFUSED[kind.__name__])
        if kind.__name__ in READERS:
            break
    else:
        refuse(estimator, "this is known for " + ", ".join(sorted(READERS)))
    check_is_fitted(estimator)
    loss, power = READERS[kind.__name__](estimator)
    if getattr(estimator, "positive", False):
        refuse(estimator, "positive=True is a constraint, at which estimates are not normal")
    if getattr(estimator, "class_weight", None) is not None:
        refuse(estimator, "class_weight makes it a fit to rows that there are not")
    coef = estimator.coef_.toarray() if issparse(estimator.coef_) else estimator.coef_
    coef = np.atleast_2d(np.asarray(coef, np.float64))
    intercept = np.broadcast_to(np.asarray(estimator.intercept_, np.float64), len(coef))
    classes = getattr(estimator, "classes_", None)
    if loss == "log_loss" and len(classes) > 2:
        loss = "multinomial"
    has_intercept = bool(estimator.fit_intercept)
    name = type(estimator).__name__
    rank = getattr(estimator, "rank_", None)
    return Fitted(name, loss, power, coef, intercept, has_intercept, classes, rank)


def read_least_squares(estimator):
    """Normal y; a penalty must be 0."""
    if np.any(np.asarray(getattr(estimator, "alpha", 0)) != 0):
        refuse(estimator, PENALTY.format(without="alpha=0, or LinearRegression"))
    return "squared_error", 0.0


def read_tweedie(estimator, power=None):
    """Variance mu^p: normal, Poisson and gamma y are p = 0, 1, 2."""
    if estimator.alpha != 0:
        refuse(estimator, PENALTY.format(without="alpha=0"))
    power = float(estimator.power if power is None else power)
    link = getattr(estimator, "link", "auto")
    return tweedie_loss(power, "identity" if link == "auto" and power <= 0 else link)


def tweedie_loss(power, link):
    """Return the loss for variance mu^p, under a name of its own if it has one, and p."""
    if link == "identity":
        return ("squared_error" if power == 0 else "tweedie_identity"), power
    return {1.0: "poisson", 2.0: "gamma"}.get(power, "tweedie"), power


def read_by_loss(estimator):
    """Any loss, if it is that of a likelihood."""
    if estimator.penalty is not None and estimator.alpha != 0:
        refuse(estimator, PENALTY.format(without="penalty=None"))
    loss = estimator.loss
    if loss in ("tweedie", "tweedie_identity"):
        return tweedie_loss(float(estimator.power), "identity" if "_" in loss else "log")
    if loss not in ("squared_error", "log_loss", "poisson", "gamma"):
        refuse(estimator, OTHER_LOSS)
    return loss, {"poisson": 1.0, "gamma": 2.0}.get(loss, 0.0)


def read_logistic(estimator):
    """Bernoulli or multinomial y."""
    if getattr(estimator, "penalty", "") is not None and not np.isinf(estimator.C):
        refuse(estimator, PENALTY.format(without="C=np.inf"))
    return "log_loss", 0.0


READERS = {
    "ElasticNet": read_least_squares,
    "GammaRegressor": functools.partial(read_tweedie, power=2.0),
    "GeneralizedLinearClassifier": read_by_loss,
    "GeneralizedLinearRegressor": read_by_loss,
    "GradientDescentClassifier": read_by_loss,
    "GradientDescentRegressor": read_by_loss,
    "LinearRegression": read_least_squares,
    "LogisticRegression": read_logistic,
    "MultiTaskElasticNet": read_least_squares,
    "PoissonRegressor": functools.partial(read_tweedie, power=1.0),
    "Ridge": read_least_squares,
    "TweedieRegressor": read_tweedie,
}


def unwrapped(estimator, X):
    """Return the last step of a pipeline, the X that it sees, and the names of its columns.

    Given X, standard errors hold for whatever is made of X alone: scaled, expanded, projected. A
    step that has looked at y is another matter.

    Returns
    -------
    estimator : estimator, itself where it is no pipeline
    X : array
    names : array of str, or None for those that the estimator has

    Raises
    ------
    ValueError
        If a step chooses features, or needs y.
    """
    if "Pipeline" not in [kind.__name__ for kind in type(estimator).__mro__]:
        return estimator, X, None
    steps, last = estimator[:-1], estimator[-1]
    if not len(steps):
        return last, X, None
    for part in steps.get_params(deep=True).values():
        if looks_at_y(part):
            refuse(estimator, f"its step {type(part).__name__} has looked at y before")
    try:
        names = steps.get_feature_names_out()
    except (AttributeError, ValueError):  # a step that gives no names
        names = None
    return last, steps.transform(X), names


def looks_at_y(step):
    """Tell whether a transformer chooses, or makes, features by their relation to y."""
    if not isinstance(step, BaseEstimator) or not hasattr(step, "transform"):
        return False
    chooses = hasattr(step, "get_support") and type(step).__name__ != "VarianceThreshold"
    return chooses or get_tags(step).target_tags.required
