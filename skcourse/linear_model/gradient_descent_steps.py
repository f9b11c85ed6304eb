"""The steps of a descent on the penalised risk of linear predictions: gradient, move, shrink.

Problem     Minimise over theta = (W, b), of K predictions z_ik = <x_i, w_k> + b_k per sample,
                F(theta) = sum_i s_i l(y_i, z_i) / n + P(W),     s_i >= 0, of mean 1.       (1)
Iteration   Cut the rows, shuffled, into batches B. For each, with the losses' slopes g_ik,
                gradient  G_k = sum_{i in B} s_i g_ik (x_i, 1) / |B|                        (2)
                move      theta by a first-order rule, see `skcourse.core.optimizers`
                shrink    W to its proximal step, see `skcourse.core.penalties`.            (3)
            The expectation of (2) is the gradient of the risk; with one batch, it is that gradient.
Penalties   A smooth one, l2, adds its slope to (2), but for adamw, which lets w decay instead. In
            (3) the step of each coefficient is as long as the rule's own: with any other, descent
            comes to rest beside the minimum. Momentum keeps, as velocity, how far a coefficient
            has gone with (3) included; with nesterov, (3) is taken behind the point ahead.
Cost        4 |B| K p for (2), and a few K p for the rule: much, if a batch is one row.
Reference   H. Robbins, S. Monro, 1951. A. Beck, M. Teboulle, SIAM J. Imaging Sciences, 2009.
            J. Yun, A. Lozano, E. Yang, NeurIPS 2021 (proximal steps of adaptive rules).
"""

from typing import NamedTuple

import numpy as np

from skcourse.core.kernel import kernel
from skcourse.core.losses import MULTINOMIAL, Loss, derivatives, multinomial
from skcourse.core.optimizers import ADAMW, MOMENTUM, NESTEROV, step, step_lengths
from skcourse.core.penalties import L2, Penalty, penalty_value, proximal_step
from skcourse.core.random import below

TILE_BYTES = 2**15  # of rows side by side, in the first cache


class Rows(NamedTuple):
    """Rows of a dense matrix, or of a sparse one: the other fields are then empty."""

    dense: np.ndarray  # (n, p), or (0, p)
    starts: np.ndarray  # (n + 1,) of a CSR matrix, or (0,)
    indices: np.ndarray
    data: np.ndarray


class Targets(NamedTuple):
    """What belongs to the rows."""

    values: np.ndarray  # y, (n, K), float64; of multinomial the class, (n, 1)
    weights: np.ndarray  # s, (n,), float64, of mean 1, or (0,) for ones


class Objective(NamedTuple):
    """F, but for the samples."""

    loss: Loss
    penalty: Penalty
    groups: np.ndarray  # where each group of neighbours in W begins, or (0,)
    fit_intercept: bool


class Plan(NamedTuple):
    """How an epoch goes."""

    batch_size: int
    length: float  # the first step's, h
    power: float  # step t has length h / t^power
    shuffle: bool
    seed: np.uint64
    first: np.uint64  # the number of the first draw of this epoch


class Work(NamedTuple):
    """Room for one step, and what an epoch leaves behind; M parameters, the last K intercepts."""

    raw: np.ndarray  # z, then s g, of one sample, (K,)
    gradient: np.ndarray  # (2), (M,)
    mean_gradient: np.ndarray  # of the batches of an epoch, (M,)
    point: np.ndarray  # where (3) ends: the answer, (M,); theta itself if P is smooth
    lengths: np.ndarray  # of the step, (M - K,)
    path: np.ndarray  # `point` after every update, (n_batches, M), or (0, M): not wanted
    tile: np.ndarray  # (rows, p), of dense rows; (n, 0) of sparse ones
    order: np.ndarray  # of the rows, (n,) or (0,)


@kernel
def dense_scores(X, r, theta, z):
    """z_k = <x, w_k> + b_k for row r of X."""
    p = X.shape[1]
    for k in range(len(z)):
        total = 0.0
        for j in range(p):
            total += theta[k * p + j] * X[r, j]
        z[k] = total + theta[len(z) * p + k]


@kernel
def add_dense_row(X, r, g, gradient):
    """Add g_k (x, 1) to G_k, for row r of X."""
    p = X.shape[1]
    for k in range(len(g)):
        for j in range(p):
            gradient[k * p + j] += g[k] * X[r, j]
        gradient[len(g) * p + k] += g[k]


@kernel
def sparse_scores(rows, i, theta, z):
    """z_k = <x_i, w_k> + b_k."""
    p = len(theta) // len(z) - 1
    for k in range(len(z)):
        total = theta[len(z) * p + k]
        for e in range(rows.starts[i], rows.starts[i + 1]):
            total += theta[k * p + rows.indices[e]] * rows.data[e]
        z[k] = total


