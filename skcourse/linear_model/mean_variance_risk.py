"""The risk of a normal distribution whose mean and variance both are linear predictions.

Problem     R = sum_i s_i l(y_i, m_i, q_i) / sum_i s_i,  m_i = <w, x_i> + b,  q_i = <v, x_i> + c,
                l(y, m, q) = (q + (y - m)^2 exp(-q)) / 2,                                       (1)
            minus the logarithm of the density of N(m, exp q), less log(2 pi) / 2.
Hessian     With r = y - m and u = r^2 exp(-q), of one row in (m, q):
                observed  (exp(-q), r exp(-q); r exp(-q), u / 2),
                expected  (exp(-q), 0; 0, 1 / 2), positive definite whatever r is.              (2)
Unbounded   Where a few rows can be fitted exactly, their variance may go to 0 and R to minus
            infinity. Here (1) is infinity beyond `LOWEST`, and who gets near it is told.
Cost        One pass over the rows; three scatter matrices for a Hessian.
"""

import numpy as np
from scipy.sparse import issparse

from skcourse.core.chunks import sum_over_chunks
from skcourse.core.kernel import kernel
from skcourse.core.linalg import cholesky
from skcourse.core.losses import gaussian
from skcourse.linear_model.risk import (
    SparseRows,
    add_dense_rows,
    add_sparse_rows,
    dense_products,
    scatter_of,
    sparse_products,
)

LOWEST = -40.0  # logarithm of the variance of a row, over that of y


@kernel
def evaluate(y, weights, raw, first, second):
    """Write the slopes of (1) times the weights, and the observed (2); return the sum of (1).

    Parameters
    ----------
    y, weights : arrays of shape (n,)
    raw : array of shape (2, n), m and q
    first : array of shape (2, n), overwritten
    second : array of shape (3, n), overwritten: of m m, m q, q q
    """
    total = 0.0
    for i in range(len(y)):
        s = weights[i]
        value, d_mean, d_log, mean_mean, mean_log, log_log = gaussian(y[i], raw[0, i], raw[1, i])
        total += s * value
        first[0, i], first[1, i] = s * d_mean, s * d_log
        second[0, i], second[1, i], second[2, i] = s * mean_mean, s * mean_log, s * log_log
    return total


class MeanVarianceRisk:
    """(1) as a function of theta, a vector: the rows of ((w; b), (v; c)), 2 (p + 1) numbers.

    Parameters
    ----------
    X : array of shape (n, p), C-contiguous floats, or CSR matrix
    y : array of shape (n,)
    weights : array of shape (n,), or None
    least : float, the logarithm of the variance below which none may go
    fit_intercept : bool, default=True
        False keeps b at what it is.
    n_jobs : int or None, default=-1
    """

    outputs = 2

    def __init__(self, X, y, weights, least, *, fit_intercept=True, n_jobs=-1):
        self.X, self.fit_intercept, self.n_jobs, self.least = X, fit_intercept, n_jobs, least
        self.n, self.p = X.shape
        self.y = np.ascontiguousarray(y, np.float64)
        self.weights = np.ones(self.n) if weights is None else np.asarray(weights, np.float64)
        self.total = float(self.weights.sum())
        self.sparse = issparse(X)
        self.density = X.nnz / (self.n * self.p) if self.sparse else 1.0
        self.raw, self.first, self.second = (np.empty((k, self.n)) for k in (2, 2, 3))
        row_bytes = int(16 * X.nnz / self.n) + 16 if self.sparse else X.dtype.itemsize * self.p
        self.chunks = {"row_bytes": row_bytes + 64, "n_jobs": n_jobs}

    def part(self, rows):
        """Return a chunk of X as kernels take it."""
        if not self.sparse:
            return np.asarray(self.X[rows])
        starts = self.X.indptr[rows.start : rows.stop + 1]
        return SparseRows(starts, self.X.indices, self.X.data)

    def value_and_gradient(self, theta):
        """Return (1) and its gradient; what (2) needs is kept."""
        products = sparse_products if self.sparse else dense_products
        add_rows = add_sparse_rows if self.sparse else add_dense_rows
        columns = np.ascontiguousarray(theta.reshape(-1, 2).T)

        def part(rows):
            block, gradient = self.part(rows), np.zeros((2, self.p + 1))
            raw, first = self.raw[:, rows], self.first[:, rows]
            for k in range(2):
                products(block, columns[k], raw[k])
            value = evaluate(self.y[rows], self.weights[rows], raw, first, self.second[:, rows])
            for k in range(2):
                add_rows(block, first[k], gradient[k])
            return value, gradient

        value, gradient = sum_over_chunks(part, self.n, **self.chunks)
        if not self.fit_intercept:
            gradient[0, -1] = 0.0
        if self.raw[1, self.weights > 0].min() < self.least:
            value = np.inf
        return value / self.total, gradient.T.ravel() / self.total

    def hessian(self):
        """Return the observed Hessian if it is positive definite, else the expected one; see (2).

        Where `value_and_gradient` was last asked, in the order of theta.
        """
        mean, cross, variance = (self.scatter(h) for h in self.second)
        observed = self.assembled(mean, cross, variance)
        if cholesky(observed) is not None:
            return observed
        return self.assembled(mean, 0.0 * cross, self.scatter(0.5 * self.weights))

    def scatter(self, h):
        """Return sum_i h_i (x_i, 1) (x_i, 1)' over the sum of the weights."""
        return scatter_of(self.X, h, n_jobs=self.n_jobs) / self.total

    def assembled(self, mean, cross, variance):
        """Return the Hessian of blocks."""
        k = self.p + 1
        hessian = np.empty((k, 2, k, 2))
        hessian[:, 0, :, 0], hessian[:, 1, :, 1] = mean, variance
        hessian[:, 0, :, 1] = hessian[:, 1, :, 0] = cross
        if not self.fit_intercept:
            hessian[-1, 0], hessian[:, :, -1, 0], hessian[-1, 0, -1, 0] = 0.0, 0.0, 1.0
        return hessian.reshape(2 * k, 2 * k)

    def spread(self, l2):
        """Return a number, or one for each feature, for each entry of theta; intercepts get 0."""
        penalty = np.zeros((self.p + 1, 2))
        penalty[: self.p] = np.reshape(l2, (-1, 1))
        return penalty.ravel()

    def curvature(self, step=1):
        """Return A and S of `metric`, by the expected (2)."""
        A = np.diag([self.second[0].sum(), 0.5 * self.weights.sum()]) / self.total
        return A, scatter_of(self.X, self.weights, step, self.n_jobs) / self.weights[::step].sum()

    def curvature_diagonal(self):
        """Return A and the diagonal of S."""
        A, S = self.curvature()
        return A, np.diagonal(S).copy()
