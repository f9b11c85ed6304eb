"""Quantile regression as weighted absolute deviations, of few rows at a time.

Problem     min over b_0, b of  sum_i w_i rho(y_i - b_0 - <b, x_i>) + c |b|_1,                 (1)
            rho(r) = q r where r > 0, (q - 1) r elsewhere: rows (1, x_i) with slopes w_i (q - 1)
            and w_i q, and for each |b_j| a row e_j with slopes -c and c; b = 0 is a vertex.
Far rows    As long as a residual keeps its sign, a row adds to (1) what is linear in b: all such
            rows together are one vector, their pull. So guess the signs, solve (1) over the rows
            whose residuals are near 0, and see whether all others have the sign that was guessed.
            Those that have not are near, after all; with them it is solved again.
Guess       From the solution for every 4th row, found in the same way. It is off by about as much
            as (k / n)^(1/2) of the residuals are small, k = p + 1: NEAR (k n)^(1/2) rows are near.
Cost        Three passes over X, and vertex descent over the rows that are near.
Reference   S. Portnoy, R. Koenker, The Gaussian hare and the Laplacian tortoise, Statistical
            Science, 1997, section 5.
"""

from typing import NamedTuple

import numpy as np
from scipy.sparse import issparse

from skcourse.core.chunks import sum_over_chunks
from skcourse.linear_model.base import linear_map
from skcourse.linear_model.vertex_descent import OPTIMAL, UNBOUNDED, Rows, Totals, optimal_vertex

NEAR = 5.0
STRIDE = 4
FEW = 60  # rows per unknown, up to which all are near
SPAN = 1000  # units of columns are brought near 1 from 2^-SPAN .. 2^SPAN
LOOKED_AT = 255  # rows that tell where the middle of a column lies


class Quantile(NamedTuple):
    """A problem (1)."""

    X: np.ndarray  # (n, p), or a CSR matrix
    y: np.ndarray  # float64, (n,)
    weights: np.ndarray  # w, positive, of mean 1, (n,)
    quantile: float  # q
    alpha: float  # c over the sum of the weights
    fit_intercept: bool


class Frame(NamedTuple):
    """Coordinates in which columns have their middle at 0 and lengths near 1."""

    origin: np.ndarray  # (p,)
    scale: np.ndarray  # powers of 2, (p,)
    first: int  # how many columns come before those of X: 1 for the intercept

    def rows(self, X, index):
        """Return rows of X in the frame, (len(index), k), float64."""
        block = X[index]
        block = block.toarray() if issparse(block) else np.asarray(block)
        A = np.ones((len(block), self.first + X.shape[1]))
        A[:, self.first :] = (block - self.origin) / self.scale
        return A

    def outside(self, coef):
        """Return b and b_0 for the columns of X as they are."""
        b = coef[self.first :] / self.scale
        return b, (coef[0] - b @ self.origin if self.first else 0.0)

    def sums(self, X, d, w):
        """Return the sums of d_i a_i, w_i a_i and w_i |a_i| over all rows a_i in the frame."""
        size = abs if issparse(X) else np.abs

        def part(rows):
            block = X[rows] if issparse(X) else np.asarray(X[rows])
            both = np.stack([d[rows], w[rows]])
            return both @ block, both.sum(axis=1), w[rows] @ size(block)

        sums, total, sizes = sum_over_chunks(part, len(d), row_bytes=X.dtype.itemsize * X.shape[1])
        inner = (sums - np.outer(total, self.origin)) / self.scale
        sizes = (sizes + total[1] * np.abs(self.origin)) / self.scale
        if self.first:
            inner, sizes = np.column_stack([total, inner]), np.append(total[1], sizes)
        return inner[0], inner[1], sizes


