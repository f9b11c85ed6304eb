"""The rows of a mixture's fit: with weights or without, with all numbers or with some missing."""

import numpy as np

from skcourse.mixture import missing
from skcourse.mixture.expectation import expectation, scores_of


class Rows:
    """Rows X of weights w, where NaN means missing.

    Parameters
    ----------
    X : array of shape (n, d), float32 or float64, C-contiguous
    weights : array of shape (n,), float64, or None for ones
    """

    def __init__(self, X, weights=None):
        self.X, self.weights = X, weights
        self.missing = has_missing(X)

    def expectation(self, model, about=None):
        """Return the Statistics of all rows, about the means of `model` unless points are given."""
        if self.missing:
            return missing.expectation_missing(self.X, self.weights, model, about=about)
        return expectation(self.X, self.weights, model, about=about)

    def scores(self, model):
        """Return log w_k + log N(x_i | m_k, C_k) of what is seen of each row, (n, k)."""
        if self.missing:
            return missing.log_densities_missing(self.X, model)
        return scores_of(self.X, model)

    def filled(self):
        """Return X, with the (weighted) means of the columns for what is missing."""
        if not self.missing:
            return self.X
        seen = ~np.isnan(self.X)
        w = np.ones(len(self.X)) if self.weights is None else self.weights
        sums = w @ np.where(seen, self.X, 0.0)
        n = w @ seen
        means = np.divide(sums, n, out=np.zeros_like(sums), where=n > 0)
        return np.where(seen, self.X, means.astype(self.X.dtype))


def has_missing(X):
    """Tell whether X, finite otherwise, holds NaN."""
    with np.errstate(over="ignore", invalid="ignore"):
        total = np.add.reduce(X, axis=None)
    return bool(not np.isfinite(total) and np.isnan(X).any())
