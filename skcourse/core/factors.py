"""Triangular factors of rows, in one pass: what `moments` gives, with the condition not squared.

Problem     For rows z_i = (x_i, y_i) of weight w_i find R with R'R = S, their scatter about the
            mean, without ever forming S. The rows of R for x are enough for least squares:
            min_b |R_x b - R_xy|^2 is the same b as that of all rows.
Iteration   A chunk is centred at its own mean and factored by Householder's QR, in cache. Two
            sets of rows, a and b, make one, with the means as in `moments`, since
                S = S_a + S_b + d d' W_a W_b / W   is   R'R for the triangle R of
                [R_a; R_b; (W_a W_b / W)^(1/2) d']                                     (1)
Cost        2 n p^2 products, four times those of `moments`.
Reference   J. Demmel, L. Grigori, M. Hoemmen, J. Langou, Communication-optimal parallel and
            sequential QR and LU factorizations, SIAM J. Sci. Comput., 2012.
"""

from typing import NamedTuple

import numpy as np

from skcourse.core.chunks import chunk_slices, reduce_blocks
from skcourse.core.linalg import triangle
from skcourse.core.moments import centred_rows, merged_means, quiet

EPS = np.finfo(np.float64).eps


class Factor(NamedTuple):
    """Of rows z = (x, y) side by side; all float64."""

    weight: float  # W, the number of rows if they have no weights
    mean: np.ndarray  # m, (p + t,)
    rest: np.ndarray  # of m, below its last digit, (p + t,)
    R: np.ndarray  # R_x and R_xy side by side, (at most p, p + t)
    n_rows: int
    p: int

    @property
    def sides(self):
        """R_x without its constant columns, which hold the rounding of a mean, and R_xy."""
        Rx, Rxy = self.R[:, : self.p], self.R[:, self.p :]
        noise = np.sqrt(self.weight) * EPS * np.abs(self.mean[: self.p])
        return np.where(np.abs(Rx).max(axis=0) > noise, Rx, 0.0), Rxy


@quiet
def factor_of(parts, weights, *, centre=True):
    """Return the factor of one chunk; `parts` are X and perhaps Y, both 2-d, of the same rows."""
    rows, total, mean, rest = centred_rows(parts, weights, centre=centre)
    rows -= np.outer(np.sqrt(weights), rest) if len(weights) else rest
    p = parts[0].shape[1]
    return Factor(total, mean, rest, triangle(rows)[:p], len(rows), p)


@quiet
def merge(a, b):
    """Return the factor of the rows of `a` and of `b` together, by (1)."""
    n_rows = a.n_rows + b.n_rows
    if a.weight == 0 or b.weight == 0:
        return (b if a.weight == 0 else a)._replace(n_rows=n_rows)
    d, mean, rest = merged_means(a, b)
    root = np.sqrt(a.weight * (b.weight / (a.weight + b.weight)))
    R = triangle(np.vstack([a.R, b.R, root * d]))[: a.p]
    return Factor(a.weight + b.weight, mean, rest, R, n_rows, a.p)


def factor(X, Y=None, weights=None, *, centre=True, n_jobs=-1):
    """Return the factor of the rows of X, or of X and Y side by side, read chunk by chunk.

    Parameters
    ----------
    X : array of shape (n, p), float32 or float64, C-contiguous; a memmap is read once, in order
    Y : array of shape (n, t) or None, any float
    weights : array of shape (n,) or None, not negative
    centre : bool, default=True
        False: the mean stays 0, and R'R is the scatter about the origin.
    n_jobs : int or None, default=-1

    Returns
    -------
    factor : Factor, whose bits depend on the data only
    """
    none = np.empty(0)
    width = X.shape[1] + (0 if Y is None else Y.shape[1])

    def part(rows):
        parts = [np.asarray(X[rows])] if Y is None else [np.asarray(X[rows]), np.asarray(Y[rows])]
        return factor_of(parts, none if weights is None else weights[rows], centre=centre)

    slices = chunk_slices(len(X), 8 * width, min_rows=16 * width)
    return reduce_blocks(part, slices, merge, n_jobs=n_jobs)