def frame_of(problem):
    """Look at some rows of X for the middle and the spread of its columns."""
    index = np.linspace(0, len(problem.y) - 1, LOOKED_AT).astype(np.intp)
    block = problem.X[index]
    block = block.toarray() if issparse(block) else np.asarray(block)
    block = block.astype(np.float64)
    origin = np.zeros(block.shape[1])
    if problem.fit_intercept:  # a value of the column: 0 remains of one that is constant
        origin = np.partition(block, LOOKED_AT // 2, axis=0)[LOOKED_AT // 2]
    spread = np.abs(block - origin).mean(axis=0)
    scale = np.exp2(np.round(np.log2(np.where(spread > 0, spread, 1.0)).clip(-SPAN, SPAN)))
    return Frame(origin, scale, int(problem.fit_intercept))


def penalty_rows(problem, frame):
    """Return the slopes h of the rows e_j: 0 for the intercept."""
    c = problem.alpha * problem.weights.sum() / frame.scale
    return np.concatenate([np.zeros(frame.first), c])


def with_penalties(problem, frame, A, index):
    """Return the rows `index`, which are A in the frame, and those of the penalties below them."""
    c = penalty_rows(problem, frame)
    k, w = len(c), problem.weights[index]
    lean = w if problem.quantile <= 0.5 else -w  # of several optima, towards the median
    none = np.zeros(k)
    return Rows(
        np.concatenate([A, np.eye(k)]),
        np.concatenate([problem.y[index], none]),
        np.concatenate([w * (problem.quantile - 1.0), -c]),
        np.concatenate([w * problem.quantile, c]),
        np.concatenate([lean, none]),
    )


class Solution(NamedTuple):
    """An optimum of (1)."""

    basis: np.ndarray  # rows with residual 0; from n on, the k penalties
    coef: np.ndarray  # (b_0, b) in the frame, 0 where a penalty is in the basis
    n_edges: int


def solution_of(basis, coef, n_edges, n):
    """Return a solution without the rounding errors in coefficients that are 0."""
    coef[basis[basis >= n] - n] = 0.0
    return Solution(basis, coef, n_edges)


def solve_all(problem, frame):
    """Return the optimum of (1), all rows taking part from b = 0; None if it is not reached."""
    index = np.arange(len(problem.y))
    rows = with_penalties(problem, frame, frame.rows(problem.X, index), index)
    n, k = len(index), rows.A.shape[1]
    widths = rows.high - rows.low
    totals = Totals(np.zeros(k), rows.lean @ rows.A, widths @ np.abs(rows.A))
    sides = np.ones(n + k, np.int8)
    vertex, n_edges, status = optimal_vertex(rows, np.arange(n, n + k), sides, totals)
    return solution_of(vertex.basis, vertex.coef, n_edges, n) if status == OPTIMAL else None


class Far:
    """Which rows are taken for far from the optimum, and their pull.

    Parameters
    ----------
    problem : Quantile
    frame : Frame
    residuals : array of shape (n,), at a guess
    """

    def __init__(self, problem, frame, residuals):
        self.problem, self.frame = problem, frame
        q, w = problem.quantile, problem.weights
        self.signs = np.where(residuals > 0, 1, -1).astype(np.int8)
        self.d = np.where(residuals > 0, w * q, w * (q - 1))
        self.far = np.ones(len(w), bool)
        self.pull, lean, self.size = frame.sums(problem.X, self.d, w)
        self.lean = lean if q <= 0.5 else -lean

    def admit(self, rows):
        """Let the rows take part: integers, some of which may do so already."""
        new = rows[self.far[rows]]
        self.far[new] = False
        self.pull -= self.d[new] @ self.frame.rows(self.problem.X, new)

    def solve(self, basis):
        """Return the optimum as if the far rows kept their signs: basis, coef, n_edges, status."""
        problem, n, k = self.problem, len(self.far), len(basis)
        index = np.flatnonzero(~self.far)
        rows = with_penalties(problem, self.frame, self.frame.rows(problem.X, index), index)
        place = np.where(basis < n, np.searchsorted(index, basis), basis - n + len(index))
        sides = np.concatenate([self.signs[index], np.ones(k, np.int8)])
        totals = Totals(self.pull, self.lean, self.size)
        vertex, n_edges, status = optimal_vertex(rows, place, sides, totals)
        inside = vertex.basis < len(index)
        basis = vertex.basis - len(index) + n
        basis[inside] = index[vertex.basis[inside]]
        self.signs[index] = vertex.side[: len(index)]
        return basis, vertex.coef, n_edges, status


def solve_near(problem, frame, start):
    """Return the optimum of (1) from a guess, by the rows near it; None if it is not reached."""
    n = len(problem.y)
    residuals = residuals_at(problem, frame, start.coef)
    far = Far(problem, frame, residuals)
    n_near = min(n, int(NEAR * np.sqrt(len(start.basis) * n)))
    far.admit(nearest(residuals, n_near))
    far.admit(start.basis[start.basis < n])
    basis, n_edges = start.basis, start.n_edges
    while True:
        basis, coef, n_more, status = far.solve(basis)
        n_edges += n_more
        residuals = residuals_at(problem, frame, coef)
        wrong = np.flatnonzero(far.far & (far.signs * residuals < 0))
        if status == UNBOUNDED and n_near < n:
            n_near = min(n, 2 * n_near)
            wrong = np.union1d(wrong, nearest(residuals, n_near))
        elif status != OPTIMAL:
            return None
        elif not len(wrong):
            return solution_of(basis, coef, n_edges, n)
        far.admit(wrong)


def nearest(residuals, n_near):
    """Return the numbers of the `n_near` least residuals."""
    if n_near >= len(residuals):
        return np.arange(len(residuals))
    return np.argpartition(np.abs(residuals), n_near)[:n_near]


def residuals_at(problem, frame, coef):
    """Return y_i - b_0 - <b, x_i>, of shape (n,)."""
    b, intercept = frame.outside(coef)
    return problem.y - linear_map(problem.X, b, intercept)


def strides(n, k):
    """List the steps through the rows, from coarse to 1.

    >>> strides(100_000, 10)
    [64, 16, 4, 1]
    """
    steps = [1]
    while n // steps[0] > FEW * k * STRIDE:
        steps.insert(0, STRIDE * steps[0])
    return steps


def solve(problem):
    """Solve (1): first for every 4^m-th row, then for more of them, at last for all.

    Parameters
    ----------
    problem : Quantile

    Returns
    -------
    coef : array of shape (p,), intercept : float, n_edges : int; None where rounding prevents it
    """
    frame, solution, before = frame_of(problem), None, 0
    for stride in strides(len(problem.y), problem.X.shape[1] + 1):
        part = slice(None, None, stride)
        X, y, weights = problem.X[part], problem.y[part], problem.weights[part]
        level = problem._replace(X=X, y=y, weights=weights)
        if solution is None:
            solution = solve_all(level, frame)
        else:
            basis = solution.basis
            basis = np.where(basis < before, basis * STRIDE, basis - before + len(y))
            solution = solve_near(level, frame, solution._replace(basis=basis))
        if solution is None:
            return None
        before = len(y)
    return (*frame.outside(solution.coef), solution.n_edges)
