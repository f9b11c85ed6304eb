"""Stochastic gradient descent: an epoch, one step for every sample.

Problem     Minimise the mean over the samples of s_i l(y_i, z_i), z_i = <x_i, w> + b, plus
                P(w) = a (r |w|_1 + (1 - r) |w|^2 / 2).                                        (1)
Iteration   For the samples in an order drawn anew in every epoch, at step t = 1, 2, ...
                w = max(0, 1 - h a (1 - r)) w + c x_i,  b = b + c,  c = -h s_i l'(y_i, z_i)     (2)
Step        constant    h = h_0
            adaptive    h = h_0, a fifth of it each time the loss has ceased to fall
            invscaling  h = h_0 / t^q
            optimal     h = 1 / (a (t_0 + t - 1))                                              (3)
            Passive-aggressive: as far as this one sample wants, c = -k l', with
            pa1         k = min(h_0, l / |x_i|^2), and x_i = 0 is passed over
            pa2         k = l / (|x_i|^2 + 1 / (2 h_0))                                        (4)
L1          A step of the subgradient never meets 0. Here u is the sum of h a r, by which every
            coefficient should have been pulled towards 0 so far, and q_j that by which w_j was:
            after (2), w_j is pulled by what is lacking, but not beyond 0.                     (5)
Averages    From step f on the mean of all w, which moves less than w does:
                m = m + (w - m) / (t - f + 1)                                                  (6)
Sparse      Only the entries stored are looked at: w = scale v, see `sparse_steps`. Most features
rows        are rare then and the intercept learns far more often than they: its c is a hundredth.
Cost        4 p products a step. Memory is slow for rows in random order: they are fetched some
            steps ahead.
Reference   L. Bottou, Stochastic gradient descent tricks, 2012 (2, 3, 6); Y. Tsuruoka, J. Tsujii,
            S. Ananiadou, ACL 2009 (5); K. Crammer et al., JMLR, 2006 (4).
"""

from typing import NamedTuple

import numpy as np

from skcourse.core.kernel import kernel
from skcourse.core.losses import Loss, derivatives, evaluate, slope
from skcourse.core.prefetch import LINE, prefetch

TILE = 256  # samples whose losses are evaluated together
AHEAD_ROWS = 6  # how many steps ahead rows are fetched
AHEAD_BYTES = 2**12  # of a row: what follows, the processor foresees
STEEPEST = 1e12  # slopes are cut off here
SMALLEST = 1e-9  # of `scale`, before v takes it over
CONSTANT, OPTIMAL, INVSCALING, ADAPTIVE, PA1, PA2 = range(6)
SCHEDULES = {
    "constant": CONSTANT,
    "optimal": OPTIMAL,
    "invscaling": INVSCALING,
    "adaptive": ADAPTIVE,
    "pa1": PA1,
    "pa2": PA2,
}
B, MEAN_B, T, STEP, PULL, SQUARES, SIZE, SCALE, GAIN, SPREAD, BEST, STALE, CUT = range(13)


class Rules(NamedTuple):
    """What does not change in a descent."""

    loss: Loss
    l1: float  # a r of (1)
    l2: float  # a (1 - r)
    schedule: int
    decay: float  # a of (3)
    offset: float  # t_0 of (3)
    first_step: float  # h_0
    power: float  # q
    average_from: float  # f of (6), 0 for no average
    intercept_rate: float  # c of b over c of w: 0 keeps b where it is
    drift: float  # what b is pulled down by at a step, over h: that of the one-class machine
    tol: float  # by how much an epoch must be better than the best
    patience: int  # how many epochs need not
    by_objective: bool  # or by rows kept back


class State(NamedTuple):
    """What one step leaves to the next."""

    w: np.ndarray  # (p,), float64; with sparse rows v
    mean: np.ndarray  # m of (6), (p,), or (0,)
    pulled: np.ndarray  # q of (5), (p,), or (0,)
    numbers: np.ndarray  # (13,): b, its mean, t, h, u, |w|^2, |w|_1, three of `sparse_steps`, two
    # of `sgd_epochs`, and how many slopes were cut off in this epoch


