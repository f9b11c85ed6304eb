"""The risk of a linear prediction of K scores, by the multinomial loss.

Problem     R(W, b) = sum_i s_i l(y_i, z_i) / sum_i s_i,   z_i = W'x_i + b, of K numbers,       (1)
                l(y, z) = log sum_k exp(z_k) - z_y,   p = softmax(z).
Slopes      With x_i lengthened by a 1 for the intercepts, and e_y the unit vector of the class,
                gradient  sum_i s_i x_i (p_i - e_{y_i})',                                    (2)
                Hessian   sum_i s_i (x_i x_i') (x) (diag(p_i) - p_i p_i').                    (3)
Cost        One pass over the rows: a tile of them gives its scores by one product in BLAS, then
            probabilities, then its part of (2) by another, while it is in cache. 4 n p K products.
Redundant   A number added to all scores changes nothing: (3) is singular along it.
"""

from typing import NamedTuple

import numpy as np

from skcourse.core.chunks import sum_over_chunks
from skcourse.core.kernel import kernel
from skcourse.core.losses import evaluate_multinomial, multinomial
from skcourse.linear_model.risk import (
    NONE,
    Rows,
    add_dense_squares,
    add_sparse_squares,
    scatter_of,
)

TILE = 128  # rows per product in BLAS


class Classes(NamedTuple):
    """What belongs to the rows of X."""

    codes: np.ndarray  # y in 0 .. K - 1, (n,), int64
    weights: np.ndarray  # s, (n,), float64, or (0,) for ones
    probabilities: np.ndarray  # p, (n, K): written by a pass, read by a product with (3)


@kernel
def slopes_of(classes, i, z, curved):
    """Overwrite the scores z of row i with s (p - e_y); return s l(y, z). Keep p.

    If `curved`, with s (diag(p) - p p') z instead, for the p that were kept.
    """
    s = classes.weights[i] if len(classes.weights) > 0 else 1.0
    p, y, value = classes.probabilities[i], classes.codes[i], 0.0
    if curved:
        mean = 0.0
        for k in range(len(z)):
            mean += p[k] * z[k]
        for k in range(len(z)):
            z[k] = s * p[k] * (z[k] - mean)
        return value
    value = multinomial(y, z, z)
    for k in range(len(z)):
        p[k] = z[k] + (1.0 if k == y else 0.0)
        z[k] *= s
    return s * value


@kernel
def slopes_of_tile(classes, start, z, curved):
    """Do the same for a tile of rows, the first of them row `start`, their scores z, (K, size)."""
    n_classes, size = z.shape
    p, y, s = classes.probabilities, classes.codes[start : start + size], classes.weights
    if curved:
        mean = np.zeros(size)
        for k in range(n_classes):
            for i in range(size):
                mean[i] += p[start + i, k] * z[k, i]
        for k in range(n_classes):
            for i in range(size):
                z[k, i] = p[start + i, k] * (z[k, i] - mean[i])
        values = np.zeros(size)
    else:
        values = evaluate_multinomial(y, z)
        for k in range(n_classes):
            for i in range(size):
                p[start + i, k] = z[k, i]
        for i in range(size):
            z[y[i], i] -= 1.0
    if len(s) > 0:
        for k in range(n_classes):
            for i in range(size):
                z[k, i] *= s[start + i]
        for i in range(size):
            values[i] *= s[start + i]
    return values.sum()


