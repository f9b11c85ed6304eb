"""Logistic regression as an optimisation problem: the risk of the rows, and by whom it is solved.

Problem     With s_i the weights of rows and classes, S their sum, and l the logarithmic loss,
                C sum_i s_i l(y_i, z_i) + r |W|_1 + (1 - r) |W|^2 / 2,   z_i = W'x_i + b,     (1)
            r being `l1_ratio`; divided by C S it is a risk and a penalty of strength 1 / (C S).
liblinear   treats the intercept as the coefficient of a column of constants, `intercept_scaling`,
            and so penalises it: b^2 / (2 scaling^2), or |b| / scaling.
"""

import numpy as np
from sklearn.utils import compute_class_weight

from skcourse.core.history import SILENCE, warn_not_converged
from skcourse.core.loss_traits import best_constant
from skcourse.core.losses import LOGISTIC, Loss
from skcourse.core.penalties import ELASTIC_NET, Penalty
from skcourse.core.validation import check_weights
from skcourse.linear_model.lbfgs import lbfgs
from skcourse.linear_model.logistic_dual import dual_descent
from skcourse.linear_model.multinomial_risk import MultinomialRisk
from skcourse.linear_model.newton import newton_cholesky
from skcourse.linear_model.newton_cg import newton_cg
from skcourse.linear_model.penalised_risk import MAX_ITER, STUCK
from skcourse.linear_model.proximal_newton import proximal_newton
from skcourse.linear_model.risk import Risk
from skcourse.linear_model.stochastic_average import average_gradients

SMOOTH = {"lbfgs": lbfgs, "newton-cg": newton_cg, "newton-cholesky": newton_cholesky}
NOT_CONVERGED = {
    "lbfgs": "lbfgs failed to converge after {n} iteration(s)",
    "newton-cg": "newton-cg failed to converge after {n} iterations. Increase the number of "
    "iterations.",
    "newton-cholesky": "Newton solver did not converge after {n} iterations",
    "liblinear": "Liblinear failed to converge, increase the number of iterations.",
    "sag": "The max_iter was reached which means the coef_ did not converge",
    "saga": "The max_iter was reached which means the coef_ did not converge",
}
REMEDY = (
    "\nThe coefficients are not those of the optimum yet: increase max_iter (it was {max_iter}), "
    "or bring the columns of X to a common scale, as StandardScaler does."
)
SOONER = 0.1  # proximal Newton doubles its digits: a smaller tolerance costs little
SEPARABLE = (
    "The classes of the training data can be told apart without an error, and there is no penalty: "
    "the loss has no minimum, and coefficients grow without bound. Set a finite C."
)


def weights_of(X, y, classes, codes, sample_weight, class_weight):
    """Return the weights of rows times those of their classes, (n,), or None if all are 1."""
    weights = check_weights(sample_weight, X)
    if class_weight is None:
        return weights
    balance = compute_class_weight(class_weight, classes=classes, y=y, sample_weight=weights)[codes]
    return balance if weights is None else balance * weights


def risk_of(X, codes, n_classes, weights, fit_intercept):
    """Return the risk in (1).

    Parameters
    ----------
    X : array or CSR matrix of shape (n, p)
    codes : array of shape (n,), 0 .. n_classes - 1
    n_classes : int
        Two have one score, the second class's; more have one each.
    weights : array of shape (n,) or None
    fit_intercept : bool
    """
    if n_classes == 2:
        signs = 2.0 * codes - 1.0
        return Risk(X, signs, Loss(LOGISTIC), weights, fit_intercept=fit_intercept)
    return MultinomialRisk(X, codes, n_classes, weights, fit_intercept=fit_intercept)


def start_of(risk, max_iter):
    """Return where to begin: the intercepts that are best alone; 0 if nothing will be done."""
    theta = np.zeros((risk.p + 1) * risk.outputs)
    if not (risk.fit_intercept and max_iter):
        return theta
    binary = risk.outputs == 1
    targets, weights = risk.targets if binary else (risk.codes, risk.weights)
    name = "log_loss" if binary else "multinomial"
    with np.errstate(divide="ignore", invalid="ignore"):
        best = best_constant(name, targets, weights if len(weights) else None)
    if np.size(best) == risk.outputs and np.all(np.isfinite(best)):  # else a class is absent
        theta[-risk.outputs :] = best
    return theta


