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
    unweighted: np.ndarray = np.empty(0)  # the weights of the coefficients in P: none


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


@kernel
def add_gradient(rows, targets, loss, theta, order, raw, gradient):
    """Add |B| times (2) to `gradient`, B the rows of `order`; return sum_{i in B} s_i l.

    Dense rows are those of B, side by side; of sparse ones and of the targets, all are there.
    """
    K = len(raw)
    p = len(theta) // K - 1
    dense, starts, indices, data = rows
    sparse, weighted, total = len(starts) > 0, len(targets.weights) > 0, 0.0
    for r in range(len(order)):
        i = order[r]
        for k in range(K):
            z, w = 0.0, theta[k * p : k * p + p]
            if sparse:
                for e in range(starts[i], starts[i + 1]):
                    z += w[indices[e]] * data[e]
            else:
                for j in range(p):
                    z += w[j] * dense[r, j]
            raw[k] = z + theta[K * p + k]
        s = targets.weights[i] if weighted else 1.0
        total += s * slopes(loss, targets.values, i, raw)
        for k in range(K):
            g, along = s * raw[k], gradient[k * p : k * p + p]
            if sparse:
                for e in range(starts[i], starts[i + 1]):
                    along[indices[e]] += g * data[e]
            else:
                for j in range(p):
                    along[j] += g * dense[r, j]
            gradient[K * p + k] += g
    return total


@kernel
def slopes(loss, y, i, z):
    """Replace the predictions z of sample i by the slopes dl/dz; return l."""
    if loss.code == MULTINOMIAL:
        return multinomial(np.int64(y[i, 0]), z, z)
    total = 0.0
    for k in range(len(z)):
        value, z[k], _ = derivatives(loss, y[i, k], z[k])
        total += value
    return total


@kernel
def update(objective, rule, state, theta, work, size, length):
    """Move theta by a rule along `work.gradient` / size, then (3); return P(W) as it was before."""
    penalty, gradient, point, value = objective.penalty, work.gradient, work.point, 0.0
    mean_gradient = work.mean_gradient
    m = len(theta) - rule.spared
    if penalty.code:
        value = penalty_value(penalty, theta[:m], objective.unweighted, objective.groups)
    a = penalty.strength if penalty.code == L2 and rule.code != ADAMW else 0.0
    share = 1.0 / size
    for j in range(m):
        gradient[j] = share * gradient[j] + a * theta[j]
        mean_gradient[j] += gradient[j]
    for j in range(m, len(theta)):
        gradient[j] *= share if objective.fit_intercept else 0.0
        mean_gradient[j] += gradient[j]
    step(rule, state, theta, gradient, length)
    if penalty.code <= L2:
        return value
    lead = rule.momentum if rule.code == NESTEROV else 0.0
    for j in range(len(theta)):
        point[j] = theta[j] - lead * state.velocity[j]
    step_lengths(rule, state, length, work.lengths)
    proximal_step(penalty, point[:m], 1.0, work.lengths, objective.groups)
    for j in range(m):
        if rule.code in (MOMENTUM, NESTEROV):
            state.velocity[j] += point[j] - (theta[j] - lead * state.velocity[j])
        theta[j] = point[j] + lead * state.velocity[j]
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
def epoch(rows, targets, objective, rule, state, plan, order, theta, work):
    """Go through all batches once, in place; return the mean over them of F, each at its theta."""
    n, tile, total, n_batches, loss = len(order), work.tile, 0.0, 0, 0.0
    if plan.shuffle:
        shuffle(order, plan.seed, plan.first)
    for first in range(0, n, len(tile)):
        end = min(n, first + len(tile))
        if len(rows.starts) == 0:
            gather(rows.dense, order[first:end], tile)
        start = first
        while start < end:  # a tile may hold many batches, or a part of one
            begun = start - start % plan.batch_size
            complete = min(n, begun + plan.batch_size)
            stop = min(end, complete)
            piece = Rows(tile[start - first : stop - first], rows.starts, rows.indices, rows.data)
            loss += add_gradient(
                piece, targets, objective.loss, theta, order[start:stop], work.raw, work.gradient
            )
            if stop == complete:
                size, length = complete - begun, length_at(plan, state.count[0] + 1)
                total += loss / size + update(objective, rule, state, theta, work, size, length)
                loss = 0.0
                for j in range(len(theta)):
                    work.gradient[j] = 0.0
                if len(work.path):
                    for j in range(len(theta)):
                        work.path[n_batches, j] = work.point[j]
                n_batches += 1
            start = stop
        if not np.isfinite(total):
            break
    return total / n_batches


@kernel
def length_at(plan, t):
    """h / t^power."""
    return plan.length / np.float64(t) ** plan.power if plan.power > 0 else plan.length
