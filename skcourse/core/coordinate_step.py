"""One step of coordinate descent for the elastic net, and the rules of a descent.

Problem     (1) of `duality_gap`: squares, and a penalty with a kink, over k features z_j.
Step        All others fixed, the best w_j is known. With u_j = <z_j, r> + |z_j|^2 w_j,
                w_j = S(|u_j|, a) / (|z_j|^2 + b)  u_j / |u_j|,   S(v, a) = max(v - a, 0)        (1)
            and for positive w_j, 0 where u_j < 0. A sweep does (1) for every j, in turn or drawn.
Reference   J. Friedman, T. Hastie, R. Tibshirani, J. Statistical Software, 2010. N. Simon,
            J. Friedman, T. Hastie, A blockwise descent algorithm, 2013.
"""

from typing import NamedTuple

import numpy as np

from skcourse.core.kernel import kernel
from skcourse.core.penalties import soft_threshold
from skcourse.core.random import below


class Rules(NamedTuple):
    """When to stop, and in which order to go."""

    tol: float  # on the largest change in a sweep, relative to the largest coefficient
    gap: float  # on the gap, once changes are that small
    loose: float  # on the gap, whatever the changes
    max_sweeps: int
    random: bool  # draw coordinates
    seed: np.uint64


class Descended(NamedTuple):
    """What a descent returns."""

    w: np.ndarray  # (t, k)
    slopes: np.ndarray  # Z'r, (t, k)
    squares: float  # |r|^2
    n_sweeps: int
    settled: bool  # whether the changes of the last sweep were within `Rules.tol`
    ended: bool  # whether it is the rules of the gap that ended it


@kernel
def move(net, norm, w, j, u):
    """Do (1): u_t = <z_j, r_t> becomes the change of w_tj.

    Returns
    -------
    change, size : float, max_t |u_t| and max_t |w_tj|
    """
    square, change, size = 0.0, 0.0, 0.0
    for t in range(len(u)):
        u[t] += norm * w[t, j]
        square += u[t] * u[t]
    length, factor = np.sqrt(square), 0.0
    if length > 0 and not (net.positive and u[0] < 0):
        factor = soft_threshold(length, net.l1) / length / (norm + net.l2)  # (1)
    for t in range(len(u)):
        new = factor * u[t]
        u[t] = new - w[t, j]
        w[t, j] = new
        change, size = max(change, abs(u[t])), max(size, abs(new))
    return change, size


@kernel
def draw(rules, before, e, k):
    """Return the coordinate of step e < k, `before` steps after the first: in turn, or drawn."""
    return below(rules.seed, np.uint64(before + e), k) if rules.random else e