def join(coef, intercept):
    """Return theta of `coef_` and `intercept_`, with the coefficients of a feature of sum 0.

    If there are several: their mean has no effect but that it is penalised.
    """
    coef = np.asarray(coef, np.float64)
    if len(coef) > 1:
        coef = coef - coef.mean(axis=0)
    return np.vstack([coef.T, np.broadcast_to(intercept, len(coef))]).ravel()


def split(theta, outputs):
    """Return coefficients, (outputs, p), and intercepts, (outputs,), of theta."""
    matrix = theta.reshape(-1, outputs)
    return np.ascontiguousarray(matrix[:-1].T), matrix[-1].copy()


def attributes_of(classes, outputs, dtype):
    """Return a callable that makes the fitted attributes of theta."""

    def attributes(theta):
        coef, intercept = split(theta, outputs)
        fitted = {"coef_": coef.astype(dtype), "intercept_": intercept.astype(dtype)}
        return {"classes_": classes} | fitted

    return attributes


def solve(risk, options, C, l1_ratio, theta, *, task=SILENCE, attributes=None):
    """Minimise (1).

    Parameters
    ----------
    risk : Risk or MultinomialRisk, see `risk_of`
    options : Options
    C : float
    l1_ratio : float or None
    theta : array, where to begin
    task, attributes
        For callbacks, see `lbfgs`.

    Returns
    -------
    minimum : Minimum
    """
    ratio = {None: 0.0, "l2": 0.0, "l1": 1.0}.get(options.penalty, l1_ratio)
    strength = 1 / (C * risk.total)
    rules = {"max_iter": options.max_iter, "verbose": options.verbose > 0}
    rules |= {"task": task, "attributes": attributes}
    if ratio > 0:
        penalty = Penalty(ELASTIC_NET, 1.0, float(ratio))
        weights = strength_on_all(risk, options, strength, squared=False)
        tol = SOONER * slope_tolerance(options, risk)
        found = proximal_newton(risk, penalty, weights, theta, tol=tol, **rules)
        return found._replace(theta=balanced(found.theta, theta, risk.outputs))
    if options.solver in SMOOTH:
        return SMOOTH[options.solver](risk, theta, strength, tol=options.tol, **rules)
    if options.solver == "liblinear" and not options.dual:
        l2 = strength_on_all(risk, options, strength, squared=True)
        return newton_cg(risk, theta, l2, tol=slope_tolerance(options, risk), **rules)
    rules |= {"tol": options.tol, "random_state": options.random_state}
    if options.dual:
        scaling = float(options.intercept_scaling) if options.fit_intercept else 0.0
        return dual_descent(risk, C, scaling=scaling, **rules)
    return average_gradients(risk, theta, strength, saga=options.solver == "saga", **rules)


def balanced(theta, theta0, outputs):
    """Return theta with the sum of intercepts, on which nothing depends, that theta0 has."""
    if outputs > 1:
        theta = theta.copy()
        theta[-outputs:] += theta0[-outputs:].mean() - theta[-outputs:].mean()
    return theta


def slope_tolerance(options, risk):
    """Return which slopes are small for liblinear and for proximal Newton.

    liblinear's tolerance is relative to the slopes at 0 and to the share of the smaller class;
    saga's, of a change of coefficients, becomes one relative to the slopes without features.
    """
    liblinear = options.solver == "liblinear"
    origin = start_of(risk, 0 if liblinear else 1)
    tol = options.tol * min(1.0, np.abs(risk.value_and_gradient(origin)[1]).max())
    if liblinear:
        share = np.mean(risk.targets.values > 0)
        tol *= max(min(share, 1 - share), 1 / risk.n)
    return tol


def strength_on_all(risk, options, strength, *, squared):
    """Return the strength, or with liblinear's penalty on the intercept that of each parameter."""
    if options.solver != "liblinear" or not options.fit_intercept:
        return strength
    scaling = float(options.intercept_scaling)
    weights = risk.spread(strength)
    weights[-1] = strength / (scaling * scaling if squared else scaling)
    return weights


def warn_of(minimum, options, risk, C):
    """Warn if the iteration has ended too early, or if there is nothing to converge to."""
    if minimum.reason in (MAX_ITER, STUCK):
        name = "lbfgs" if minimum.solver == "lbfgs" != options.solver else options.solver
        message = NOT_CONVERGED[name].format(n=minimum.n_iter)
        warn_not_converged(message + REMEDY.format(max_iter=options.max_iter))
    if np.inf == C and risk is not None and risk.least_margin() > 0:
        warn_not_converged(SEPARABLE)
