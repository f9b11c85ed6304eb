"""The empirical risk of a linear prediction, for any loss: value, gradient, Hessian.

Problem     R(w, b) = sum_i s_i l(y_i, z_i) / sum_i s_i,   z_i = <x_i, w> + b                  (1)
Slopes      With g_i = s_i dl/dz and h_i = s_i d2l/dz2 at z_i, over the sum of the weights, and
            the rows lengthened by a 1 for the intercept,
                gradient  sum_i g_i x_i,   Hessian  sum_i h_i x_i x_i'.                      (2)
Cost        One pass over the rows: a tile of them gives its z, then g, then its part of the sum
            while it is still in cache. 4 n p products for the gradient, n p^2 more for a Hessian.
"""

from typing import NamedTuple

import numpy as np
from scipy.sparse import issparse

from skcourse.core.chunks import for_each_chunk, sum_over_chunks
from skcourse.core.kernel import kernel
from skcourse.core.losses import evaluate

TILE_BYTES = 2**15  # rows that stay in the first cache between their two uses
NONE = np.empty(0)


class SparseRows(NamedTuple):
    """Rows of a CSR matrix."""

    starts: np.ndarray  # (n + 1,)
    indices: np.ndarray
    data: np.ndarray


class Targets(NamedTuple):
    """What belongs to the rows of X."""

    values: np.ndarray  # y, (n,), float64
    weights: np.ndarray  # s, (n,), float64, or (0,) for ones


class Slopes(NamedTuple):
    """What is known at a point, row by row."""

    raw: np.ndarray  # z, (n,)
    first: np.ndarray  # g, (n,)
    second: np.ndarray  # h, (n,)


@kernel
def dense_products(X, theta, z):
    """z_i = <x_i, w> + b, for theta = (w, b)."""
    p = X.shape[1]
    for i in range(X.shape[0]):
        total = 0.0
        for j in range(p):
            total += X[i, j] * theta[j]
        z[i] = total + theta[p]


@kernel
def add_dense_rows(X, g, gradient):
    """gradient += sum_i g_i (x_i, 1)."""
    p = X.shape[1]
    total = 0.0
    for i in range(X.shape[0]):
        for j in range(p):
            gradient[j] += g[i] * X[i, j]
        total += g[i]
    gradient[p] += total


@kernel
def sparse_products(rows, theta, z):
    """z_i = <x_i, w> + b, for theta = (w, b)."""
    for i in range(len(z)):
        total = theta[len(theta) - 1]
        for e in range(rows.starts[i], rows.starts[i + 1]):
            total += rows.data[e] * theta[rows.indices[e]]
        z[i] = total


@kernel
def add_sparse_rows(rows, g, gradient):
    """gradient += sum_i g_i (x_i, 1)."""
    total = 0.0
    for i in range(len(g)):
        for e in range(rows.starts[i], rows.starts[i + 1]):
            gradient[rows.indices[e]] += g[i] * rows.data[e]
        total += g[i]
    gradient[len(gradient) - 1] += total


