"""The fit of a mixture of experts: expectation, maximisation, and no step that leads down.

Iteration   From a gate g and experts p_k, with weights w_i of the samples, as long as the
            log-likelihood
                L = sum_i w_i log sum_k g_k(x_i) p_k(y_i | x_i)                               (1)
            rises: the responsibilities
                r_ik = g_k(x_i) p_k(y_i | x_i) / sum_j g_j(x_i) p_j(y_i | x_i)                (2)
            are what the gate is to predict, and how much expert k minds sample i:
                expert k   <- fit(X, y, sample_weight = w r_k)                                (3)
                g          <- fit(X, k, sample_weight = w r_k), for all k side by side        (4)
            and of numbers, s_k^2 = sum_i w_i r_ik (y_i - f_k(x_i))^2 / sum_i w_i r_ik.       (5)
Descent     Experts and gates that minimise something else than -log p (a penalty, the purity of a
            tree) may lower (1). Such a step is not taken: the new experts with the old gate are
            tried, then the new gate with the old experts; if nothing helps, the climb is over.
            This is a generalised EM algorithm, and (1) never falls.
Reference   M. Jordan, R. Jacobs, Hierarchical mixtures of experts and the EM algorithm, Neural
            Computation, 1994.
"""

from copy import copy
from typing import NamedTuple

import numpy as np
from scipy.sparse import issparse, vstack
from scipy.special import logsumexp
from sklearn.base import clone

from skcourse.core.chunks import one_blas_thread
from skcourse.core.history import History
from skcourse.linear_model import LogisticRegression

LEAST = 1e-12  # responsibility: an expert sees every class, and has some weight
STEEPNESS = 3.0  # of the first gate, which is drawn


class Problem(NamedTuple):
    """What a mixture is fitted to."""

    X: np.ndarray  # (n, d), or a sparse matrix
    y: np.ndarray  # (n,) or (n, n_outputs); of classes, their numbers
    weights: np.ndarray  # w, float64 (n,), positive
    n_classes: int | None  # None where y is numbers
    floor: np.ndarray | None  # least s^2 for each output, where y is numbers


class Mixture(NamedTuple):
    """A mixture of experts."""

    gate: object  # a classifier of experts; None where there is one expert only
    experts: list
    variances: np.ndarray | None  # s_k^2, (n_experts, n_outputs), where y is numbers


class Climb(NamedTuple):
    """What one start came to."""

    mixture: Mixture
    log_likelihood: float  # (1) / sum of the weights
    converged: bool
    history: dict


def gate_shares(gate, X, n_experts):
    """Return g_k(x_i), float64 (n, n_experts)."""
    if gate is None:
        return np.ones((X.shape[0], 1))
    shares = np.zeros((X.shape[0], n_experts))
    shares[:, gate.classes_.astype(int)] = gate.predict_proba(X)
    return shares


def class_shares(expert, X, n_classes):
    """Return the probability of each class by one expert, (n, n_classes)."""
    found = expert.predict_proba(X)
    if found.shape[1] == n_classes:
        return found
    shares = np.zeros((X.shape[0], n_classes), found.dtype)
    shares[:, expert.classes_.astype(int)] = found
    return shares


def residuals(problem, expert):
    """Return y - f_k(x), float64 (n, n_outputs)."""
    off = np.asarray(problem.y, np.float64) - expert.predict(problem.X).reshape(problem.y.shape)
    return off.reshape(len(off), -1)


def log_joint(problem, mixture):
    """Return log g_k(x_i) p_k(y_i | x_i), float64 (n, n_experts)."""
    scores = log(gate_shares(mixture.gate, problem.X, len(mixture.experts)))
    for k, expert in enumerate(mixture.experts):
        if problem.n_classes is not None:
            shares = class_shares(expert, problem.X, problem.n_classes)
            scores[:, k] += log(shares[np.arange(len(shares)), problem.y].astype(np.float64))
        else:
            s = mixture.variances[k]
            squares = residuals(problem, expert) ** 2 / s + np.log(2 * np.pi * s)
            scores[:, k] -= squares.sum(axis=1) / 2
    return scores


def log(shares):
    """Return the logarithms; of 0, that of the smallest number."""
    return np.log(np.maximum(shares, np.finfo(np.float64).tiny))


def expect(problem, mixture):
    """Return the mean log-likelihood by (1), and the responsibilities (2)."""
    scores = log_joint(problem, mixture)
    rows = logsumexp(scores, axis=1, keepdims=True)
    mean = np.average(rows[:, 0], weights=problem.weights)
    return float(mean), np.exp(scores - rows)


def anew(estimator):
    """Return an estimator to fit again; a logistic regression may go on from where it was."""
    goes_on = isinstance(estimator, LogisticRegression) and estimator.warm_start
    return copy(estimator) if goes_on else clone(estimator)