@kernel
def pass_over_dense(X, classes, theta, curved, gradient):
    """Add (2), or the product of (3) with theta, to `gradient`; return the sum of the losses.

    Parameters
    ----------
    X : array of shape (n, p)
    classes : Classes, of these rows
    theta, gradient : float64 arrays of shape (p + 1, K)
    curved : bool
    """
    n, p = X.shape
    n_classes, total = theta.shape[1], 0.0
    rows, room = np.empty((TILE, p)), np.empty(n_classes * TILE)
    part = np.empty((n_classes, p))
    for start in range(0, n, TILE):
        size = min(TILE, n - start)
        for i in range(size):
            for j in range(p):
                rows[i, j] = X[start + i, j]
        z = room[: n_classes * size].reshape(n_classes, size)
        np.dot(theta[:p].T, rows[:size].T, z)
        for k in range(n_classes):
            for i in range(size):
                z[k, i] += theta[p, k]
        total += slopes_of_tile(classes, start, z, curved)
        np.dot(z, rows[:size], part)
        for k in range(n_classes):
            for i in range(size):
                gradient[p, k] += z[k, i]
            for j in range(p):
                gradient[j, k] += part[k, j]
    return total


@kernel
def pass_over_sparse(rows, classes, theta, curved, gradient):
    """Do the same for sparse rows."""
    p, n_classes, total = theta.shape[0] - 1, theta.shape[1], 0.0
    z = np.empty(n_classes)
    for i in range(len(rows.starts) - 1):
        for k in range(n_classes):
            z[k] = theta[p, k]
        for e in range(rows.starts[i], rows.starts[i + 1]):
            x, j = rows.data[e], rows.indices[e]
            for k in range(n_classes):
                z[k] += x * theta[j, k]
        total += slopes_of(classes, i, z, curved)
        for e in range(rows.starts[i], rows.starts[i + 1]):
            x, j = rows.data[e], rows.indices[e]
            for k in range(n_classes):
                gradient[j, k] += x * z[k]
        for k in range(n_classes):
            gradient[p, k] += z[k]
    return total