@kernel
def product_over_dense(X, h, v, z, product):
    """product += sum_i h_i <(x_i, 1), v> (x_i, 1); z, of shape (n,), is scratch."""
    n, p = X.shape
    tile = max(4, TILE_BYTES // (X.itemsize * p))
    for start in range(0, n, tile):
        stop = min(n, start + tile)
        dense_products(X[start:stop], v, z[start:stop])
        for i in range(start, stop):
            z[i] *= h[i]
        add_dense_rows(X[start:stop], z[start:stop], product)


@kernel
def product_over_sparse(rows, h, v, z, product):
    """Do the same for sparse rows."""
    sparse_products(rows, v, z)
    for i in range(len(z)):
        z[i] *= h[i]
    add_sparse_rows(rows, z, product)


@kernel
def add_dense_squares(X, h, squares):
    """squares += sum_i h_i (x_i^2, 1)."""
    p = X.shape[1]
    total = 0.0
    for i in range(X.shape[0]):
        for j in range(p):
            squares[j] += h[i] * np.float64(X[i, j]) * X[i, j]
        total += h[i]
    squares[p] += total


@kernel
def add_sparse_squares(rows, h, squares):
    """squares += sum_i h_i (x_i^2, 1)."""
    total = 0.0
    for i in range(len(h)):
        for e in range(rows.starts[i], rows.starts[i + 1]):
            squares[rows.indices[e]] += h[i] * np.float64(rows.data[e]) * rows.data[e]
        total += h[i]
    squares[len(squares) - 1] += total


@kernel
def pass_over_dense(X, targets, loss, theta, slopes, gradient):
    """Write z, g and h of the rows of X; add (2) to `gradient`; return sum_i s_i l(y_i, z_i)."""
    n, p = X.shape
    tile, total = max(4, TILE_BYTES // (X.itemsize * p)), 0.0
    for start in range(0, n, tile):
        stop = min(n, start + tile)
        dense_products(X[start:stop], theta, slopes.raw[start:stop])
        total += evaluate(
            loss,
            targets.values[start:stop],
            slopes.raw[start:stop],
            targets.weights[start:stop],
            slopes.first[start:stop],
            slopes.second[start:stop],
        )
        add_dense_rows(X[start:stop], slopes.first[start:stop], gradient)
    return total


@kernel
def pass_over_sparse(rows, targets, loss, theta, slopes, gradient):
    """Do the same for sparse rows."""
    sparse_products(rows, theta, slopes.raw)
    total = evaluate(loss, targets.values, slopes.raw, targets.weights, slopes.first, slopes.second)
    add_sparse_rows(rows, slopes.first, gradient)
    return total


class Rows:
    """The rows of a risk, cut into chunks.

    Parameters
    ----------
    X : array of shape (n, p), C-contiguous floats, or CSR matrix
    fit_intercept : bool
    n_jobs : int or None
    """

    def __init__(self, X, fit_intercept, n_jobs):
        self.X, self.fit_intercept, self.n_jobs = X, fit_intercept, n_jobs
        (self.n, self.p), self.sparse = X.shape, issparse(X)
        self.density = X.nnz / (self.n * self.p) if self.sparse else 1.0
        self.chunks = {"row_bytes": X.dtype.itemsize * self.p, "n_jobs": n_jobs}
        if self.sparse:
            per_row = X.nnz / self.n
            self.chunks["row_bytes"] = int(16 * per_row) + 16
            self.chunks["min_rows"] = int(4 * self.p / max(per_row, 1.0)) + 256

    def part(self, rows):
        """Return a chunk of X as kernels take it."""
        if not self.sparse:
            return np.asarray(self.X[rows])
        starts = self.X.indptr[rows.start : rows.stop + 1]
        return SparseRows(starts, self.X.indices, self.X.data)


class Risk(Rows):
    """(1) as a function of theta = (w_1 .. w_p, b), a float64 vector.

    Parameters
    ----------
    X : array of shape (n, p), C-contiguous floats, or CSR matrix
    y : array of shape (n,)
    loss : skcourse.core.losses.Loss
    weights : array of shape (n,), default=None
        s, not negative, of positive sum.
    fit_intercept : bool, default=True
        False keeps b at what it is: its slope is 0.
    n_jobs : int or None, default=-1
    """

    def __init__(self, X, y, loss, weights=None, *, fit_intercept=True, n_jobs=-1):
        super().__init__(X, fit_intercept, n_jobs)
        weights = NONE if weights is None else np.asarray(weights, np.float64)
        self.total = float(weights.sum()) if len(weights) else float(self.n)
        self.targets = Targets(np.ascontiguousarray(y, np.float64), weights)
        self.slopes, self.loss, self.outputs = Slopes(*np.empty((3, self.n))), loss, 1
        self.known = None  # where it was last asked, and the answer

    def raw(self, theta):
        """Return z, of shape (n,)."""
        z = np.empty(self.n)
        products = sparse_products if self.sparse else dense_products
        for_each_chunk(
            lambda rows: products(self.part(rows), theta, z[rows]), self.n, **self.chunks
        )
        return z

    def value_and_gradient(self, theta):
        """Return (1) and its gradient, (p + 1,); `slopes` then holds z, g and h of the rows."""
        if self.is_known(theta):
            return self.known[2:]
        one_pass = pass_over_sparse if self.sparse else pass_over_dense

        def part(rows):
            gradient = np.zeros(self.p + 1)
            targets = Targets(self.targets.values[rows], self.targets.weights[rows])
            slopes = Slopes(*(of_rows[rows] for of_rows in self.slopes))
            value = one_pass(self.part(rows), targets, self.loss, theta, slopes, gradient)
            return value, gradient

        value, gradient = sum_over_chunks(part, self.n, **self.chunks)
        if not self.fit_intercept:
            gradient[-1] = 0.0
        self.known = self.loss, theta.copy(), value / self.total, gradient / self.total
        return self.known[2:]

    def is_known(self, theta):
        """Tell whether it was last asked there, about the same loss."""
        known = self.known
        return known is not None and known[0] == self.loss and np.array_equal(theta, known[1])

    def least_margin(self):
        """Return the least y_i z_i where it was last asked, of rows that count: for classes."""
        margins, weights = self.targets.values * self.slopes.raw, self.targets.weights
        return margins[weights > 0].min() if len(weights) else margins.min()

    def value(self, theta):
        """Return (1)."""
        return self.value_and_gradient(theta)[0]

    def spread(self, l2):
        """Return a number, or one for each coefficient, as one for each entry of theta.

        The intercept gets 0, unless there is a number for each entry already.
        """
        penalty = np.zeros(self.p + 1)
        penalty[: np.size(l2) if np.ndim(l2) else self.p] = l2
        return penalty

    def hessian(self, step=1):
        """Return the Hessian of (2), (p + 1, p + 1), where `value_and_gradient` was last asked.

        Without an intercept its last row and column are those of the unit matrix.

        Parameters
        ----------
        step : int, default=1
            Estimate it from every `step`-th row.
        """
        curvatures = self.slopes.second
        scatter = scatter_of(self.X, curvatures, step, self.n_jobs)
        share = 1.0 if step == 1 else safe_ratio(curvatures.sum(), curvatures[::step].sum())
        scatter *= share / self.total
        if not self.fit_intercept:
            scatter[-1], scatter[:, -1], scatter[-1, -1] = 0.0, 0.0, 1.0
        return scatter

    def curvature_weights(self):
        """Return h / sum s, and zeros, (n, 1): the Hessian as `proximal_newton` takes it."""
        h = self.slopes.second[:, np.newaxis]
        return h / self.total, np.zeros_like(h)

    def curvature(self, step=1):
        """Return A and S of `metric`: here A is 1, and S the Hessian from every `step`-th row."""
        return np.ones((1, 1)), self.hessian(step)

    def curvature_diagonal(self):
        """Return A and the diagonal of S, from all rows."""
        return np.ones((1, 1)), self.hessian_diagonal()

    def hessian_product(self, v):
        """Return the Hessian at that point times v, (p + 1,), by one pass over the rows."""
        one_pass = product_over_sparse if self.sparse else product_over_dense
        v = np.array(v, np.float64)
        if not self.fit_intercept:
            v[-1] = 0.0

        def part(rows):
            product, h = np.zeros(self.p + 1), self.slopes.second[rows]
            one_pass(self.part(rows), h, v, np.empty(len(h)), product)
            return product

        product = sum_over_chunks(part, self.n, **self.chunks) / self.total
        if not self.fit_intercept:
            product[-1] = 0.0
        return product

    def hessian_diagonal(self):
        """Return the diagonal of the Hessian at that point, (p + 1,)."""
        add_squares = add_sparse_squares if self.sparse else add_dense_squares

        def part(rows):
            squares = np.zeros(self.p + 1)
            add_squares(self.part(rows), self.slopes.second[rows], squares)
            return squares

        diagonal = sum_over_chunks(part, self.n, **self.chunks) / self.total
        if not self.fit_intercept:
            diagonal[-1] = 1.0
        return diagonal


def scatter_of(X, h, step=1, n_jobs=-1, columns=None):
    """Return sum_i h_i (x_i, 1) (x_i, 1)', (p + 1, p + 1).

    Parameters
    ----------
    X : array or CSR matrix of shape (n, p)
    h : array of shape (n,)
    step : int, default=1
        Sum over every `step`-th row.
    n_jobs : int or None, default=-1
    columns : array of int, default=None
        Of the columns that it names only.
    """
    n = X.shape[0]
    p = X.shape[1] if columns is None or len(columns) == X.shape[1] else len(columns)

    def part(rows):
        some = slice(rows.start * step, min(n, rows.stop * step), step)
        weights, block = h[some], X[some]
        block = block.toarray() if issparse(X) else np.asarray(block)
        block = block if p == X.shape[1] else block[:, columns]
        scatter = np.zeros((p + 1, p + 1))
        scaled = block * np.sqrt(np.abs(weights))[:, np.newaxis]  # float64
        if np.all(weights >= 0):
            scatter[:p, :p] = scaled.T @ scaled
        else:
            scatter[:p, :p] = scaled.T @ (scaled * np.sign(weights)[:, np.newaxis])
        scatter[p, :p] = scatter[:p, p] = weights @ block
        scatter[p, p] = weights.sum()
        return scatter

    n_some = -(-n // step)
    return sum_over_chunks(part, n_some, row_bytes=8 * p, min_rows=4 * p + 256, n_jobs=n_jobs)


def safe_ratio(total, part):
    """Return total / part, or 1 if there is no part."""
    return total / part if part > 0 else 1.0
