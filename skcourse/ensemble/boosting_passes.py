"""One pass over the rows: the loss at their raw predictions, its slopes and its curvatures.

Rows are taken a tile at a time. The formulas of `core.losses` fill it, each loss in a loop of its
own, which the compiler turns into vector code; then weights are multiplied in, numbers become those
of the dtype that is asked for, and the losses are added up.
"""

from typing import NamedTuple

import numpy as np

from skcourse.core.kernel import kernel
from skcourse.core.losses import (
    GAMMA,
    HUBER,
    LOGISTIC,
    PINBALL,
    POISSON,
    SQUARED,
    absolute,
    evaluate_multinomial,
    exponential,
    gamma,
    huber,
    logistic,
    pinball,
    poisson,
    squared,
)

TILE = 1024  # rows whose values, slopes and curvatures stay in the first cache


class Tile(NamedTuple):
    """Value, slope and curvature of each of a few rows."""

    values: np.ndarray  # l, float64 (TILE,)
    slopes: np.ndarray  # dl/dz
    curvatures: np.ndarray  # d2l/dz2, 1 where the loss has kinks


class Result(NamedTuple):
    """Where a pass writes the slopes and curvatures: one row of raw predictions."""

    gradients: np.ndarray  # float32 or float64 (n,), or (0,) if nobody wants them
    hessians: np.ndarray  # the same, or (0,)
    scaled: bool  # whether both are multiplied by the weights


@kernel
def number_losses(loss, y, z, tile):
    """Fill a tile with the losses of numbers y: a loop of its own for each, as vector code."""
    values, slopes, curvatures = tile.values, tile.slopes, tile.curvatures
    code, number = loss.code, loss.parameter
    if code == SQUARED:
        for i in range(len(z)):
            values[i], slopes[i], curvatures[i] = squared(y[i], np.float64(z[i]))
    elif code == POISSON:
        for i in range(len(z)):
            values[i], slopes[i], curvatures[i] = poisson(y[i], np.float64(z[i]))
    elif code == GAMMA:
        for i in range(len(z)):
            values[i], slopes[i], curvatures[i] = gamma(y[i], np.float64(z[i]))
    elif code == HUBER:
        for i in range(len(z)):
            values[i], slopes[i], curvatures[i] = huber(y[i], np.float64(z[i]), number)
    elif code == PINBALL:
        for i in range(len(z)):
            values[i], slopes[i], _ = pinball(y[i], np.float64(z[i]), number)
            curvatures[i] = 1.0
    else:
        for i in range(len(z)):
            values[i], slopes[i], _ = absolute(y[i], np.float64(z[i]))
            curvatures[i] = 1.0


@kernel
def binary_losses(loss, y, z, tile):
    """Fill a tile with the losses of two classes y = 0, 1, which the formulas call -1, 1."""
    values, slopes, curvatures = tile.values, tile.slopes, tile.curvatures
    if loss.code == LOGISTIC:
        for i in range(len(z)):
            sign = 2.0 * y[i] - 1.0
            values[i], slopes[i], curvatures[i] = logistic(sign, np.float64(z[i]))
    else:
        for i in range(len(z)):
            sign = 2.0 * y[i] - 1.0
            values[i], slopes[i], curvatures[i] = exponential(sign, np.float64(z[i]))


@kernel
def mean_terms(values, weights, start, n):
    """Return sum_i w_i l_i and sum_i w_i of the n rows from `start`; weights (0,) mean ones."""
    total, mass = 0.0, 0.0
    if len(weights) == 0:
        for i in range(n):
            total += values[i]
        return total, np.float64(n)
    for i in range(n):
        total += values[i] * weights[start + i]
        mass += weights[start + i]
    return total, mass


@kernel
def hand_out(source, weights, start, n, target, scaled):
    """Write the n numbers of a tile to `target` from `start` on, times w_i if `scaled`."""
    if len(target) == 0:
        return
    if scaled and len(weights) > 0:
        for i in range(n):
            target[start + i] = source[i] * weights[start + i]
    else:
        for i in range(n):
            target[start + i] = source[i]


@kernel
def number_pass(loss, y, z, weights, result):
    """Go over rows once; return the sums of w_i l_i and of w_i.

    Parameters
    ----------
    loss : Loss
    y : float64 array of shape (n,)
    z : array of shape (n,), the raw predictions
    weights : float64 array of shape (n,), or (0,) for ones
    result : Result, overwritten
    """
    buffer, n, total, mass = np.empty((3, TILE)), len(z), 0.0, 0.0
    tile = Tile(buffer[0], buffer[1], buffer[2])
    for start in range(0, n, TILE):
        m = min(TILE, n - start)
        number_losses(loss, y[start : start + m], z[start : start + m], tile)
        added = mean_terms(tile.values, weights, start, m)
        hand_out(tile.slopes, weights, start, m, result.gradients, result.scaled)
        hand_out(tile.curvatures, weights, start, m, result.hessians, result.scaled)
        total, mass = total + added[0], mass + added[1]
    return total, mass


@kernel
def binary_pass(loss, y, z, weights, result):
    """As `number_pass`, for class numbers y: int32 array of shape (n,), of 0 and 1."""
    buffer, n, total, mass = np.empty((3, TILE)), len(z), 0.0, 0.0
    tile = Tile(buffer[0], buffer[1], buffer[2])
    for start in range(0, n, TILE):
        m = min(TILE, n - start)
        binary_losses(loss, y[start : start + m], z[start : start + m], tile)
        added = mean_terms(tile.values, weights, start, m)
        hand_out(tile.slopes, weights, start, m, result.gradients, result.scaled)
        hand_out(tile.curvatures, weights, start, m, result.hessians, result.scaled)
        total, mass = total + added[0], mass + added[1]
    return total, mass


@kernel
def class_pass(y, raw, weights, result, first, last):
    """As `number_pass`, for the rows `first` .. `last` - 1 of K classes.

    Parameters
    ----------
    y : int32 array of shape (n,), in 0 .. K - 1
    raw : array of shape (K, n), C-contiguous
    weights : float64 array of shape (n,), or (0,) for ones
    result : Result, of arrays of shape (K, n), or (K, 0)
    first, last : int
    """
    K, total, mass = len(raw), 0.0, 0.0
    curvatures = np.empty(TILE)
    for start in range(first, last, TILE):
        m = min(TILE, last - start)
        p = np.empty((K, m))
        for k in range(K):
            for i in range(m):
                p[k, i] = raw[k, start + i]
        values = evaluate_multinomial(y[start : start + m], p)
        added = mean_terms(values, weights, start, m)
        total, mass = total + added[0], mass + added[1]
        for k in range(K):
            for i in range(m):
                curvatures[i] = p[k, i] * (1.0 - p[k, i])
            hand_out(curvatures, weights, start, m, result.hessians[k], result.scaled)
        for i in range(m):
            p[y[start + i], i] -= 1.0
        for k in range(K):
            hand_out(p[k], weights, start, m, result.gradients[k], result.scaled)
    return total, mass
