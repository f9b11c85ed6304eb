"""Any loss and any penalty: which solver has what they need, and the fit by it.

Problem     Minimise over w and b
                sum_i s_i l(y_i, <w, x_i> + b) / sum_i s_i + sum_j c_j P(w_j),               (1)
            l of `core.losses`, P of `core.penalties`, c_j the weight of feature j in the penalty:
            0 leaves it unpenalised, infinity leaves it out. With c_j = 1 / |w_j| of a first fit it
            is the adaptive lasso, which finds the true features where the lasso takes too many.
Solvers     Each names what it needs of the loss, how many derivatives, and of the penalty:
                lbfgs              1 derivative    none or l2: smooth
                newton-cholesky    2               none or l2
                proximal-newton    1               any that is a sum over the coefficients
                proximal-gradient  1               any that has a proximal step
                interior-point     none, but a loss of straight pieces; none, l2, l1, elasticnet
            l0 has many local minima; it begins at that of a slight ridge, and drops from there.
            What no solver can bring to a certified end is refused, with the reason.
Ends        A gradient, or what takes its place with a proximal step, below `tol`; with
            interior-point a duality gap: no solution is better by more than `tol`, relatively.
Reference   H. Zou, The adaptive lasso and its oracle properties, JASA, 2006.
"""

from typing import NamedTuple

import numpy as np

from skcourse.core.loss_traits import loss_traits
from skcourse.core.losses import Loss
from skcourse.core.penalties import SMOOTH, Penalty
from skcourse.linear_model.interior_point import Kinks, interior_point
from skcourse.linear_model.lbfgs import lbfgs
from skcourse.linear_model.multinomial_risk import MultinomialRisk
from skcourse.linear_model.newton import newton_cholesky
from skcourse.linear_model.penalised_risk import MAX_ITER, STOPPED
from skcourse.linear_model.proximal_gradient import proximal_gradient
from skcourse.linear_model.proximal_newton import proximal_newton
from skcourse.linear_model.risk import Risk


class Needs(NamedTuple):
    """What a solver needs of a loss and of a penalty."""

    derivatives: int  # of the loss, continuous
    penalties: tuple


SEPARABLE = (*SMOOTH, "l1", "elasticnet", "mcp", "scad", "l0")
NEEDS = {
    "lbfgs": Needs(1, SMOOTH),
    "newton-cholesky": Needs(2, SMOOTH),
    "proximal-newton": Needs(1, SEPARABLE),
    "proximal-gradient": Needs(1, (*SEPARABLE, "group")),
    "interior-point": Needs(0, (*SMOOTH, "l1", "elasticnet")),
}
MINIMISERS = {"lbfgs": lbfgs, "newton-cholesky": newton_cholesky}
FEW = 200  # coefficients: so many may have a Hessian at any time
SLIGHT = 1e-3  # the ridge, in units of l0's strength, from whose minimum l0 begins
WIDEST = 4000  # columns of a Hessian that is written out


class Samples(NamedTuple):
    """What is fitted."""

    X: np.ndarray  # (n, p), or a CSR matrix
    y: np.ndarray  # (n,): numbers; -1 and 1; or the codes of classes
    weights: np.ndarray | None  # (n,)
    loss: str
    parameter: float  # the number in its formula
    n_classes: int  # of "multinomial", else 1
    fit_intercept: bool


class Penalties(NamedTuple):
    """The penalty of (1)."""

    name: str
    terms: Penalty
    weights: np.ndarray  # c, (p,)
    edges: np.ndarray  # where groups of neighbouring features begin, or empty


def choose_solver(solver, loss, parameter, penalty, n_unknowns=WIDEST):
    """Return the name of a solver that has what loss and penalty need.

    `n_unknowns` coefficients, if they are few and all penalised, are worth a Hessian.

    Raises
    ------
    ValueError
        If there is none, or the one that is asked for lacks it: by name, with the reason.
    """
    smooth = loss_traits(loss, parameter).smooth
    if loss == "perceptron":
        raise ValueError(
            "loss='perceptron' is 0 for w = 0, whatever the data: its minimum says nothing. What "
            "it is good for is the path of a descent, see Perceptron and "
            "GradientDescentClassifier; or use loss='hinge'."
        )
    if smooth == 0 and penalty not in NEEDS["interior-point"].penalties:
        raise ValueError(
            f"loss={loss!r} has kinks, and penalty={penalty!r} is not convex or has steps for "
            "groups only: there is no solver that certifies a minimum of both. Use "
            "penalty='l1', 'elasticnet' or 'l2', or a smooth loss."
        )
    if solver == "auto":
        if smooth == 0:
            return "interior-point"
        if penalty in SMOOTH:
            return "newton-cholesky" if smooth == 2 and n_unknowns <= FEW else "lbfgs"
        newton = smooth == 2 and penalty not in ("group", "l0")
        return "proximal-newton" if newton else "proximal-gradient"
    needs = NEEDS[solver]
    if penalty not in needs.penalties:
        raise ValueError(
            f"solver={solver!r} needs a penalty among {needs.penalties}, and penalty={penalty!r} "
            "is none of them. Use solver='auto'."
        )
    if smooth < needs.derivatives or (solver == "interior-point" and smooth > 0):
        what = (
            "a loss of straight pieces"
            if solver == "interior-point"
            else f"a loss with {needs.derivatives} continuous derivatives"
        )
        raise ValueError(
            f"solver={solver!r} needs {what}, and loss={loss!r} has {smooth}. Use solver='auto'."
        )
    return solver


