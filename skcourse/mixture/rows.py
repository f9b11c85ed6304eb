"""The rows of a mixture's fit: with weights or without, with all numbers or with some missing."""

import numpy as np

from skcourse.core.missing import any_missing, groups
from skcourse.mixture import missing
from skcourse.mixture.expectation import expectation, scores_of

SOME = 2**15  # rows whose scores are held at a time


class Rows:
    """Rows X of weights w, where NaN means missing.

    Parameters
    ----------
    X : array of shape (n, d), float32 or float64, C-contiguous
    weights : array of shape (n,), float64, or None for ones
    """

    def __init__(self, X, weights=None):
        self.X, self.weights = X, weights
        self.missing = any_missing(X)
        self.groups = None  # by what is missing; found when first asked for

    def expectation(self, model, about=None):
        """Return the Statistics of all rows, about the means of `model` unless points are given."""
        if self.missing:
            if self.groups is None and model.covariance_type in ("full", "tied"):
                self.groups = groups(self.X)
            return missing.expectation_missing(
                self.X, self.weights, model, about=about, groups=self.groups
            )
        return expectation(self.X, self.weights, model, about=about)

    def scores(self, model):
        """Return log w_k + log N(x_i | m_k, C_k) of what is seen of each row, (n, k)."""
        if self.missing:
            return missing.log_densities_missing(self.X, model).astype(self.X.dtype, copy=False)
        return scores_of(self.X, model)

    def by_row(self, model, of_scores):
        """Return of_scores(scores), a number per row, (n,), without the scores of all rows."""
        if len(self.X) <= SOME:
            return of_scores(self.scores(model))
        starts = range(0, len(self.X), SOME)
        parts = (Rows(self.X[start : start + SOME]) for start in starts)
        return np.concatenate([of_scores(part.scores(model)) for part in parts])

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


def most_likely(scores):
    """Return the component of the largest score, (n,)."""
    return np.argmax(scores, axis=1)


def log_sum_exp(scores):
    """Return log sum_k exp s_ik, (n,); `scores` are lost."""
    largest = scores.max(axis=1)
    scores -= largest[:, np.newaxis]
    return largest + np.log(np.exp(scores, out=scores).sum(axis=1))