def origin_of(problem, estimator):
    """Return where the rows are best measured from in a fit: (d,) in the dtype of X, or None.

    Scores <v, x> + c with a free c are the same from any origin. Far from the rows, though, their
    columns are nearly collinear with the constant, and a step of Newton's nearly undetermined.
    """
    linear = type(estimator) is LogisticRegression and estimator.solver != "liblinear"
    if not (linear and estimator.fit_intercept) or issparse(problem.X):
        return None
    with one_blas_thread():  # its threads change the last bits
        mean = problem.weights @ problem.X / problem.weights.sum()
    return mean.astype(problem.X.dtype)


def moved(estimator, shift):
    """Return the logistic regression, if it is fitted, for rows from which `shift` is taken."""
    if hasattr(estimator, "coef_"):
        constant = estimator.intercept_ + np.asarray(estimator.coef_, np.float64) @ shift
        estimator.intercept_ = constant.astype(estimator.coef_.dtype)
    return estimator


def refitted(problem, estimator, labels, weights):
    """Return the estimator fitted again, with weights (n, times): each row as often as that."""
    origin, times = origin_of(problem, estimator), weights.shape[1]
    found = anew(estimator)
    X = problem.X if origin is None else problem.X - origin
    if times > 1:
        X = vstack([X] * times, "csr") if issparse(X) else np.tile(X, (times, 1))
    if origin is None:
        return found.fit(X, labels, sample_weight=weights.T.ravel())
    return moved(moved(found, origin).fit(X, labels, sample_weight=weights.T.ravel()), -origin)


def fit_experts(problem, experts, shares):
    """Return experts refitted by (3), and their variances by (5)."""
    weights = problem.weights[:, np.newaxis] * np.maximum(shares, LEAST)
    fitted, variances = [], []
    for expert, own in zip(experts, weights.T, strict=True):
        expert = refitted(problem, expert, problem.y, own[:, np.newaxis])
        fitted.append(expert)
        if problem.n_classes is None:
            means = np.average(residuals(problem, expert) ** 2, axis=0, weights=own)
            variances.append(np.maximum(means, problem.floor))
    return fitted, np.array(variances) if variances else None


def fit_gate(problem, gate, shares):
    """Return the gate refitted by (4): every sample once for each expert."""
    if gate is None:
        return None
    n, n_experts = shares.shape
    weights = problem.weights[:, np.newaxis] * np.maximum(shares, LEAST)
    return refitted(problem, gate, np.repeat(np.arange(n_experts), n), weights)


def drawn_shares(problem, n_experts, rng):
    """Return responsibilities to begin with: a gate of random directions, blind to y.

    Rows are measured by their mean and deviation, so that neither unit nor origin matters.
    """
    X, w = problem.X, problem.weights / problem.weights.sum()
    directions = rng.standard_normal((n_experts, X.shape[1])).T * (STEEPNESS / X.shape[1] ** 0.5)
    with one_blas_thread():  # its threads change the last bits
        mean = np.asarray(w @ X).ravel()
        if issparse(X):
            squares = np.maximum(w @ X.multiply(X) - mean**2, 0.0).ravel()
        else:
            squares = w @ (X - mean) ** 2
        directions /= np.sqrt(np.where(squares > 0.0, squares, 1.0))[:, np.newaxis]
        scores = X @ directions - mean @ directions if issparse(X) else (X - mean) @ directions
    return np.exp(scores - logsumexp(scores, axis=1, keepdims=True))


def begin(problem, gate, experts, rng):
    """Return a mixture that is fitted to drawn responsibilities."""
    shares = drawn_shares(problem, len(experts), rng)
    experts, variances = fit_experts(problem, experts, shares)
    return Mixture(fit_gate(problem, gate, shares), experts, variances)


def step(problem, mixture, shares, before):
    """Return the mixture after (3) to (5), its (1), and (2); None if (1) would fall."""
    experts, variances = fit_experts(problem, mixture.experts, shares)
    gate = fit_gate(problem, mixture.gate, shares)
    for tried in (
        Mixture(gate, experts, variances),
        mixture._replace(experts=experts, variances=variances),
        mixture._replace(gate=gate),
    ):
        after, found = expect(problem, tried)
        if after >= before:
            return tried, after, found
    return None


def climb(problem, mixture, *, max_iter, tol, task, attributes):
    """Iterate until (1), per weight, rises by less than `tol`.

    Parameters
    ----------
    problem : Problem
    mixture : Mixture, to begin with
    max_iter : int
    tol : float
    task : Task, told of each iteration
    attributes : callable, from a Climb to the fitted attributes, for callbacks

    Returns
    -------
    climb : Climb
    """
    history, converged = History(), False
    likelihood, shares = expect(problem, mixture)
    for _ in range(max_iter):
        part = task.subtask("iteration")
        found = step(problem, mixture, shares, likelihood)
        before = likelihood
        if found is not None:
            mixture, likelihood, shares = found
        history.append(log_likelihood=likelihood)
        converged = found is None or likelihood - before < tol
        now = Climb(mixture, likelihood, converged, history.arrays())
        if part.end(lambda now=now: attributes(now)) or converged:
            break
    return Climb(mixture, likelihood, converged, history.arrays())
