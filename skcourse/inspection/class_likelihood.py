"""The score and the information of multinomial logistic regression.

Problem     Classes 0 .. K - 1 have p_c = exp(z_c) / sum_d exp(z_d). A number added to all z_c does
            not change them: what rows can tell are contrasts to a class, here to class 0,
                g_c = b_c - b_0,   c = 1 .. K - 1,                                              (1)
            the logarithm of the odds of c against 0. For K = 2 it is logistic regression.
Score       u_ic = [y_i = c] - p_ic                                                             (2)
Information A_cd = sum_i w_i p_ic ([c = d] - p_id) z_i z_i', both observed and expected         (3)
            It is summed in the coordinates q_i of `information`, taken with the weights w_i: its
            condition is then that of (3) for features that are uncorrelated and of equal size.
Cost        n p^2 K^2 / 2 products.
Reference   A. Agresti, Categorical Data Analysis, 2013, ch. 8.
"""

import numpy as np
from scipy.linalg import solve_triangular

from skcourse.core.chunks import chunk_slices, reduce_blocks, sum_over_chunks
from skcourse.core.kernel import kernel
from skcourse.core.linalg import cholesky
from skcourse.core.losses import multinomial
from skcourse.inspection.information import RankDeficient, root, scatter_of_scores, score

SINGULAR = 1e12  # condition beyond which (3) leaves errors with fewer than four digits


class ClassLikelihood:
    """As `Likelihood`, for K > 2 classes: its t outcomes are the classes 1 .. K - 1."""

    def __init__(self, fitted, data):
        self.fitted, self.data = fitted, data
        estimate = fitted.coef
        if fitted.has_intercept:
            estimate = np.column_stack([fitted.intercept, fitted.coef])
        self.estimate = estimate[1:] - estimate[0]
        self.scores, self.n_wrong = working(fitted, data)

    def invert(self):
        """Find the inverse of the information, and the step; RankDeficient if there is none."""
        fitted, data = self.fitted, self.data
        self.L = root(data.X, data.weights, intercept=fitted.has_intercept)
        outcomes = np.kron(np.eye(len(self.estimate)), self.L.matrix)
        A = information(data, self.scores, self.L)
        R = cholesky(A)
        if R is None or R.condition > SINGULAR:
            raise RankDeficient(())
        self.inner = solve_triangular(R.R, np.eye(len(A)))
        self.root = outcomes @ self.inner
        along = score(data.X, self.scores, data.weights, self.L).T.ravel()
        self.step = (self.root @ (self.inner.T @ along)).reshape(self.estimate.shape)

    def classical(self):
        """Return A^-1, and 1."""
        return self.root @ self.root.T, np.eye(1)

    def robust(self, exponent):
        """Return A^-1 M A^-1, M the scatter of the scores, and 0."""
        M, n_fixed = scatter_of_scores(
            self.data.X, self.scores, self.data.weights, self.L, exponent=exponent
        )
        return self.root @ (self.inner.T @ M @ self.inner) @ self.root.T, n_fixed

    def recession(self):
        """Return how far `step` moves a z_i, and how far against the class of a row."""
        data = self.data
        first = self.step[:, 0] if self.fitted.has_intercept else np.zeros(len(self.step))
        along = self.step[:, -data.X.shape[1] :]

        def part(rows):
            x, y = np.asarray(data.X[rows], np.float64), data.y[rows]
            d = np.column_stack([np.zeros(len(x)), x @ along.T + first])
            d -= d[np.arange(len(x)), y][:, np.newaxis]
            return np.array([np.abs(d).max(), d.max()])

        return reduce_blocks(part, chunk_slices(len(data.X), data.row_bytes), np.maximum)


@kernel
def class_slopes(y, z, slopes):
    """Write p_ic - [y_i = c] into `slopes`, (n, K); return how often z_iy is not the largest."""
    n_wrong = 0
    for i in range(len(y)):
        multinomial(y[i], z[i], slopes[i])
        for c in range(z.shape[1]):
            if c != y[i] and z[i, c] >= z[i, y[i]]:
                n_wrong += 1
                break
    return n_wrong


def working(fitted, data):
    """Return u of (2), (n, K - 1), and how many rows are on the wrong side of a boundary."""
    scores = np.empty((len(data.y), len(fitted.coef) - 1))

    def part(rows):
        z = np.asarray(data.X[rows], np.float64) @ fitted.coef.T + fitted.intercept
        slopes = np.empty(z.shape)
        n_wrong = class_slopes(data.y[rows], z, slopes)
        scores[rows] = -slopes[:, 1:]
        return n_wrong

    return scores, sum_over_chunks(part, len(data.y), row_bytes=data.row_bytes)


def information(data, scores, L):
    """Return (3) in the coordinates of L, (t k, t k), by outcome and then by coefficient."""
    t, k = scores.shape[1], len(L.matrix)

    def part(rows):
        q = L.whitened(np.asarray(data.X[rows]))
        p = (data.y[rows, np.newaxis] == np.arange(1, t + 1)) - scores[rows]
        w = 1.0 if data.weights is None else data.weights[rows]
        A = np.empty((t, k, t, k))
        for c in range(t):
            for d in range(c + 1):
                v = w * p[:, c] * ((c == d) - p[:, d])
                A[c, :, d, :] = q.T @ (q * v[:, np.newaxis])
                A[d, :, c, :] = A[c, :, d, :]
        return A.reshape(t * k, t * k)

    return sum_over_chunks(part, len(data.y), row_bytes=8 * k, min_rows=4 * t * k)
