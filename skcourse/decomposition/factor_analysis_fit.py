"""The iteration of factor analysis, (1) to (3) of `factor_analysis`, and what it begins with."""

import numpy as np
from sklearn.utils import check_array

from skcourse.core.history import History, warn_not_converged
from skcourse.core.moments import Moments, centred_rows
from skcourse.core.validation import check_finite_sums
from skcourse.decomposition.base import count_rows
from skcourse.decomposition.factor_analysis_whitened import FewRows, Scatter
from skcourse.decomposition.rotation import rotated
from skcourse.decomposition.solvers import sums_of

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
    """Return the rows as Scatter or FewRows, their mean, and their number, or their weight."""
    n = len(X) if weights is None else int(np.count_nonzero(weights))
    weight = n if weights is None else float(np.sum(weights, dtype=np.float64))
    with np.errstate(over="ignore", invalid="ignore"):
        if n >= X.shape[1]:
            sums = sums_of(model, X, weights, Moments)
            return Scatter(sums.scatter / weight, X, weights, weight), sums.mean, weight
        if weights is not None:
            X, weights = X[weights > 0], weights[weights > 0]
        A, _, mean, rest = centred_rows([X], np.empty(0) if weights is None else weights)
        check_finite_sums(mean + rest, X, estimator=model)
        A -= rest if weights is None else np.outer(np.sqrt(weights), rest)
        A /= np.sqrt(weight)
        more = min(count_rows(n, weight), X.shape[1]) - n  # a row of weight 2 is two rows
        A = np.vstack([A, np.zeros((more, A.shape[1]))]) if more > 0 else A
    return FewRows(A), mean, weight


def iterate(model, subspace, psi, mean, weight, dtype, task):
    """Run (1) and (2) until the log-likelihood rises by less than `tol`; return the attributes.

    Parameters
    ----------
    model : FactorAnalysis
    subspace : Subspace, of (1)
    psi : array of shape (p,), the first one
    mean : array of shape (p,)
    weight : float, n
    dtype : dtype of the attributes
    task : Task
    """
    variances = subspace.rows.variances
    loglike, history, before, converged = [], History(), -np.inf, False

    def state(W, psi):
        W = W if model.rotation is None else rotated(W.T, model.rotation).T
        return {
            "components_": np.ascontiguousarray(W, dtype=dtype),
            "noise_variance_": psi.astype(dtype),
            "mean_": mean.astype(dtype),
            "loglike_": list(loglike),
            "n_iter_": len(loglike),
            "history_": history.arrays(),
        }

    for _ in range(model.max_iter):
        step = task.subtask("iteration")
        root = np.sqrt(psi) + LEAST  # the same number as scikit-learn's, to the last bit
        s, V = subspace.leading(1 / root)
        W = np.sqrt(np.maximum(s - 1, 0))[:, np.newaxis] * V * root  # (2)
        theirs, value = log_likelihoods(s, subspace.rows.total(1 / root), psi, weight)
        loglike.append(theirs)
        history.append(log_likelihood=value)
        stop = step.end(lambda W=W, psi=psi: state(W, psi))
        converged = theirs - before < model.tol
        if converged or stop:
            break
        before = theirs
        psi = np.maximum(variances - np.sum(np.square(W), axis=0), LEAST)  # (2)
    if not (converged or stop):
        warn_not_converged(
            "FactorAnalysis did not converge. You might want to increase the number of iterations: "
            f"max_iter={model.max_iter}.",
            stacklevel=5,
        )
    return state(W, psi)


def log_likelihoods(s, total, psi, weight):
    """Return scikit-learn's number and (3), for the leading eigenvalues s of (1), and its trace.

    An eigenvalue of 0, of which the logarithm would say nothing, counts in both as in (3).
    """
    rest = len(psi) * np.log(2 * np.pi) + np.sum(np.log(psi)) + (total - np.sum(s))
    true = np.log(np.maximum(s, 1)) + np.minimum(s, 1)
    theirs = np.where(s > 0, np.log(np.where(s > 0, s, 1)) + 1, true)
    return tuple(float(-0.5 * weight * (rest + np.sum(terms))) for terms in (theirs, true))
