"""Which rows can have a new nearest centre? Bounds that answer without a look at the row.

Problem     A row x of label a keeps it if |x - c_j| > |x - c_a| for all other j.
Bounds      u >= |x - c_a| and l <= |x - c_j| for all j but a. When each centre moves by s_j,
                u' = u + s_a,    l' = l - max_{j != a} s_j                                    (1)
            and, by the triangle inequality, |x - c_j| >= |c_a - c_j| - u, hence
                l' >= min_{j != a} |c_a - c_j| - u'                                           (2)
            A row with u' < l' keeps its label. The others are compared with all centres, which
            makes both bounds sharp again.
Rounding    Labels must be those of the computed scores, not of exact ones. A score, made of d
            products, is wrong by at most g |x| |c_j|, g = (d + 8) eps / 2, and |c_j| is at most
            |x| + |x - c_j|, so that two scores are wrong by 3 g |x|^2 and as much less of each
            distance. A square |x|^2 + 2 score is wrong by 4 g |x|^2. With room to spare, a label
            is safe if
                l^2 (1 - m) > u^2 (1 + m) + m |x|^2,    m = 10 g,    |x| <= u + |c_a|         (3)
Reference   G. Hamerly, Making k-means even faster, SIAM Int. Conf. on Data Mining, 2010.
"""

from typing import NamedTuple

import numpy as np

from skcourse.core.kernel import kernel

OUTWARD = 2.0**-22  # a bound may be stored in float32: it is widened by more than that rounds


class State(NamedTuple):
    """What is known of each row."""

    labels: np.ndarray  # a, int32, (n,); -1 before the first look
    upper: np.ndarray  # u, (n,)
    lower: np.ndarray  # l, (n,)
    each: np.ndarray  # a bound for each centre, (n, k), see `elkan`; (n, 0) where there are none

    def part(self, rows):
        """Return the state of a slice of rows, as views."""
        return State(self.labels[rows], self.upper[rows], self.lower[rows], self.each[rows])


class Motion(NamedTuple):
    """How the centres moved since the bounds were true."""

    drift: np.ndarray  # s_j, (k,)
    decay: np.ndarray  # max s_i over the others, (k,)
    gap: np.ndarray  # distance to the nearest other centre, (k,); 0 where it is not known
    norms: np.ndarray  # |c_j|, (k,)
    path: np.ndarray  # sum of s_j over all moves, (k,)
    margin: float  # m of (3)
    scale: float  # a typical |x|


def unknown(n_rows, n_bounds, dtype):
    """Return the state of rows that nobody has looked at, with `n_bounds` bounds for centres."""
    return State(
        np.full(n_rows, -1, np.int32),
        np.full(n_rows, np.inf, dtype),
        np.zeros(n_rows, dtype),
        np.full((n_rows, n_bounds), np.inf, dtype),
    )


def margin(n_features, dtype):
    """Return m of (3)."""
    return 5.0 * (n_features + 8) * float(np.finfo(dtype).eps)


@kernel
def widen(motion, state, suspects):
    """Apply (1) and (2) to all rows; list in `suspects` those that fail (3), return how many."""
    n_suspects = 0
    labels, upper, lower = state.labels, state.upper, state.lower
    near, far = 1.0 + motion.margin, 1.0 - motion.margin
    for i in range(labels.shape[0]):
        a = labels[i]
        u = (upper[i] + motion.drift[a]) * (1.0 + OUTWARD)
        low = max((lower[i] - motion.decay[a]) * (1.0 - OUTWARD), 0.0)
        upper[i] = u
        lower[i] = low
        low = max(low, motion.gap[a] - u)
        norm = u + motion.norms[a]
        if not (low * low * far > u * u * near + motion.margin * norm * norm):
            suspects[n_suspects] = i
            n_suspects += 1
    return n_suspects


@kernel
def sharpen(upper, lower, i, norm, lowest, second, margin):
    """Set the bounds of row i from its squared norm and the two least |c_j|^2 / 2 - <x, c_j>."""
    near = (norm + 2.0 * lowest) * (1.0 + margin) + margin * norm
    far = (norm + 2.0 * second) * (1.0 - margin) - margin * norm
    upper[i] = np.sqrt(max(near, 0.0)) * (1.0 + OUTWARD)
    lower[i] = np.sqrt(max(far, 0.0)) * (1.0 - OUTWARD)


@kernel
def sharpen_rows(tile, rows, state, margin):
    """Set the bounds of the rows in a tile, and list first in `rows` those whose label is new.

    Returns
    -------
    n_new : int
    """
    upper, lower, labels = state.upper, state.lower, state.labels
    for t in range(rows.shape[0]):
        norm = np.float64(tile.norms[t])
        sharpen(upper, lower, rows[t], norm, tile.lowest[t], tile.second[t], margin)
    n_new = 0
    for t in range(rows.shape[0]):
        i, z, norm = rows[t], tile.labels[t], tile.norms[t]
        if z != labels[i]:
            rows[n_new], tile.labels[n_new], tile.norms[n_new] = i, z, norm
            n_new += 1
    return n_new
