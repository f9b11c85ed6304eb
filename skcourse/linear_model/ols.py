"""Ordinary least squares."""

from numbers import Integral, Real

import numpy as np

from skcourse.core.validation import (
    Interval,
    check_finite_sums,
    check_weights,
    fit_context,
    read_Xy,
)
from skcourse.linear_model.base import LinearRegressor, as_columns
from skcourse.linear_model.least_squares import Rows, least_squares


class LinearRegression(LinearRegressor):
    """Ordinary least squares."""

    _parameter_constraints: dict = {
        "fit_intercept": ["boolean"],
        "copy_X": ["boolean"],
        "n_jobs": [None, Integral],
        "positive": ["boolean"],
        "tol": [Interval(Real, 0, None, closed="left")],
    }

    def __init__(self, *, fit_intercept=True, copy_X=True, tol=1e-6, n_jobs=None, positive=False):
        self.fit_intercept = fit_intercept
        self.copy_X = copy_X
        self.tol = tol
        self.n_jobs = n_jobs
        self.positive = positive

    @fit_context
    def fit(self, X, y, sample_weight=None):
        """Fit."""
        X, y = read_Xy(self, X, y, finite=False)
        weights = check_weights(sample_weight, X)
        n_jobs = -1 if self.n_jobs is None else self.n_jobs
        rows = Rows(X, as_columns(y), weights, self.fit_intercept, n_jobs)
        solution = least_squares(rows, self.tol)
        check_finite_sums(solution.coef, X, estimator=self)
        p = X.shape[1]
        self.rank_, self.singular_ = solution.rank, solution.singular
        self._set_solution(
            solution.coef, solution.mean[:p], solution.mean[p:], flat=y.ndim == 1, dtype=X.dtype
        )
        return self
