"""k-means++ on rows of 16 bits a number: most rows are seen to keep their nearest centre.

Problem     D_i = min(D_i, |x_i - c|^2) for a few candidates c, where few rows come nearer.
Bound       Beside x_i, a sketch s_i of it is kept: whole numbers of 16 bits, times a step for each
            feature. By the triangle inequality |x_i - c| >= |s_i - c| - |x_i - s_i|, so row i
            keeps D_i if
                |s_i - c| >= sqrt(D_i) + |x_i - s_i|                                          (1)
            that is, if |c|^2 / 2 - <s_i, c> >= r_i, with its reach
                r_i = ((sqrt(D_i) + |x_i - s_i|)^2 - |s_i|^2) / 2                             (2)
Rounding    Lengths are in units of half the diagonal of the data about its middle, at most 1. The
            left side of (1), in float32, is wrong by at most m (|s_i|^2 + |c|^2) / 2 for
            m = (d + 8) eps, which both sides give way for; D_i is let grow by m, since the
            distances that are compared with it are computed.
Method      A product of a sketch costs a quarter of the memory traffic of a product of float64
            rows. What (1) leaves open is computed from the rows, to the last bit as without it.
"""

from typing import NamedTuple

import numpy as np

from skcourse.cluster.dense import over
from skcourse.core.chunks import reduce_blocks
from skcourse.core.distances import (
    BLOCK,
    TILE,
    Centers,
    U,
    add_squares,
    fill,
    multiply,
    new_tile,
    prepare,
)
from skcourse.core.kernel import kernel

STEPS = 2**15 - 1  # on either side of the middle
FEWEST_ROWS = 2**14  # for which the sketch is worth the time it takes
FEWEST_CLUSTERS = 16


class Sketch(NamedTuple):
    """The rows of one chunk, coarsely."""

    codes: np.ndarray  # int16, (n_tiles, d TILE): a tile holds rows as columns
    norms: np.ndarray  # |s_i|^2, float32, (n,)
    slack: np.ndarray  # |x_i - s_i|, float32, (n,)
    reach: np.ndarray  # r_i, float32, (n,)


class Nearby(NamedTuple):
    """What is known of the rows of one chunk, and what each candidate would make of it."""

    squares: np.ndarray  # D_i, (n,), dtype of X
    live: np.ndarray  # the rows that (1) leaves open, first, uint32, (n,)
    nearer: np.ndarray  # D of these, with one candidate more, (n_candidates, n)