@kernel
def add_sparse_row(rows, i, g, gradient):
    """Add g_k (x_i, 1) to G_k."""
    p = len(gradient) // len(g) - 1
    for k in range(len(g)):
        for e in range(rows.starts[i], rows.starts[i + 1]):
            gradient[k * p + rows.indices[e]] += g[k] * rows.data[e]
        gradient[len(g) * p + k] += g[k]


@kernel
def slopes(loss, y, i, s, z):
    """Replace the predictions z of sample i by the slopes s dl/dz; return s l."""
    total = 0.0
    if loss.code == MULTINOMIAL:
        total = multinomial(np.int64(y[i, 0]), z, z)
        for k in range(len(z)):
            z[k] *= s
        return s * total
    for k in range(len(z)):
        value, slope, _ = derivatives(loss, y[i, k], z[k])
        z[k] = s * slope
        total += s * value
    return total


@kernel
def penalise(gradient, mean_gradient, theta, m, share, a, fit_intercept):
    """Write share * gradient + (a w, 0) for m coefficients w; add it to `mean_gradient`."""
    for j in range(m):
        gradient[j] = share * gradient[j] + a * theta[j]
        mean_gradient[j] += gradient[j]
    for j in range(m, len(theta)):
        gradient[j] *= share if fit_intercept else 0.0
        mean_gradient[j] += gradient[j]


@kernel
def shrink(objective, rule, state, theta, work, length):
    """(3), after the move of a rule."""
    m, point, v = len(theta) - rule.spared, work.point, state.velocity
    lead = rule.momentum if rule.code == NESTEROV else 0.0
    for j in range(len(theta)):
        point[j] = theta[j] - lead * v[j]
    step_lengths(rule, state, length, work.lengths)
    proximal_step(objective.penalty, point[:m], 1.0, work.lengths, objective.groups)
    for j in range(m):
        if rule.code in (MOMENTUM, NESTEROV):
            v[j] += point[j] - (theta[j] - lead * v[j])
        theta[j] = point[j] + lead * v[j]


@kernel
def update(objective, rule, state, theta, gradient, mean_gradient, size, length):
    """Move theta by a rule along `gradient` / size, and l2; return P(W) as it was before."""
    penalty, value, a = objective.penalty, 0.0, 0.0
    m = len(theta) - rule.spared
    if penalty.code:
        value = penalty_value(penalty, theta[:m], theta[:0], objective.groups)
        if penalty.code == L2 and rule.code != ADAMW:
            a = penalty.strength
    penalise(gradient, mean_gradient, theta, m, 1.0 / size, a, objective.fit_intercept)
    step(rule, state, theta, gradient, length)
    return value


@kernel
def shuffle(order, seed, first):
    """Write 0 .. n - 1 in random order (Fisher, Yates), by the draws from `first` on."""
    for i in range(len(order)):
        j = below(seed, first + np.uint64(i), i + 1)
        order[i] = order[j]
        order[j] = i


@kernel
def gather(X, order, tile):
    """Copy rows of X side by side: copies, unlike steps, do not wait for each other's memory."""
    for r in range(len(order)):
        i = order[r]
        for j in range(X.shape[1]):
            tile[r, j] = X[i, j]


@kernel
def epoch(rows, targets, objective, rule, state, plan, theta, work):
    """Go through all batches once, in place; return the mean over them of F, each at its theta."""
    X, tile, order, raw, path = rows.dense, work.tile, work.order, work.raw, work.path
    gradient, mean_gradient = work.gradient, work.mean_gradient
    y, weights, sparse = targets.values, targets.weights, len(rows.starts) > 0
    n, total, loss, size, n_batches = len(order), 0.0, 0.0, 0, 0
    if plan.shuffle:
        shuffle(order, plan.seed, plan.first)
    for q in range(n):
        i, r = order[q], q % len(tile)
        if r == 0 and not sparse:
            gather(X, order[q : q + len(tile)], tile)
        if sparse:
            sparse_scores(rows, i, theta, raw)
        else:
            dense_scores(tile, r, theta, raw)
        loss += slopes(objective.loss, y, i, weights[i] if len(weights) else 1.0, raw)
        if sparse:
            add_sparse_row(rows, i, raw, gradient)
        else:
            add_dense_row(tile, r, raw, gradient)
        size += 1
        if size == plan.batch_size or q == n - 1:
            length = length_at(plan, state.count[0] + 1)
            total += loss / size
            total += update(objective, rule, state, theta, gradient, mean_gradient, size, length)
            if objective.penalty.code > L2:
                shrink(objective, rule, state, theta, work, length)
            loss, size = 0.0, 0
            for j in range(len(theta)):
                gradient[j] = 0.0
            if len(path):
                for j in range(len(theta)):
                    path[n_batches, j] = work.point[j]
            n_batches += 1
            if not np.isfinite(total):
                break
    return total / n_batches


@kernel
def length_at(plan, t):
    """h / t^power."""
    return plan.length / np.float64(t) ** plan.power if plan.power > 0 else plan.length
