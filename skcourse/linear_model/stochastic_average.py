"""Logistic regression by stochastic average gradients: SAG and SAGA.

Problem     The mean over the samples of s_i l(y_i, W x_i + b), and a |W|^2 / 2, is to be least,
            with weights s_i of mean 1.
Iteration   Keep the last slopes g_i of every sample (one per score), and the sum D of all g_i x_i'.
            Draw i, let d be the change of g_i at the present W, b, then
                D = D + d x_i'                                                                (1)
                SAG   W = (1 - h a) W - h D / N                                               (2)
                SAGA  as SAG, and W = W - h (1 - 1/N) d x_i'                                  (3)
            where N counts the samples seen, and b likewise but for a. h is 1 over the curvature of
            the steepest sample (SAGA: a half or third of that): the noise falls, h need not.
Stop        No coefficient has changed in either of two epochs by more than tol times the largest.
Cost        An epoch is n steps of 4 p K products, or of as many as x_i has entries: sparse rows
            put off what (2) does to other columns. There W = c V, and V_j is behind by
            D_j times what a running sum, `drift`, has gained since j was last looked at.
Reference   M. Schmidt, N. Le Roux, F. Bach, Minimizing finite sums with the stochastic average
            gradient, Math. Programming, 2017. A. Defazio, F. Bach, S. Lacoste-Julien, SAGA, 2014.
"""

from typing import NamedTuple

import numpy as np

from skcourse.core.history import SILENCE, History
from skcourse.core.kernel import kernel
from skcourse.core.losses import logistic, multinomial
from skcourse.core.random import below, seeds
from skcourse.linear_model.penalised_risk import (
    MAX_ITER,
    SMALL_GRADIENT,
    STOPPED,
    Minimum,
    has_converged,
)

SMALLEST = 1e-100  # c, below which V takes it up


class Labelled(NamedTuple):
    """What belongs to the samples."""

    labels: np.ndarray  # -1 or 1 for one score, else the number of the class, (n,)
    weights: np.ndarray  # s, (n,)


class State(NamedTuple):
    """What one epoch leaves to the next."""

    W: np.ndarray  # (K, p)
    b: np.ndarray  # (K,)
    D: np.ndarray  # (K, p)
    Db: np.ndarray  # the sum of g, (K,)
    slopes: np.ndarray  # g, (n, K)
    seen: np.ndarray  # (n,) of bool
    count: np.ndarray  # N, (1,)


class Step(NamedTuple):
    """How to step."""

    size: float  # h
    penalty: float  # a
    saga: bool
    fit_intercept: bool


@kernel
def change_slopes(labelled, state, i, z, d):
    """Overwrite the scores z of sample i with its slopes, keep them, and write their change d."""
    if len(z) == 1:
        z[0] = logistic(labelled.labels[i], z[0])[1]
    else:
        multinomial(np.int64(labelled.labels[i]), z, z)
    for k in range(len(z)):
        new = labelled.weights[i] * z[k]
        d[k] = new - state.slopes[i, k]
        state.slopes[i, k] = new
        state.Db[k] += d[k]
    if not state.seen[i]:
        state.seen[i] = True
        state.count[0] += 1


@kernel
def dense_epoch(X, labelled, state, step, seed, first):
    """Take n steps over dense rows; `first` counts the draws before."""
    n, p = X.shape
    n_classes = len(state.b)
    z, d = np.empty(n_classes), np.empty(n_classes)
    keep = 1.0 - step.size * step.penalty
    for t in range(n):
        i = below(seed, np.uint64(first + t), n)
        for k in range(n_classes):
            total = 0.0
            for j in range(p):
                total += X[i, j] * state.W[k, j]
            z[k] = total + state.b[k]
        change_slopes(labelled, state, i, z, d)
        mean = step.size / state.count[0]
        extra = step.size - mean if step.saga else 0.0
        for k in range(n_classes):
            for j in range(p):
                state.D[k, j] += d[k] * X[i, j]
                state.W[k, j] = keep * state.W[k, j] - mean * state.D[k, j] - extra * d[k] * X[i, j]
            if step.fit_intercept:
                state.b[k] -= mean * state.Db[k] + extra * d[k]


@kernel
def catch_up(state, c, drift, drifted):
    """Let W hold what it stands for."""
    for j in range(len(drifted)):
        for k in range(len(state.b)):
            state.W[k, j] = c * (state.W[k, j] - (drift - drifted[j]) * state.D[k, j])
        drifted[j] = 0.0


