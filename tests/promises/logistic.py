"""Promises of logistic regression: the optimum is one point, whatever descends to it."""

import numpy as np
from scipy.optimize import minimize
from scipy.special import logsumexp, softmax

from skcourse.testing import Case, rotation, scale, shift

UNIT = 3.0
TIGHT = {"tol": 1e-10, "max_iter": 1000}
SHARP = {
    "LogisticRegression": {"tol": 1e-8},
    "LogisticRegressionCV": {"tol": 1e-8, "Cs": [1.0], "cv": 3, "scoring": "accuracy"},
}
# Far from 0, and in units far apart, the certainty of a class leaves the range of numbers.
MILD = {"scales": (1.0,), "conditions": (1.0, 1e2), "offsets": (0.0, 1.0)}


def penalised_loss(fit, problem):
    """Return C sum_i -log p(y_i | x_i) + |W|^2 / 2."""
    codes = np.searchsorted(fit.classes_, problem.y)
    log_p = fit.predict_log_proba(problem.X.astype(float))[np.arange(len(codes)), codes]
    C = np.ravel(getattr(fit, "C_", getattr(fit, "C", 1.0)))[0]
    return -C * np.sum(log_p) + 0.5 * np.sum(np.square(fit.coef_, dtype=float))


JUDGES = dict.fromkeys(SHARP, penalised_loss)


def least_loss(problem):
    """Return the optimum for C = 1, by scipy."""
    X, (classes, codes) = problem.X.astype(float), np.unique(problem.y, return_inverse=True)
    one_hot = np.eye(len(classes))[codes]
    free = len(classes) - (len(classes) == 2)  # of two classes one score, the other is 0
    mean = X.mean(axis=0)  # which only moves the intercepts

    def value_and_slopes(theta):
        W = theta.reshape(-1, free)
        z = np.zeros(one_hot.shape)
        z[:, -free:] = (X - mean) @ W[:-1] + W[-1]
        slopes = (softmax(z, axis=1) - one_hot)[:, -free:]
        gradient = np.vstack([(X - mean).T @ slopes + W[:-1], slopes.sum(axis=0)])
        value = np.sum(logsumexp(z, axis=1) - np.sum(z * one_hot, axis=1))
        return value + 0.5 * np.sum(W[:-1] ** 2), gradient.ravel()

    start = np.zeros((X.shape[1] + 1) * free)
    return minimize(value_and_slopes, start, jac=True, method="BFGS", options={"gtol": 1e-9}).fun


def logistic_regression(cls):
    """Logistic regression: shifts and rotations change nothing, units what C makes up for."""
    unit = scale(UNIT, parameters=lambda model: {"C": model.C / UNIT**2})
    moves = (shift(), rotation(), unit)
    newton = cls(solver="newton-cholesky", tol=1e-14)  # until rounding is all that is left
    best = {"objective": penalised_loss, "optimum": least_loss, "reached": True}
    once = {"draws": False, "problems": MILD}
    yield Case(newton, falls=("loss",), symmetries=moves, **best, **once)
    yield Case(cls(**TIGHT), falls=("loss",), **once)
    yield Case(cls(C=0.1, fit_intercept=False, solver="newton-cg", **TIGHT), **once)
    zero = {"check_row_order": "scores that are 0 are so but for rounding, which the order changes"}
    net = cls(l1_ratio=0.5, solver="saga", **TIGHT)
    yield Case(net, falls=("loss",), excused=zero, **once)


def logistic_regression_cv(cls):
    """The same, with a penalty chosen by cross-validation."""
    few = {"Cs": 2, "cv": 2, "l1_ratios": (0,), "scoring": "neg_log_loss"}
    yield Case(cls(use_legacy_attributes=False, **few, **TIGHT), problems=MILD)


PROMISES = {
    "LogisticRegression": logistic_regression,
    "LogisticRegressionCV": logistic_regression_cv,
}
