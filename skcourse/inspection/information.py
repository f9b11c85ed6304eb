"""The information in rows about the coefficients of a linear predictor, by its root.

Problem     For rows z_i = (1, x_i) of weight v_i >= 0 find L with
                L L' = A^-1,   A = sum_i v_i z_i z_i'                                           (1)
            About the mean m of the x_i, with V = sum v_i and S = R'R their scatter, A falls apart,
            and what it is about becomes q_i with sum_i v_i q_i q_i' = 1:
                q_i = L'z_i = (V^(-1/2), R^-T (x_i - m))                                        (2)
                b_0 = V^(-1/2) q_0 - m'R^-1 q,   b = R^-1 q   are the rows of L                 (3)
            Sums of q_i, unlike those of z_i, do not mind how X is scaled, or how far from 0 it is.
Routes      R is Cholesky's factor of the scatter, if its certificate says that it is good; else the
            triangle of a QR of the rows, whose condition is not squared.
Rank        An entry x is known to u|x|. With columns scaled to length 1 this shifts a singular
            value by |t| at most, t_j = u (sum_i v_i x_ij^2 / S_jj)^(1/2); X lacks rank if it has
            one below that: it differs from a matrix that does by less than its own rounding.
Cost        n p^2 products in one pass over the rows.
"""

from typing import NamedTuple

import numpy as np
from scipy.linalg import solve_triangular

from skcourse.core.chunks import sum_over_chunks
from skcourse.core.factors import factor
from skcourse.core.linalg import cholesky
from skcourse.core.moments import moments

CERTIFIED = 1e6  # condition of the scatter up to which a root from it has ten digits
HUGE = 1e150  # its square is a number, and so is the sum of many
EPS = np.finfo(np.float64).eps
SHARE = 0.1  # of a direction of length 1 that a column must have to be named


class Root(NamedTuple):
    """L of (1)."""

    mean: np.ndarray  # m, (p,); 0 without an intercept
    inverse: np.ndarray  # R^-1, (p, p), upper triangular
    first: float | None  # V^(-1/2); None without an intercept

    @property
    def matrix(self):
        """L, (k, k); the intercept, if there is one, comes first."""
        if self.first is None:
            return self.inverse
        p = len(self.mean)
        L = np.zeros((p + 1, p + 1))
        L[0, 0], L[0, 1:], L[1:, 1:] = self.first, -self.mean @ self.inverse, self.inverse
        return L

    def whitened(self, x):
        """Return the q_i of (2) for a chunk of rows, (n, k)."""
        q = (x - self.mean) @ self.inverse
        if self.first is None:
            return q
        return np.column_stack([np.full(len(x), self.first), q])


class RankDeficient(ValueError):
    """X lacks rank; `columns` are those that depend on each other."""

    def __init__(self, columns):
        super().__init__(columns)
        self.columns = columns


def root(X, weights, *, intercept):
    """Return L of (1) for all rows.

    Parameters
    ----------
    X : array of shape (n, p), finite, or DenseChunks
    weights : array of shape (n,) or None, the v_i
    intercept : bool

    Raises
    ------
    RankDeficient
    """
    unit = np.finfo(X.dtype).eps
    m = moments(X, None, weights, centre=intercept)
    R = certified(m, unit)
    if R is None:
        m = factor(X, None, weights, centre=intercept)
        R = np.zeros((m.p, m.p))
        R[: len(m.R)] = m.R
        check_size(np.abs(R).max(axis=0))
        columns = dependent(R, m.weight, m.mean, unit)
        if len(columns):
            raise RankDeficient(columns)
    inverse = solve_triangular(R, np.eye(len(R)))
    return Root(m.mean, inverse, m.weight**-0.5 if intercept else None)


def check_size(sizes):
    """Refuse columns whose squares are no numbers of float64."""
    if not np.all((sizes < HUGE) & ((sizes > 1 / HUGE) | (sizes == 0))):
        raise ValueError("Columns of X are too large, or too small, to be squared: scale them.")


def certified(m, unit):
    """Return R from the scatter of moments m, or None where another route knows it better."""
    R = cholesky(m.scatter)
    if R is None or R.condition > CERTIFIED:
        return None
    lengths = np.sqrt(np.diagonal(m.scatter))
    shift = np.linalg.norm(shifts(lengths, m.weight, m.mean, unit))
    return R.R if np.square(shift) * CERTIFIED < 1 else None


def shifts(lengths, weight, mean, unit):
    """Return t of the module's text: what rounding does to columns of `lengths`, as parts of it."""
    return unit * np.hypot(lengths, np.sqrt(weight) * mean) / lengths


def dependent(R, weight, mean, unit):
    """Return the columns that depend on each other, from R of a QR; none if X has full rank."""
    lengths = np.linalg.norm(R, axis=0)
    constant = lengths <= unit * np.hypot(lengths, np.sqrt(weight) * mean)
    if constant.any():
        return np.flatnonzero(constant)[:1]
    _, s, Vt = np.linalg.svd(R / lengths)
    if s[-1] > np.linalg.norm(shifts(lengths, weight, mean, unit)) + len(R) * EPS:
        return np.array([], np.intp)
    return np.flatnonzero(np.abs(Vt[-1]) > SHARE)


def score(X, scores, weights, L):
    """Return L' sum_i w_i u_i z_i, (k, t): the score, in the coordinates of (2).

    Parameters
    ----------
    X : array of shape (n, p), or DenseChunks
    scores : array of shape (n, t), the u_i
    weights : array of shape (n,) or None
    L : Root
    """

    def part(rows):
        u = scores[rows] if weights is None else scores[rows] * weights[rows, np.newaxis]
        return (np.asarray(X[rows]) - L.mean).T @ u, u.sum(axis=0)

    along, alone = sum_over_chunks(part, len(X), row_bytes=8 * X.shape[1])
    along = L.inverse.T @ along
    return along if L.first is None else np.vstack([L.first * alone, along])


def scatter_of_scores(X, scores, weights, L, curvatures=None, exponent=0.0):
    """Return sum_i w_i s_i s_i' of s_i = u_i q_i / (1 - h_i)^exponent, and how many h_i are 1.

    Parameters
    ----------
    X : array of shape (n, p), or DenseChunks
    scores : array of shape (n, t), the u_i
    weights : array of shape (n,) or None, the w_i: how many rows a row stands for
    L : Root
    curvatures : array of shape (n,) or None for ones, the f_i of h_i = f_i |q_i|^2
    exponent : 0, 1/2 or 1

    Returns
    -------
    M : array of shape (t k, t k), by outcome and then by coefficient
    n_fixed : int, rows that alone decide what is fitted to them
    """
    n, t = scores.shape
    k = len(L.matrix)

    def part(rows):
        q = L.whitened(np.asarray(X[rows]))
        u, n_fixed = scores[rows], 0
        if exponent:
            hat = np.einsum("ij,ij->i", q, q)
            free = 1.0 - (hat if curvatures is None else hat * curvatures[rows])
            fixed = free <= 1e3 * k * EPS  # 0, up to the rounding of h
            n_fixed = int(fixed.sum())
            free[fixed] = 1.0
            u = u / (free**exponent)[:, np.newaxis]
        if weights is not None:
            u = u * np.sqrt(weights[rows])[:, np.newaxis]
        s = (u[:, :, np.newaxis] * q[:, np.newaxis, :]).reshape(len(q), t * k)
        return s.T @ s, n_fixed

    return sum_over_chunks(part, n, row_bytes=8 * t * k, min_rows=4 * t * k)
