"""Promises of logistic regression: the optimum is one point, whatever descends to it."""

import numpy as np

from skcourse.testing import Case, rotation, scale, shift

UNIT = 3.0
TIGHT = {"tol": 1e-10, "max_iter": 1000}
SHARP = {
    "LogisticRegression": {"tol": 1e-7},
    "LogisticRegressionCV": {"tol": 1e-7, "Cs": [1.0], "cv": 3, "scoring": "accuracy"},
}
# Far from 0, and in units far apart, the certainty of a class leaves the range of numbers.
MILD = {"scales": (1.0,), "conditions": (1.0, 1e2), "offsets": (0.0, 1.0)}


def penalised_loss(fit, problem):
    """Return C sum_i -log p(y_i | x_i) + |W|^2 / 2."""
    codes = np.searchsorted(fit.classes_, problem.y)
    log_p = fit.predict_log_proba(problem.X.astype(float))[np.arange(len(codes)), codes]
    C = np.ravel(getattr(fit, "C_", getattr(fit, "C", 1.0)))[0]
    return -C * np.sum(log_p) + 0.5 * np.sum(np.square(fit.coef_, dtype=float))


def logistic_regression(cls):
    """Logistic regression: shifts and rotations change nothing, units what C makes up for."""
    unit = scale(UNIT, parameters=lambda model: {"C": model.C / UNIT**2})
    moves = (shift(), rotation(), unit)
    newton = cls(solver="newton-cholesky", **TIGHT)
    once = {"draws": False, "problems": MILD}
    yield Case(newton, falls=("loss",), symmetries=moves, objective=penalised_loss, **once)
    yield Case(cls(**TIGHT), falls=("loss",), **once)
    yield Case(cls(C=0.1, fit_intercept=False, solver="newton-cg", **TIGHT), **once)
    yield Case(cls(l1_ratio=0.5, solver="saga", **TIGHT), falls=("loss",), **once)


def logistic_regression_cv(cls):
    """The same, with a penalty chosen by cross-validation."""
    few = {"Cs": 2, "cv": 2, "l1_ratios": (0,), "scoring": "neg_log_loss"}
    yield Case(
        cls(use_legacy_attributes=False, **few, **TIGHT), problems=MILD, objective=penalised_loss
    )


PROMISES = {
    "LogisticRegression": logistic_regression,
    "LogisticRegressionCV": logistic_regression_cv,
}