@kernel
def sparse_epoch(rows, labelled, state, step, seed, first):
    """Take n steps over sparse rows."""
    n, n_classes = len(rows.starts) - 1, len(state.b)
    z, d = np.empty(n_classes), np.empty(n_classes)
    drifted, drift, c = np.zeros(state.W.shape[1]), 0.0, 1.0
    for t in range(n):
        i = below(seed, np.uint64(first + t), n)
        for k in range(n_classes):
            total = 0.0
            for e in range(rows.starts[i], rows.starts[i + 1]):
                j = rows.indices[e]
                state.W[k, j] -= (drift - drifted[j]) * state.D[k, j]
                total += rows.data[e] * state.W[k, j]
            z[k] = c * total + state.b[k]
        change_slopes(labelled, state, i, z, d)
        mean = step.size / state.count[0]
        extra = step.size - mean if step.saga else 0.0
        c *= 1.0 - step.size * step.penalty
        for k in range(n_classes):
            for e in range(rows.starts[i], rows.starts[i + 1]):
                j = rows.indices[e]
                state.D[k, j] += d[k] * rows.data[e]
                state.W[k, j] -= extra * d[k] * rows.data[e] / c
            if step.fit_intercept:
                state.b[k] -= mean * state.Db[k] + extra * d[k]
        for e in range(rows.starts[i], rows.starts[i + 1]):
            drifted[rows.indices[e]] = drift
        drift += mean / c
        if c < SMALLEST:
            catch_up(state, c, drift, drifted)
            drift, c = 0.0, 1.0
    catch_up(state, c, drift, drifted)


def average_gradients(
    risk,
    theta0,
    l2=0.0,
    *,
    saga,
    random_state=None,
    tol=1e-4,
    max_iter=100,
    task=SILENCE,
    attributes=None,
    verbose=False,
):
    """Minimise the risk of logistic regression and a squared penalty.

    Parameters
    ----------
    risk : Risk, of the logistic loss, or MultinomialRisk
    theta0 : array, where to begin
    l2 : float, default=0.0
    saga : bool
        (3), not only (2).
    random_state : int, RandomState instance or None, default=None
    tol : float, default=1e-4
    max_iter : int, default=100
        Epochs.
    task, attributes, verbose
        See `skcourse.linear_model.lbfgs.lbfgs`.

    Returns
    -------
    minimum : Minimum
        `history` has "change", the largest of a coefficient in an epoch over the largest one.
    """
    labelled, state = labelled_of(risk), state_of(risk, theta0)
    step = step_of(risk, labelled, l2, saga)
    rows, epoch = risk.part(slice(0, risk.n)), sparse_epoch if risk.sparse else dense_epoch
    seed, history, reason = seeds(random_state, 1)[0], History(), MAX_ITER
    n_iter = still = 0
    while n_iter < max_iter:
        subtask = task.subtask("epoch", attributes=attributes and (lambda: attributes(at(state))))
        before = state.W.copy()
        epoch(rows, labelled, state, step, seed, n_iter * risk.n)
        n_iter += 1
        largest = np.abs(state.W).max()
        change = np.abs(state.W - before).max() / (largest if largest > 0 else 1.0)
        history.append(change=change)
        if verbose:
            print(f"Epoch {n_iter}, change: {change:.8g}")
        stop = subtask.end(attributes and (lambda: attributes(at(state))))
        still = still + 1 if change <= tol else 0
        if still > 1 or stop:
            reason = SMALL_GRADIENT if still > 1 else STOPPED
            break
    name = "saga" if saga else "sag"
    return Minimum(at(state), n_iter, has_converged(reason), history.arrays(), reason, name)


def labelled_of(risk):
    """Return labels and weights, of mean 1."""
    binary = risk.outputs == 1
    labels, weights = risk.targets if binary else (risk.codes, risk.weights)
    weights = weights * (risk.n / risk.total) if len(weights) else np.ones(risk.n)
    return Labelled(labels, weights)


def state_of(risk, theta0):
    """Return the state before the first step."""
    K, n, p = risk.outputs, risk.n, risk.p
    theta = theta0.reshape(p + 1, K)
    W, b = np.array(theta[:-1].T, order="C"), theta[-1].copy()
    zeros = np.zeros((K, p)), np.zeros(K), np.zeros((n, K))
    return State(W, b, *zeros, np.zeros(n, np.bool_), np.zeros(1))


def step_of(risk, labelled, l2, saga):
    """Return how to step: by the curvature of the steepest sample, s (|x|^2 + 1) / 4 + a.

    Of several classes it could be twice that, if a sample were torn between two of them.
    """
    X = risk.X
    squares = X.multiply(X).sum(axis=1) if risk.sparse else np.einsum("ij,ij->i", X, X)
    squares = np.asarray(squares, np.float64).ravel() + risk.fit_intercept
    curvature = 0.25 * np.max(labelled.weights * squares) + l2
    slow = min(2 * risk.n * l2, curvature)
    size = 1 / (2 * curvature + slow) if saga else 1 / curvature
    return Step(float(size), float(l2), saga, risk.fit_intercept)


def at(state):
    """Return theta of a state."""
    return np.vstack([state.W.T, state.b]).ravel()
