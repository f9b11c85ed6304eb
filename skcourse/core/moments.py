"""Weighted means and scatter matrices of rows, in one pass, without cancellation.

Problem     For rows z_i = (x_i, y_i) of weight w_i, W = sum w_i, find the mean and the scatter
                m = sum w_i z_i / W,   S = sum w_i (z_i - m)(z_i - m)'
Iteration   A chunk is centred at its own mean, in cache; two sets of rows, a and b, make one:
                d = m_b - m_a
                m = m_a + d W_b / W                                               (1)
                S = S_a + S_b + d d' W_a W_b / W                                  (2)
            A mean of 1e8 is stored to 1e-8 only; what is left over is kept beside it, so that d
            is exact however far from the origin the rows lie.
Cost        n p^2 / 2 products, in BLAS. The rows are read once and never copied whole.
Reference   T. Chan, G. Golub, R. LeVeque, Algorithms for computing the sample variance,
            The American Statistician, 1983.
"""

from typing import NamedTuple

import numpy as np

from skcourse.core.chunks import chunk_slices, reduce_blocks
from skcourse.core.kernel import kernel

MANY = 16  # targets up to which one symmetric product is quicker than two products

quiet = np.errstate(over="ignore", invalid="ignore")  # the sums tell of NaN and infinity


class Moments(NamedTuple):
    """Of rows z = (x, y) side by side; all float64."""

    weight: float  # W, the number of rows if they have no weights
    mean: np.ndarray  # m, (p + t,)
    scatter: (
        np.ndarray
    )  # the rows of S for x, (p, p + t); its diagonal, (p,), if that was asked for
    n_rows: int
    rest: np.ndarray | float = 0.0  # of m, below its last digit, (p + t,)


@kernel
def weighted_sums(X, weights, sums):
    """Add w_i x_i to `sums`, (p,); return sum w_i. An array of length 0 means weights of 1."""
    total, alone = 0.0, np.float64(0.0)  # as Python, 0.0 + a float32 would be one too
    if X.shape[1] == 1:  # in a register, which a loop over f would not find
        for i in range(X.shape[0]):
            w = weights[i] if len(weights) else 1.0
            total += w
            alone += w * X[i, 0]
        sums[0] += alone
        return total
    for i in range(X.shape[0]):
        w = weights[i] if len(weights) else 1.0
        total += w
        for f in range(X.shape[1]):
            sums[f] += w * X[i, f]
    return total


@kernel
def centred(X, mean, weights, first, out, sums):
    """Write sqrt(w_i) (x_i - m) into the columns of `out`, (n, p + t) float64, from `first` on.

    Add w_i (x_i - m) to `sums`, (p,): 0 but for the rounding of m.
    """
    if X.shape[1] == 1:
        alone = np.float64(0.0)
        for i in range(X.shape[0]):
            root = np.sqrt(weights[i]) if len(weights) else 1.0
            z = root * (X[i, 0] - mean[0])
            out[i, first] = z
            alone += root * z
        sums[0] += alone
        return
    for i in range(X.shape[0]):
        root = np.sqrt(weights[i]) if len(weights) else 1.0
        for f in range(X.shape[1]):
            z = root * (X[i, f] - mean[f])
            out[i, first + f] = z
            sums[f] += root * z


def centred_rows(parts, weights, *, centre=True, out=None, dtype=np.float64):
    """Return sqrt(w_i) (z_i - m) of one chunk, and its W, m and the rest of m.

    The rows are written to `out`, which may be a part itself, or to a new array of `dtype`.
    """
    width = sum(part.shape[1] for part in parts)
    mean, rest = np.zeros(width), np.zeros(width)
    total, first = 0.0, 0
    rows = np.empty((len(parts[0]), width), dtype) if out is None else out
    for part in parts:
        columns = slice(first, first + part.shape[1])
        total = weighted_sums(part, weights, mean[columns])
        mean[columns] *= (1.0 / total if total > 0 else 0.0) if centre else 0.0
        centred(part, mean[columns], weights, first, rows, rest[columns])
        first += part.shape[1]
    rest *= (1.0 / total if total > 0 else 0.0) if centre else 0.0
    return rows, total, mean, rest