def minimise(samples, penalties, theta0, solver, **options):
    """Solve (1).

    Parameters
    ----------
    samples : Samples
    penalties : Penalties
    theta0 : array, (w; b) with the scores of a row side by side
    solver : str, of `choose_solver`
    **options : tol, max_iter, task, attributes, verbose

    Returns
    -------
    minimum : Minimum
    """
    name, terms, weights, edges = penalties
    if solver == "interior-point":
        return by_interior_point(samples, penalties, theta0, **options)
    risk = risk_of(samples)
    if solver in MINIMISERS:
        l2 = terms.strength * weights if name == "l2" else 0.0
        return MINIMISERS[solver](risk, theta0, l2, **options)
    if solver == "proximal-newton":
        return proximal_newton(risk, terms, weights, theta0, **options)
    if name == "l0" and not theta0[: -samples.n_classes].any():  # a better minimum than from 0
        theta0 = lbfgs(risk, theta0, SLIGHT * terms.strength, tol=options["tol"]).theta
    groups = edges * samples.n_classes
    return proximal_gradient(risk, terms, weights, theta0, groups=groups, **options)


def risk_of(samples):
    """Return the risk in (1), of a smooth loss."""
    X, y, weights, name, parameter, n_classes, fit_intercept = samples
    if name == "multinomial":
        return MultinomialRisk(X, y, n_classes, weights, fit_intercept=fit_intercept)
    loss = Loss(loss_traits(name, parameter).code, parameter)
    return Risk(X, y, loss, weights, fit_intercept=fit_intercept)


def by_interior_point(samples, penalties, theta0, **options):
    """Solve (1) for a loss of straight pieces."""
    p = samples.X.shape[1]
    if p > WIDEST:
        raise ValueError(
            f"loss={samples.loss!r} wants a matrix of {p} x {p} numbers, X has so many columns; "
            f"at most {WIDEST} are taken. Use a smooth loss, or GradientDescent*."
        )
    a = penalties.terms.strength * penalties.weights
    ratio = {"none": 0.0, "l2": 0.0, "l1": 1.0}.get(penalties.name, penalties.terms.shape)
    bends = ratio * a
    squares = (1.0 - ratio) * a if penalties.name != "none" else np.zeros(p)
    X, kinks = samples.X, kinks_of(samples)
    used = kinks.high[0] > kinks.low[0]
    if not used.all():
        X, kinks = X[used], Kinks(*(numbers[:, used] for numbers in kinks))
    return interior_point(
        X,
        kinks,
        theta0,
        bends=bends,
        squares=squares,
        fit_intercept=samples.fit_intercept,
        **options,
    )


def kinks_of(samples):
    """Return where a loss bends, and its slopes there, by the weights of the rows."""
    y, n = samples.y, len(samples.y)
    s = np.full(n, 1.0 / n) if samples.weights is None else samples.weights / samples.weights.sum()
    if samples.loss == "pinball":
        q = samples.parameter
        return Kinks(y[np.newaxis], -q * s[np.newaxis], (1 - q) * s[np.newaxis])
    if samples.loss == "hinge":
        return Kinks(y[np.newaxis], np.where(y > 0, -s, 0.0)[None], np.where(y > 0, 0.0, s)[None])
    at = np.stack([y - samples.parameter, y + samples.parameter])
    return Kinks(at, np.stack([-s, 0 * s]), np.stack([0 * s, s]))


def not_minimal(found, solver, max_iter):
    """Return the warning for a Minimum that is none, or None."""
    if found.converged or found.reason == STOPPED:
        return None
    last = {name: values[-1] for name, values in found.history.items() if len(values)}
    name = next(name for name in ("gap", "violation", "gradient", "loss") if name in last)
    state = f"the {name} is {last[name]:.3g}"
    if found.reason == MAX_ITER:
        cause = f"{solver} did not converge in max_iter={max_iter} iterations: {state}"
    else:
        cause = f"{solver} found no lower point, and yet {state}: rounding is in its way"
    return (
        f"{cause}. Increase max_iter or tol, bring the columns of X to a common scale (as "
        "StandardScaler does), or raise alpha."
    )
