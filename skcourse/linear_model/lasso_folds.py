"""Cross-validation of the elastic net: a path on the rows of each fold that are left in.

Problem     For each fold and penalty, the mean squared error on the rows that were left out.
Sums        Where there are more rows than features, a path needs Z'Z and Z'y only (`gram_path`). If
            every row is left out once, each chunk of rows is summed up once as well, and a fold
            merges the moments of the others: those before it and those behind it, which are
            carried along. Nothing is subtracted, so nothing cancels.
Cost        n p^2 / 2 products for all folds together, instead of for each.
"""

from itertools import accumulate
from typing import NamedTuple

import numpy as np
from scipy import sparse

from skcourse.core.chunks import one_blas_thread
from skcourse.core.interrupts import held
from skcourse.core.moments import merge, moments
from skcourse.linear_model.gram_path import Products, gram_path
from skcourse.linear_model.lasso_path import descent_path
from skcourse.linear_model.lasso_problem import problem_of, strengths
from skcourse.linear_model.working_set import Descent, Settings

MERGE_BYTES = 2**28  # of moments, held at once


class Asked(NamedTuple):
    """What is asked of a fold."""

    l1_ratios: list
    alphas: list  # an array for each l1_ratio
    centre: bool
    positive: bool
    settings: Settings


class FoldSums(NamedTuple):
    """What `gram_path` needs of the rows left in."""

    products: Products
    x_mean: np.ndarray
    y_mean: np.ndarray
    weight: float


def all_sums(X, Y, weights, folds, centre):
    """Return the FoldSums of each fold.

    Parameters
    ----------
    X : array of shape (n, p)
    Y : array of shape (n, t), float64
    weights : array of shape (n,) or None
    folds : list of (train, test), index arrays
    centre : bool
    """

    def sums_of(rows):
        w = None if weights is None else weights[rows]
        return moments(np.ascontiguousarray(X[rows]), Y[rows], w, centre=centre)

    width = X.shape[1] + Y.shape[1]
    if is_partition(folds, len(X)) and 16 * len(folds) * width**2 <= MERGE_BYTES:
        parts = [sums_of(test) for _, test in folds]
        before = list(accumulate(parts[:-1], merged))
        behind = list(accumulate(parts[:0:-1], merged))[::-1]
        inner = [merged(a, b) for a, b in zip(before[:-1], behind[1:], strict=True)]
        all_moments = [behind[0], *inner, before[-1]]
    else:
        all_moments = [sums_of(train) for train, _ in folds]
    return [
        fold_sums(found, Y[train], None if weights is None else weights[train], X.shape[1])
        for found, (train, _) in zip(all_moments, folds, strict=True)
    ]


def merged(a, b):
    """Return the moments of the rows of `a` and of `b` together, both of which are kept."""
    return merge(a._replace(scatter=a.scatter.copy()), b)


def fold_sums(found, Y, weights, p):
    """Return the FoldSums of moments, and of the targets that they are of."""
    gram = np.ascontiguousarray(found.scatter[:, :p])
    slopes = np.ascontiguousarray(found.scatter[:, p:].T)
    squares = (Y - found.mean[p:]) ** 2
    squares = squares.sum() if weights is None else weights @ squares.sum(axis=1)
    products = Products(gram, slopes, float(squares))
    return FoldSums(products, found.mean[:p], found.mean[p:], float(found.weight))


def is_partition(folds, n):
    """Tell whether every row is left out once, and left in otherwise."""
    if len(folds) < 2:
        return False
    tests = np.concatenate([test for _, test in folds])
    if len(tests) != n or not np.array_equal(np.sort(tests), np.arange(n)):
        return False
    for train, test in folds:
        left = np.ones(n, dtype=bool)
        left[test] = False
        if not np.array_equal(np.sort(train), np.flatnonzero(left)):
            return False
    return True


def fold_errors(X, Y, weights, fold, sums, asked):
    """Return the errors of one fold, (n_l1_ratios, n_alphas), and how many fits ended too early.

    `sums` are its FoldSums, or None: then the rows themselves are walked over.
    """
    train, test = fold
    w_train, w_test = (None, None) if weights is None else (weights[train], weights[test])
    errors, n_early = [], 0
    with one_blas_thread(), np.errstate(over="ignore", invalid="ignore"):
        if sums is None:
            X_train = X[train].tocsc() if sparse.issparse(X) else X[train]
            problem = problem_of(X_train, Y[train], w_train, centre=asked.centre)
            x_mean, y_mean, weight = problem.columns.means, problem.y_mean, problem.weight
        else:
            x_mean, y_mean, weight = sums.x_mean, sums.y_mean, sums.weight
        at_hand = None
        for l1_ratio, alphas in zip(asked.l1_ratios, asked.alphas, strict=True):
            penalties = strengths(alphas, l1_ratio, weight)
            if sums is None:
                descent = Descent(problem.columns, problem.Y, asked.settings, at_hand)
                at_hand = descent.at_hand
                path = descent_path(descent, penalties, asked.positive)
            else:
                path = gram_path(sums.products, penalties, asked.settings, positive=asked.positive)
            if sparse.issparse(X):
                X_test, intercepts = X[test], y_mean - path.coefs @ x_mean
            else:  # the means are taken off first: no offset hides the errors
                X_test, intercepts = X[test] - x_mean, y_mean
            errors.append(mean_errors(X_test, Y[test], w_test, path.coefs, intercepts))
            n_early += np.count_nonzero(~path.done)
            held.deliver()
    return np.array(errors), n_early


def mean_errors(X, Y, weights, coefs, intercepts):
    """Return the mean squared error, over rows and targets, of each of (n_alphas, t, p) coefs."""
    n_alphas, t, p = coefs.shape
    predicted = (X @ coefs.reshape(-1, p).T).reshape(-1, n_alphas, t) + intercepts
    squares = np.einsum("iat,iat->ia", *2 * (predicted - Y[:, np.newaxis],)) / t
    return np.average(squares, axis=0, weights=weights)