@kernel
def write_sketch(X, middle, step, unit, sketch):
    """Write the sketch of the rows of X; `middle` and `step`, (d,), are in units of X."""
    size, outward = int(TILE), np.float32(1.0 + 1e-6)
    for i in range(X.shape[0]):
        codes, place = sketch.codes[i // size], i % size
        norm, error = 0.0, 0.0
        for f in range(X.shape[1]):
            x = np.float64(X[i, f]) - middle[f]
            code = np.floor(x / step[f] + 0.5) if step[f] > 0.0 else 0.0
            s = code * step[f]
            codes[f * size + place] = np.int16(code)
            norm += (s / unit) * (s / unit)
            error += ((x - s) / unit) * ((x - s) / unit)
        sketch.norms[i] = norm
        sketch.slack[i] = np.sqrt(error) * outward + 1e-12


@kernel
def reach(square, norm, slack, margin):
    """Return r_i of (2), widened by what may be lost to rounding; `square` is D_i in units."""
    far = np.sqrt(square * (1.0 + margin)) + slack
    return (far * far * (1.0 + margin) - norm * (1.0 - margin)) / 2.0


@kernel
def unpack(codes, columns):
    """Write the codes of a tile as the numbers they are."""
    for e in range(U(codes.shape[0])):
        columns[e] = codes[e]


@kernel
def lowest_score(tile, centers, width):
    """Write min_j (|c_j|^2 / 2 - <s_i, c_j>) for the rows in the tile into `tile.lowest`."""
    lowest, p = tile.lowest, tile.products
    for i in range(width):
        lowest[i] = np.inf
    for first in range(U(0), U(centers.points.shape[0]), U(BLOCK)):
        multiply(tile, centers.points, centers.half_norms, first, width)
        for m in range(U(BLOCK)):
            start = m * TILE
            for i in range(width):
                lowest[i] = p[start + i] if p[start + i] < lowest[i] else lowest[i]


@kernel
def sift(sketch, coarse, weights, nearby):
    """List in `nearby.live` the rows that (1) leaves open.

    Returns
    -------
    n_live : int
    rest : float, the weighted sum of D_i over the other rows
    """
    tile, n = new_tile(coarse.points), nearby.squares.shape[0]
    live, squares, n_live, rest = nearby.live, nearby.squares, 0, 0.0
    for first in range(0, n, int(TILE)):
        width = min(int(TILE), n - first)
        unpack(sketch.codes[first // int(TILE)], tile.columns)
        lowest_score(tile, coarse, U(width))
        for t in range(width):
            i = first + t
            is_safe = tile.lowest[t] >= sketch.reach[i]
            live[n_live] = i
            n_live += 0 if is_safe else 1
            if is_safe:
                rest += np.float64(squares[i]) * (np.float64(weights[i]) if len(weights) else 1.0)
    return n_live, rest


@kernel
def compare(X, weights, fine, n_live, nearby, potentials):
    """Write min(D_i, |x_i - c_m|^2) of the rows listed into `nearby.nearer`.

    Parameters
    ----------
    potentials : float64 array of shape (n_candidates,), increased by the weighted sums
    """
    tile, squares = new_tile(fine.points), nearby.squares
    for first in range(0, n_live, int(TILE)):
        rows = nearby.live[first : min(first + int(TILE), n_live)]
        fill(tile, X, rows, fine.origin)
        for m in range(potentials.shape[0]):
            if m % BLOCK == 0:
                add_squares(tile, fine.points, U(m), U(rows.shape[0]))
            start, out, total = m % BLOCK * int(TILE), nearby.nearer[m], 0.0
            for t in range(rows.shape[0]):
                i, square = rows[t], tile.products[start + t]
                square = square if square < squares[i] else squares[i]
                out[first + t] = square
                total += np.float64(square) * (np.float64(weights[i]) if len(weights) else 1.0)
            potentials[m] += total


@kernel
def approach(X, weights, sketch, coarse, fine, nearby, potentials):
    """For each candidate find what it would make of D, and the sums; return n_live."""
    n_live, rest = sift(sketch, coarse, weights, nearby)
    for m in range(potentials.shape[0]):
        potentials[m] += rest
    compare(X, weights, fine, n_live, nearby, potentials)
    return n_live


@kernel
def accept(sketch, nearby, best, n_live, unit, margin):
    """Let the candidate `best` be a centre: set D_i and r_i of the rows that come nearer to it."""
    for t in range(n_live):
        i, square = nearby.live[t], nearby.nearer[best, t]
        if square < nearby.squares[i]:
            nearby.squares[i] = square
            scaled = np.float64(square) / unit / unit
            sketch.reach[i] = reach(scaled, sketch.norms[i], sketch.slack[i], margin)


class SketchedPotential:
    """D_i of the rows of an array, by way of their sketch; as `seeding.Potential`."""

    def __init__(self, rows, n_trials, box):
        n, d = rows.shape
        low, high = box
        self.rows, self.slices = rows, rows.slices()
        self.middle = low / 2 + high / 2
        self.step = (high - low) / 2 / STEPS
        self.unit = float(np.sqrt(np.sum((self.step * STEPS) ** 2)))
        eps = float(np.finfo(np.float32).eps)
        self.margin = 2.0 * (d + 8) * eps
        self.squares = np.full(n, np.inf, rows.dtype)
        self.nearer = np.empty((n_trials, n), rows.dtype)
        self.live = np.empty(n, np.uint32)
        self.counts = np.zeros(len(self.slices), np.int64)
        self.sketches = [None] * len(self.slices)
        self.each_chunk(self.begin)

    def each_chunk(self, part):
        """Call part(number, rows) for all chunks."""
        reduce_blocks(
            lambda block: part(*block), list(enumerate(self.slices)), lambda total, part: None
        )

    def begin(self, number, rows):
        """Make the sketch of a chunk."""
        n, d = rows.stop - rows.start, self.rows.shape[1]
        codes = np.zeros((-(-n // int(TILE)), d * int(TILE)), np.int16)
        room = np.empty((2, n), np.float32)
        sketch = Sketch(codes, *room, np.full(n, np.inf, np.float32))
        write_sketch(self.rows.part(rows)[0], self.middle, self.step, self.unit, sketch)
        self.sketches[number] = sketch

    def nearby(self, rows):
        """Return what is known of a chunk."""
        return Nearby(self.squares[rows], self.live[rows], self.nearer[:, rows])

    def offer(self, candidates):
        """Return the potential with each candidate, in each chunk, float64 (n_chunks, m)."""
        points = candidates.astype(np.float64)
        fine = prepare(points, np.zeros(points.shape[1], self.rows.dtype))
        coarse = self.coarse(points)
        potentials = np.zeros((len(self.slices), len(points)))

        def part(number, rows):
            X, weights = self.rows.part(rows)
            self.counts[number] = approach(
                X,
                weights,
                self.sketches[number],
                coarse,
                fine,
                self.nearby(rows),
                potentials[number],
            )

        self.each_chunk(part)
        return potentials

    def coarse(self, points):
        """Return the candidates as factors of the codes, their |c|^2 / 2 lowered for rounding."""
        scaled = (points - self.middle) / self.unit
        centers = prepare(scaled * (self.step / self.unit), np.zeros(points.shape[1], np.float32))
        half_norms = centers.half_norms.copy()
        squares = np.einsum("jf,jf->j", scaled, scaled)
        half_norms[: len(points)] = squares / 2 * (1 - self.margin)
        return Centers(centers.points, half_norms, centers.origin)

    def accept(self, best):
        """Make one of the candidates offered last a centre."""
        for number, rows in enumerate(self.slices):
            nearby = self.nearby(rows)
            n_live = self.counts[number]
            accept(self.sketches[number], nearby, best, n_live, self.unit, self.margin)


def box_of(rows):
    """Return the least and the largest value of each feature, float64."""

    def part(chunk):
        X, _ = rows.part(chunk)
        return X.min(axis=0), X.max(axis=0)

    def merge(a, b):
        return np.minimum(a[0], b[0]), np.maximum(a[1], b[1])

    low, high = over(part, rows.slices(), merge)
    return low.astype(np.float64), high.astype(np.float64)
