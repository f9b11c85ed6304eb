"""The iteration of factor analysis, (1) to (3) of `factor_analysis`, and what it begins with."""

from typing import NamedTuple

import numpy as np
from sklearn.utils import check_array

from skcourse.core.chunks import chunk_slices, reduce_blocks
from skcourse.core.history import History, warn_not_converged
from skcourse.core.moments import Moments, centred_rows
from skcourse.core.validation import check_finite_sums
from skcourse.decomposition.base import count_rows
from skcourse.decomposition.factor_analysis_whitened import FewRows, Scatter
from skcourse.decomposition.rotation import rotated
from skcourse.decomposition.solvers import sums_of


class Rows(NamedTuple):
    """What is fitted."""

    X: np.ndarray  # (n, p)
    weights: np.ndarray | None  # (n,)
    mean: np.ndarray  # m, (p,)
    weight: float  # n, or the sum of the weights


LEAST = 1e-12  # of a noise, in the units of X squared, as in scikit-learn


def first_noise(model, p):
    """Return the first psi, (p,)."""
    if model.noise_variance_init is None:
        return np.ones(p)
    psi = check_array(
        model.noise_variance_init,
        ensure_2d=False,
        dtype=np.float64,
        copy=True,
        input_name="noise_variance_init",
    )
    if psi.shape != (p,):
        raise ValueError(
            "noise_variance_init dimension does not agree with the number of features: "
            f"{len(psi)} != {p}"
        )
    if psi.min() < 0:
        raise ValueError("Negative values in noise_variance_init: these are variances.")
    return np.maximum(psi, LEAST)


def rows_of(model, X, weights):
    """Return the Rows, and them as Scatter or FewRows."""
    n = len(X) if weights is None else int(np.count_nonzero(weights))
    weight = n if weights is None else float(np.sum(weights, dtype=np.float64))
    with np.errstate(over="ignore", invalid="ignore"):
        if n >= X.shape[1]:
            sums = sums_of(model, X, weights, Moments)
            scatter = Scatter(sums.scatter / weight, X, weights, weight)
            return Rows(X, weights, sums.mean + sums.rest, weight), scatter
        if weights is not None:
            X, weights = X[weights > 0], weights[weights > 0]
        A, _, mean, rest = centred_rows([X], np.empty(0) if weights is None else weights)
        check_finite_sums(mean + rest, X, estimator=model)
        A -= rest if weights is None else np.outer(np.sqrt(weights), rest)
        A /= np.sqrt(weight)
        more = min(count_rows(n, weight), X.shape[1]) - n  # a row of weight 2 is two rows
        A = np.vstack([A, np.zeros((more, A.shape[1]))]) if more > 0 else A
    return Rows(X, weights, mean + rest, weight), FewRows(A)


def signs(rows, axes):
    """Return the sign of that score of each axis which is largest in size, as scikit-learn has it.

    Parameters
    ----------
    rows : Rows; one of weight 0 is none
    axes : array of shape (k, p)
    """
    X, weights, mean, _ = rows

    def part(few):
        scores = np.subtract(X[few], mean, dtype=np.float64) @ axes.T
        if weights is not None:
            scores *= weights[few, np.newaxis] > 0
        largest = np.argmax(np.abs(scores), axis=0)
        return scores[largest, np.arange(len(axes))]

    def larger(a, b):
        return np.where(np.abs(b) > np.abs(a), b, a)

    blocks = chunk_slices(len(X), 8 * X.shape[1])
    return np.where(reduce_blocks(part, blocks, larger) < 0, -1.0, 1.0)


def iterate(model, subspace, psi, rows, task):
    """Run (1) and (2) until the log-likelihood rises by less than `tol`; return the attributes.

    Parameters
    ----------
    model : FactorAnalysis
    subspace : Subspace, of (1)
    psi : array of shape (p,), the first one
    rows : Rows
    task : Task
    """
    variances, dtype = subspace.rows.variances, rows.X.dtype
    if not np.isfinite(np.sum(variances)):
        raise ValueError(
            "The variances of X are not within the range of floating point numbers: take another "
            "unit for X."
        )
    loglike, history, before, converged = [], History(), -np.inf, False

    def state(W, psi, root):
        W = signs(rows, W / np.square(root))[:, np.newaxis] * W  # by their scores, V diag(1/root) x
        W = W if model.rotation is None else rotated(W.T, model.rotation).T
        return {
            "components_": np.ascontiguousarray(W, dtype=dtype),
            "noise_variance_": psi.astype(dtype),
            "mean_": rows.mean.astype(dtype),
            "loglike_": list(loglike),
            "n_iter_": len(loglike),
            "history_": history.arrays(),
        }

    for _ in range(model.max_iter):
        step = task.subtask("iteration")
        root = np.sqrt(psi) + LEAST  # the same number as scikit-learn's, to the last bit
        s, V, rest = subspace.leading(1 / root)
        W = np.sqrt(np.maximum(s - 1, 0))[:, np.newaxis] * V * root  # (2)
        theirs, value = log_likelihoods(s, rest, psi, rows.weight)
        loglike.append(theirs)
        history.append(log_likelihood=value)
        stop = step.end(lambda W=W, psi=psi, root=root: state(W, psi, root))
        converged = theirs - before < model.tol
        if converged or stop:
            break
        before = theirs
        psi = np.maximum(variances - np.sum(np.square(W), axis=0), LEAST)  # (2)
    if not (converged or stop):
        warn_not_converged(
            "FactorAnalysis did not converge. You might want to increase the number of iterations: "
            f"max_iter={model.max_iter}.",
        )
    return state(W, psi, root)


def log_likelihoods(s, rest, psi, weight):
    """Return scikit-learn's number and (3), for s of (1), and the sum of the others.

    Where one is 0, of which the logarithm would say nothing, both are (3).
    """
    rest += len(psi) * np.log(2 * np.pi) + np.sum(np.log(psi))
    true = np.log(np.maximum(s, 1)) + np.minimum(s, 1)
    theirs = np.log(s) + 1 if np.all(s > 0) else true
    return tuple(float(-0.5 * weight * (rest + np.sum(terms))) for terms in (theirs, true))