class Tile(NamedTuple):
    """Samples in the order of their steps."""

    y: np.ndarray  # (rows,)
    weights: np.ndarray  # s, (rows,)
    raw: np.ndarray  # z, (rows,), written by the steps


@kernel
def step_length(rules, t, h):
    """Return h of (3); `h` is the one before."""
    if rules.schedule == OPTIMAL:
        return 1.0 / (rules.decay * (rules.offset + t - 1.0))
    if rules.schedule == INVSCALING:
        return rules.first_step / t**rules.power
    return h


@kernel
def push(rules, h, y, z, squares):
    """Return c of (2) or (4) for a sample of weight 1, with |x_i|^2 in `squares`."""
    if rules.schedule >= PA1:
        value, slope_, _ = derivatives(rules.loss, y, z)
        if rules.schedule == PA2:
            return -slope_ * value / (squares + 0.5 / rules.first_step)
        return -slope_ * min(rules.first_step, value / squares)
    slope_ = slope(rules.loss, y, z)
    if slope_ > STEEPEST:  # NaN passes
        slope_ = STEEPEST
    elif slope_ < -STEEPEST:
        slope_ = -STEEPEST
    return -h * slope_


@kernel(exact=True)
def move_intercept(rules, b, c, h):
    """Return b + rate (c - h drift), with the product rounded before it is added.

    Where x_i = 0, steps back and forth have to meet b = 0 again, at which the perceptron learns.
    """
    return b + rules.intercept_rate * (c - h * rules.drift)


@kernel
def penalty(rules, numbers):
    """Return P(w) of (1), and the part of b in the objective of the one-class machine."""
    value = 0.5 * rules.l2 * numbers[SQUARES] + rules.l1 * numbers[SIZE]
    return value + rules.drift * numbers[B]


@kernel
def pull(w_j, lacking):
    """Return w_j nearer to 0 by `lacking`, not beyond it."""
    if w_j > 0:
        return max(0.0, w_j - lacking)
    if w_j < 0:
        return min(0.0, w_j + lacking)
    return w_j


@kernel
def pull_all(state):
    """Run (5) for all coefficients."""
    w, q, u = state.w, state.pulled, state.numbers[PULL]
    squares, size = 0.0, 0.0
    for j in range(len(w)):
        before = w[j]
        w[j] = pull(before, u + q[j] if before > 0 else u - q[j])
        q[j] += w[j] - before
        squares += w[j] * w[j]
        size += abs(w[j])
    state.numbers[SQUARES], state.numbers[SIZE] = squares, size