def products(rows, p):
    """Return x'z of rows z = (x, y), (p, p + t); y'y, which nobody needs, only if it is small."""
    width = rows.shape[1]
    if width - p <= MANY:
        return (rows.T @ rows)[:p]
    out = np.empty((p, width), rows.dtype)
    x = rows[:, :p]
    out[:, :p], out[:, p:] = x.T @ x, x.T @ rows[:, p:]
    return out


@quiet
def moments_of(parts, weights, *, centre=True, dtype=np.float64, diagonal=False):
    """Return the moments of one chunk; `parts` are X and perhaps Y, both 2-d, of the same rows."""
    rows, total, mean, rest = centred_rows(parts, weights, centre=centre, dtype=dtype)
    if diagonal:
        scatter = np.einsum("ij,ij->j", rows, rows, dtype=np.float64)
        scatter -= total * rest**2
    else:
        scatter = products(rows, parts[0].shape[1]).astype(np.float64, copy=False)
        scatter -= np.outer(total * rest[: len(scatter)], rest)
    nearest = mean + rest
    return Moments(total, nearest, scatter, len(rows), (mean - nearest) + rest)


def merged_means(a, b):
    """Return d, and m by (1) as a number and its rest, of two that have weights, means, rests."""
    d = (b.mean - a.mean) + (b.rest - a.rest)
    step = a.rest + d * (b.weight / (a.weight + b.weight))
    mean = a.mean + step
    return d, mean, (a.mean - mean) + step


@quiet
def merge(a, b):
    """Return the moments of the rows of `a` and of `b` together, by (1) and (2); `a` is used up."""
    weight = a.weight + b.weight
    if weight == 0:
        return a._replace(n_rows=a.n_rows + b.n_rows)
    d, mean, rest = merged_means(a, b)
    scatter = a.scatter
    scatter += b.scatter
    along = d[: len(scatter)] * (a.weight * b.weight / weight)
    scatter += along * d if scatter.ndim == 1 else np.outer(along, d)
    return Moments(weight, mean, scatter, a.n_rows + b.n_rows, rest)


def moments(X, Y=None, weights=None, *, centre=True, dtype=np.float64, diagonal=False, n_jobs=-1):
    """Return the moments of the rows of X, or of X and Y side by side, read chunk by chunk.

    Parameters
    ----------
    X : array of shape (n, p), float32 or float64, C-contiguous; a memmap is read once, in order
    Y : array of shape (n, t) or None, any float
    weights : array of shape (n,) or None, not negative
    centre : bool, default=True
        False: the mean stays 0 and the scatter is that about the origin.
    dtype : float64 or float32, default=float64
        Of the products within a chunk. float32 takes half the time; an entry of the scatter is
        then wrong by some 1e-6 of the spread of its two columns. Means, and the sum over the
        chunks, are float64 all the same.
    diagonal : bool, default=False
        Only the diagonal of the scatter, for X alone: d products a row, not d^2 / 2.
    n_jobs : int or None, default=-1

    Returns
    -------
    moments : Moments, whose bits depend on the data only
    """
    none = np.empty(0)
    width = X.shape[1] + (0 if Y is None else Y.shape[1])

    def part(rows):
        parts = [np.asarray(X[rows])] if Y is None else [np.asarray(X[rows]), np.asarray(Y[rows])]
        w = none if weights is None else weights[rows]
        return moments_of(parts, w, centre=centre, dtype=dtype, diagonal=diagonal)

    slices = chunk_slices(len(X), 8 * width, min_rows=256 if diagonal else 4 * width)
    return reduce_blocks(part, slices, merge, n_jobs=n_jobs)