class MultinomialRisk(Rows):
    """(1) as a function of theta, a float64 vector: the rows of (W; b'), p + 1 times K numbers.

    Parameters
    ----------
    X : array of shape (n, p), C-contiguous floats, or CSR matrix
    codes : array of shape (n,)
        The classes, 0 .. K - 1.
    n_classes : int, K
    weights : array of shape (n,), default=None
        s, not negative, of positive sum.
    fit_intercept : bool, default=True
        False keeps b at what it is: its slopes are 0.
    n_jobs : int or None, default=-1
    """

    def __init__(self, X, codes, n_classes, weights=None, *, fit_intercept=True, n_jobs=-1):
        super().__init__(X, fit_intercept, n_jobs)
        self.chunks.setdefault("min_rows", 32 * TILE)  # what a chunk costs by itself is a few tiles
        self.weights = NONE if weights is None else np.asarray(weights, np.float64)
        self.total = float(self.weights.sum()) if len(self.weights) else float(self.n)
        self.codes, self.outputs = np.ascontiguousarray(codes, np.int64), n_classes
        self.probabilities = np.empty((self.n, n_classes))
        self.known = None  # where it was last asked, and the answer

    def sum_over_rows(self, theta, curved):
        """Return value and gradient, or 0 and the product of (3) with theta."""
        one_pass = pass_over_sparse if self.sparse else pass_over_dense
        theta = theta.reshape(self.p + 1, self.outputs)

        def part(rows):
            gradient = np.zeros(theta.shape)
            weights = self.weights[rows] if len(self.weights) else NONE
            classes = Classes(self.codes[rows], weights, self.probabilities[rows])
            return one_pass(self.part(rows), classes, theta, curved, gradient), gradient

        value, gradient = sum_over_chunks(part, self.n, **self.chunks)
        if not self.fit_intercept:
            gradient[-1] = 0.0
        return value / self.total, gradient.ravel() / self.total

    def raw(self, theta):
        """Return the scores z, of shape (n, K)."""
        theta = theta.reshape(self.p + 1, self.outputs)
        return self.X @ theta[:-1] + theta[-1]

    def value_and_gradient(self, theta):
        """Return (1) and (2); `probabilities` then holds p of the rows."""
        if self.known is None or not np.array_equal(theta, self.known[0]):
            theta = np.array(theta, np.float64)
            self.known = theta, *self.sum_over_rows(theta, False)
        return self.known[1:]

    def least_margin(self):
        """Return the least p_y - max_{k != y} p_k where it was last asked, of rows that count."""
        P, rows = self.probabilities.copy(), np.arange(self.n)
        own = P[rows, self.codes]
        P[rows, self.codes] = -1.0
        margins = own - P.max(axis=1)
        return margins[self.weights > 0].min() if len(self.weights) else margins.min()

    def value(self, theta):
        """Return (1)."""
        return self.value_and_gradient(theta)[0]

    def hessian_product(self, v):
        """Return (3) times v, where `value_and_gradient` was last asked."""
        v = np.array(v, np.float64).reshape(self.p + 1, self.outputs)
        if not self.fit_intercept:
            v[-1] = 0.0
        return self.sum_over_rows(v, True)[1]

    def spread(self, l2):
        """Return a number, or one for each feature, as one for each entry of theta.

        Intercepts get 0.
        """
        penalty = np.zeros((self.p + 1, self.outputs))
        penalty[: self.p] = np.reshape(l2, (-1, 1))
        return penalty.ravel()

    def hessian(self):
        """Return (3), square, where `value_and_gradient` was last asked.

        Along what is redundant without a penalty, a number added to all scores, it is not the 0
        that it should be but the curvature of a squared penalty on the mean: a step of Newton's
        method, which is never asked to go there, is the same.
        Without intercepts their rows and columns are those of the unit matrix.
        """
        K, P = self.outputs, self.probabilities
        hessian = np.zeros((self.p + 1, K, self.p + 1, K))
        scale = np.zeros(self.p + 1)
        for k in range(K):
            for m in range(k + 1):
                h = P[:, k] * ((k == m) - P[:, m])
                if len(self.weights):
                    h = h * self.weights
                block = scatter_of(self.X, h, n_jobs=self.n_jobs) / self.total
                hessian[:, k, :, m] = hessian[:, m, :, k] = block
                if k == m:
                    scale += np.diagonal(block) / K
        for j in range(self.p + 1):
            hessian[j, :, j, :] += scale[j] / K
        if not self.fit_intercept:
            hessian[-1], hessian[:, :, -1] = 0.0, 0.0
            hessian[-1, range(K), -1, range(K)] = 1.0
        return hessian.reshape((self.p + 1) * K, -1)

    def class_curvature(self):
        """Return the mean of diag(p) - p p', (K, K)."""
        P = self.probabilities
        weighted = P * self.weights[:, np.newaxis] if len(self.weights) else P
        return (np.diag(weighted.sum(axis=0)) - weighted.T @ P) / self.total

    def curvature(self, step=1):
        """Return A and S of `metric`: (3) is their product if all rows have the same p."""
        h = self.weights if len(self.weights) else np.ones(self.n)
        scatter = scatter_of(self.X, h, step, self.n_jobs)
        scatter /= scatter[-1, -1] if scatter[-1, -1] > 0 else 1.0
        if not self.fit_intercept:
            scatter[-1], scatter[:, -1], scatter[-1, -1] = 0.0, 0.0, 1.0
        return self.class_curvature(), scatter

    def curvature_diagonal(self):
        """Return A and the diagonal of S, from all rows."""
        add_squares = add_sparse_squares if self.sparse else add_dense_squares
        h = self.weights if len(self.weights) else np.ones(self.n)

        def part(rows):
            squares = np.zeros(self.p + 1)
            add_squares(self.part(rows), h[rows], squares)
            return squares

        squares = sum_over_chunks(part, self.n, **self.chunks) / self.total
        return self.class_curvature(), squares

    def curvature_weights(self):
        """Return s p / sum s and p, (n, K): the Hessian as `proximal_newton` takes it."""
        P = self.probabilities
        weighted = P * self.weights[:, np.newaxis] if len(self.weights) else P
        return weighted / self.total, P