@kernel
def dense_steps(X, order, start, tile, rules, state):
    """Take a step for each of the rows in `tile`, which begins at `start` of the order.

    Returns
    -------
    penalties : float, their sum on the way
    """
    w, mean, numbers = state.w, state.mean, state.numbers
    b, h, t, p, penalties = numbers[B], numbers[STEP], numbers[T], len(w), 0.0
    squares, flat = numbers[SQUARES], X.reshape(-1)
    passive, line = rules.schedule >= PA1, LINE // X.itemsize
    for k in range(min(TILE, len(order) - start)):
        i, ahead = order[start + k], order[min(start + k + AHEAD_ROWS, len(order) - 1)]
        for j in range(0, min(p, AHEAD_BYTES // X.itemsize), line):
            prefetch(flat, ahead * p + j)
        z, length = 0.0, 0.0
        for j in range(p):
            z += w[j] * X[i, j]
        z += b
        if passive:
            for j in range(p):
                length += X[i, j] * X[i, j]
        tile.raw[k] = z
        if rules.schedule == PA1 and length == 0:
            continue
        h = step_length(rules, t, h)
        c = tile.weights[k] * push(rules, h, tile.y[k], z, length)
        penalties += 0.5 * rules.l2 * squares + rules.drift * b
        shrink = max(0.0, 1.0 - h * rules.l2)
        if c != 0 or shrink != 1:
            squares = 0.0
            for j in range(p):
                moved = shrink * w[j] + c * X[i, j]  # (2)
                w[j] = moved
                squares += moved * moved
        b = move_intercept(rules, b, c, h)
        if rules.l1 > 0:
            penalties += rules.l1 * numbers[SIZE]
            numbers[PULL] += h * rules.l1
            pull_all(state)
            squares = numbers[SQUARES]
        if 0 < rules.average_from <= t:
            share = 1.0 / (t - rules.average_from + 1.0)
            for j in range(p):
                mean[j] += share * (w[j] - mean[j])  # (6)
            numbers[MEAN_B] += share * (b - numbers[MEAN_B])
        t += 1.0
    numbers[B], numbers[STEP], numbers[T], numbers[SQUARES] = b, h, t, squares
    return penalties


@kernel
def take(samples, order, tile):
    """Copy y and s of the samples of `order`."""
    for k in range(len(order)):
        tile.y[k], tile.weights[k] = samples[order[k], 0], samples[order[k], 1]


@kernel
def look_back(rules, tile, m, numbers):
    """Return the sum of the losses of the first m steps of a tile; count the slopes cut off."""
    slopes, curvatures, unweighted, n_cut = np.empty(m), np.empty(m), np.empty(0), 0
    loss = evaluate(rules.loss, tile.y[:m], tile.raw[:m], unweighted, slopes, curvatures)
    for i in range(m):
        n_cut += abs(slopes[i]) > STEEPEST
    numbers[CUT] += n_cut
    return loss


@kernel
def dense_epoch(X, samples, order, rules, state):
    """Go through all rows once.

    Parameters
    ----------
    X : array of shape (n, p), C-contiguous
    samples : float64 array of shape (n, 2), y and s
    order : int64 array, the rows to learn from
    rules : Rules
    state : State, overwritten

    Returns
    -------
    loss : float, the sum of l(y_i, z_i), without weights, each before its step
    penalties : float, the sum of P(w), each before its step
    """
    n, length = len(order), TILE
    tile = Tile(np.empty(length), np.empty(length), np.empty(length))
    loss, penalties, state.numbers[CUT] = 0.0, 0.0, 0.0
    for start in range(0, n, length):
        m = min(length, n - start)
        take(samples, order[start : start + m], tile)
        penalties += dense_steps(X, order, start, tile, rules, state)
        loss += look_back(rules, tile, m, state.numbers)
    measure(state)
    return loss, penalties


@kernel
def measure(state):
    """Write |w|^2 and |w|_1."""
    squares, size = 0.0, 0.0
    for j in range(len(state.w)):
        squares += state.w[j] * state.w[j]
        size += abs(state.w[j])
    scale = state.numbers[SCALE]
    state.numbers[SQUARES], state.numbers[SIZE] = scale * scale * squares, scale * size


@kernel
def settle(state):
    """Write w in place of v, and the mean in place of what `sparse_steps` keeps of it."""
    v, mean, numbers = state.w, state.mean, state.numbers
    for j in range(len(mean)):
        mean[j] = (mean[j] + numbers[GAIN] * v[j]) / numbers[SPREAD]
    for j in range(len(v)):
        v[j] *= numbers[SCALE]
    numbers[SCALE], numbers[GAIN], numbers[SPREAD] = 1.0, 0.0, 1.0


@kernel
def fetch_entries(rows, i):
    """Have the entries of x_i at hand soon."""
    first, last = rows.starts[i], rows.starts[i + 1]
    line = np.uint64(LINE // rows.data.itemsize)
    last = min(last, first + np.uint64(AHEAD_BYTES // rows.data.itemsize))
    for e in range(first, last, line):
        prefetch(rows.data, e)
        prefetch(rows.indices, e)


@kernel
def move_entries(rows, i, c, state):
    """v += c x_i, and nothing for the mean."""
    v, mean, gain = state.w, state.mean, state.numbers[GAIN]
    first, last = rows.starts[i], rows.starts[i + 1]
    for e in range(first, last):
        v[rows.indices[e]] += c * rows.data[e]
    if len(mean) > 0:
        for e in range(first, last):
            mean[rows.indices[e]] -= gain * c * rows.data[e]


@kernel
def pull_entries(rows, i, c, state):
    """v += c x_i, and (5) for the features of x_i, and nothing for the mean."""
    v, q, mean, numbers = state.w, state.pulled, state.mean, state.numbers
    scale, u, gain = numbers[SCALE], numbers[PULL], numbers[GAIN]
    squares, size = 0.0, 0.0
    for e in range(rows.starts[i], rows.starts[i + 1]):
        j = rows.indices[e]
        before = v[j]
        moved = before + c * rows.data[e]
        v[j] = pull(moved, (u + q[j] if moved > 0 else u - q[j]) / scale)
        q[j] += scale * (v[j] - moved)
        squares += (v[j] - before) * (v[j] + before)
        size += abs(v[j]) - abs(before)
        if len(mean) > 0:
            mean[j] -= gain * (v[j] - before)
    numbers[SQUARES] += scale * scale * squares
    numbers[SIZE] += scale * size


@kernel
def sparse_steps(rows, order, start, tile, rules, state):
    """Do as `dense_steps` does, for sparse rows.

    To shrink all of w, one number does: w = scale v. Likewise m = (mean + gain v) / spread: in (6)
    `gain` and `spread` change, and a change of v_j is taken off mean_j.
    """
    v, numbers, penalties = state.w, state.numbers, 0.0
    for k in range(min(TILE, len(order) - start)):
        i = order[start + k]
        fetch_entries(rows, order[min(start + k + AHEAD_ROWS, len(order) - 1)])
        z, length = 0.0, 0.0
        for e in range(rows.starts[i], rows.starts[i + 1]):
            z += v[rows.indices[e]] * rows.data[e]
            length += rows.data[e] * rows.data[e]
        t = numbers[T]
        along = numbers[SCALE] * z  # <x_i, w>
        z = along + numbers[B]
        tile.raw[k] = z
        if rules.schedule == PA1 and length == 0:
            continue
        h = numbers[STEP] = step_length(rules, t, numbers[STEP])
        c = tile.weights[k] * push(rules, h, tile.y[k], z, length)
        penalties += penalty(rules, numbers)
        shrink = max(0.0, 1.0 - h * rules.l2)
        numbers[SCALE] *= shrink
        numbers[SQUARES] *= shrink * shrink
        numbers[SIZE] *= shrink
        if numbers[SCALE] < SMALLEST:
            settle(state)
        if rules.l1 > 0:
            numbers[PULL] += h * rules.l1
            pull_entries(rows, i, c / numbers[SCALE], state)
        elif c != 0:
            move_entries(rows, i, c / numbers[SCALE], state)
            numbers[SQUARES] += c * (2.0 * shrink * along + c * length)
        numbers[B] = move_intercept(rules, numbers[B], c, h)
        if 0 < rules.average_from <= t:
            count = t - rules.average_from + 1.0
            if count > 1:
                numbers[SPREAD] *= count / (count - 1.0)
            numbers[GAIN] += numbers[SPREAD] * numbers[SCALE] / count
            numbers[MEAN_B] += (numbers[B] - numbers[MEAN_B]) / count
        numbers[T] = t + 1.0
    return penalties


@kernel
def sparse_epoch(rows, samples, order, rules, state):
    """Do as `dense_epoch` does; `rows` are SparseRows."""
    n, length = len(order), TILE
    tile = Tile(np.empty(length), np.empty(length), np.empty(length))
    loss, penalties, state.numbers[CUT] = 0.0, 0.0, 0.0
    for start in range(0, n, length):
        m = min(length, n - start)
        take(samples, order[start : start + m], tile)
        penalties += sparse_steps(rows, order, start, tile, rules, state)
        loss += look_back(rules, tile, m, state.numbers)
    settle(state)
    measure(state)
    return loss, penalties
