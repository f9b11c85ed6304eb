"""Ridge regression by stochastic average gradients: SAG and SAGA.

Problem     Minimise the mean over the samples of w_i (<b, z_i> - v_i)^2 / 2 + a |b|^2 / 2, with
            rows z_i = x_i - m and targets v_i about their means.
Iteration   Keep the last gradient of every sample, g_i z_i, and the sum of all, D. Draw i, then
                g_i = w_i (<b, z_i> - v_i),   D changes by (change of g_i) z_i                (1)
                SAG   b = (1 - h a) b - h D / N                                               (2)
                SAGA  as SAG, and b = b - h (1 - 1/N) (change of g_i) z_i                     (3)
            where N counts the samples seen and h, the step, is 1 over the curvature of the
            steepest sample: variance falls as b converges, so that h need not.
Cost        Per step 4 p products, or as many as x_i has entries stored: what (2) does to the other
            coordinates is put off until they are needed. There b = scale * v, and v_j is behind
            by what two running sums, `drift` and `pull`, have gained since j was last looked at.
            The mean is never taken from a sparse row: <m, b> and <m, D> are carried along.
Reference   M. Schmidt, N. Le Roux, F. Bach, Minimizing finite sums with the stochastic average
            gradient, Math. Programming, 2017. A. Defazio, F. Bach, S. Lacoste-Julien, SAGA, 2014.
"""

from typing import NamedTuple

import numpy as np

from skcourse.core.kernel import kernel
from skcourse.core.random import below


class Rows(NamedTuple):
    """Samples by row, as a CSR matrix has them."""

    data: np.ndarray  # entries of X, row by row
    indices: np.ndarray  # their columns, int32 or int64
    starts: np.ndarray  # row i has the entries from starts[i] to starts[i + 1], int64


class Targets(NamedTuple):
    """What the rows are to be fitted to."""

    mean: np.ndarray  # m, (p,)
    values: np.ndarray  # v_i, (n,)
    weights: np.ndarray  # w_i, (n,)


class State(NamedTuple):
    """What one epoch leaves to the next."""

    v: np.ndarray  # b, in a sparse epoch b / scale, (p,)
    sums: np.ndarray  # D, of sparse rows but for the mean, (p,)
    drifted: np.ndarray  # `drift` when v_j was last brought up to date, (p,)
    pulled: np.ndarray  # `pull`, likewise, (p,)
    gradients: np.ndarray  # g_i, (n,)
    seen: np.ndarray  # bool, (n,)
    numbers: np.ndarray  # N, sum of g_i, <m, D> but for the mean, <m, m>


def new_state(n, p, mean):
    """Return the state before the first step."""
    zeros = [np.zeros(p) for _ in range(4)]
    return State(*zeros, np.zeros(n), np.zeros(n, np.bool_), np.array([0, 0, 0, mean @ mean]))


@kernel
def dense_epoch(X, targets, state, step, decay, saga, seed, first):
    """Take n steps of (1) and (2), with (3) if `saga`, drawing from `first` on.

    `decay` is the a of (2); `seed` and `first` are uint64.
    """
    b, sums, mean = state.v, state.sums, targets.mean
    n, p = X.shape
    n_seen = state.numbers[0]
    shrink = 1 - step * decay
    for k in range(n):
        i = below(seed, first + np.uint64(k), n)
        if not state.seen[i]:
            state.seen[i] = True
            n_seen += 1
        prediction = 0.0
        for j in range(p):
            prediction += b[j] * (X[i, j] - mean[j])
        gradient = targets.weights[i] * (prediction - targets.values[i])  # (1)
        change = gradient - state.gradients[i]
        state.gradients[i] = gradient
        rate = step / n_seen
        extra = step * change * (1 - 1 / n_seen) if saga else 0.0
        for j in range(p):
            z = X[i, j] - mean[j]
            sums[j] += change * z
            b[j] = shrink * b[j] - rate * sums[j] - extra * z  # (2), (3)
    state.numbers[0] = n_seen


@kernel
def sparse_epoch(rows, targets, state, step, decay, saga, seed, first):
    """Do as `dense_epoch` does, with the same draws, looking at the entries stored only."""
    v, sums, mean = state.v, state.sums, targets.mean
    n_seen, total, mean_sums, mean_mean = state.numbers
    drift, pull, scale, mean_b = 0.0, 0.0, 1.0, 0.0
    for j in range(len(v)):
        mean_b += mean[j] * v[j]
    n = len(targets.values)
    for k in range(n):
        i = below(seed, first + np.uint64(k), n)
        if not state.seen[i]:
            state.seen[i] = True
            n_seen += 1
        prediction, mean_x = -mean_b, 0.0
        for e in range(rows.starts[i], rows.starts[i + 1]):
            j = rows.indices[e]
            v[j] -= (drift - state.drifted[j]) * sums[j] - (pull - state.pulled[j]) * mean[j]
            state.drifted[j], state.pulled[j] = drift, pull
            prediction += scale * v[j] * rows.data[e]
            mean_x += mean[j] * rows.data[e]
        gradient = targets.weights[i] * (prediction - targets.values[i])  # (1)
        change = gradient - state.gradients[i]
        state.gradients[i] = gradient
        total += change
        mean_sums += change * mean_x
        scale *= 1 - step * decay
        extra = step * change * (1 - 1 / n_seen) if saga else 0.0
        for e in range(rows.starts[i], rows.starts[i + 1]):
            j = rows.indices[e]
            sums[j] += change * rows.data[e]
            v[j] -= extra / scale * rows.data[e]  # (3)
        rate = step / n_seen
        drift += rate / scale  # (2), put off
        pull += (rate * total + extra) / scale
        mean_b *= 1 - step * decay
        mean_b -= rate * (mean_sums - mean_mean * total) + extra * (mean_x - mean_mean)
        if scale < 1e-9 or k == n - 1:
            for j in range(len(v)):
                v[j] -= (drift - state.drifted[j]) * sums[j] - (pull - state.pulled[j]) * mean[j]
                v[j] *= scale
                state.drifted[j], state.pulled[j] = 0.0, 0.0
            drift, pull, scale = 0.0, 0.0, 1.0
    state.numbers[:3] = n_seen, total, mean_sums


def average_gradients(rows, targets, alpha, curvature, *, saga, max_iter, tol, seed):
    """Run epochs until none moves a coordinate by more than `tol` times the largest.

    Parameters
    ----------
    rows : array of shape (n, p), or Rows
    targets : Targets
    alpha : float, the penalty over the whole sum: a is alpha / n
    curvature : float, the largest w_i |z_i|^2
    saga : bool
    max_iter : int, epochs at most
    tol : float
    seed : uint64

    Returns
    -------
    b : array of shape (p,), float64
    n_iter : int, epochs
    converged : bool
    """
    n, p = len(targets.values), len(targets.mean)
    epoch = sparse_epoch if isinstance(rows, Rows) else dense_epoch
    if curvature <= 0:
        return np.zeros(p), 1, True
    decay = alpha / n
    steepest = curvature + decay
    step = 1 / (2 * steepest + min(2 * alpha, steepest)) if saga else 1 / steepest
    state = new_state(n, p, targets.mean)
    for n_iter in range(1, max_iter + 1):
        before = state.v.copy()
        first = np.uint64((n_iter - 1) * n)
        with np.errstate(over="ignore"):  # random counters wrap, where kernels run as Python
            epoch(rows, targets, state, step, decay, saga, seed, first)
        if np.max(np.abs(state.v - before)) <= tol * np.max(np.abs(state.v)):
            return state.v, n_iter, True
    return state.v, max_iter, False
