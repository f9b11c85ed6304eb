"""Leave-one-out errors of ridge regression, for all penalties from one decomposition.

Problem     What would the model say of sample i, had it been fitted without it? Not n fits: with
            fitted values y^ = H y, and h_i the i-th diagonal entry of H,
                e_i = (y_i - y^_i) / (1 - h_i).                                               (1)
Tall        With A = W^(1/2) (X - 1 m') = Q diag(s) V' and u_i = V'(x_i - m), for each penalty
                h_i = w_i (sum_j u_ij^2 / (s_j^2 + alpha) + 1 / sum w),                       (2)
                y^_i = mean(y) + sum_j u_ij s_j / (s_j^2 + alpha) <q_j, W^(1/2) y>            (3)
            (without an intercept, no 1 / sum w): two matrix products give all penalties at once,
            a chunk of rows at a time. V comes from A'A, or if that loses digits from a triangle.
Wide        With A A' + alpha I = G = U diag(s^2 + alpha) U' and v = W^(1/2) (y - mean(y)),
                w_i^(1/2) e_i = (G^-1 v)_i / (G^-1)_ii,                                       (4)
            U without the vector q that the intercept adds to the null space (see `dual`).
Cost        One decomposition, 3 n p^2 products and 9 p^3 (p < n), then 4 n p per penalty.
Reference   D. Allen, The relationship between variable selection and data augmentation and a
            method for prediction, Technometrics, 1974. R. Rifkin, R. Lippert, Notes on regularized
            least squares, MIT, 2007.
"""

import numpy as np

from skcourse.core.chunks import sum_over_chunks
from skcourse.core.factors import factor
from skcourse.core.moments import moments
from skcourse.core.validation import check_finite_sums
from skcourse.linear_model import dual, spectrum
from skcourse.linear_model.centred_rows import CentredRows
from skcourse.linear_model.ridge_direct import DIRECT, EPS, LIMIT, sparse_scatter
from skcourse.linear_model.ridge_problem import centred

LEAST = np.finfo(np.float64).eps  # of 1 - h_i: below, sample i alone decides its fitted value


def leave_one_out(problem, alphas, *, orthogonal=False):
    """Return the object that has `errors` and `coefficients` of a `Problem`.

    Parameters
    ----------
    problem : Problem, whose own penalties are not looked at
    alphas : array of shape (a,), positive
    orthogonal : bool, default=False
        Never square the condition of dense X, however well it may be conditioned.
    """
    n, p = problem.X.shape
    return (Wide if n <= p else Tall)(problem, alphas, orthogonal)


class Tall:
    """(2) and (3)."""

    def __init__(self, problem, alphas, orthogonal):
        self.problem, self.alphas = problem, alphas
        self.x_mean, self.y_mean, self.spectrum = decompose(problem, alphas.min(), orthogonal)
        self.rows = CentredRows(problem.X, self.x_mean)

    def errors(self, alphas, table=None, *, predictions=False):
        """Return sum_i w_i e_i^2 for each target and penalty, (t, a).

        Parameters
        ----------
        alphas : array of shape (a,)
        table : array of shape (n, t, a) or None, overwritten with w_i e_i^2
        predictions : bool, default=False
            Overwrite it with y_i - e_i instead.
        """
        Y, weights, V = self.problem.Y, self.problem.weights, self.spectrum.vectors
        n, n_targets = Y.shape
        total = n if weights is None else weights.sum(dtype=np.float64)
        share = 1 / total if self.problem.centre else 0.0
        shrinkage = spectrum.shrinkage(self.spectrum, alphas)  # (r, a)
        damping = shrinkage / self.spectrum.values[:, np.newaxis]
        maps = self.spectrum.projected[:, :, np.newaxis] * shrinkage[:, np.newaxis]
        maps = maps.reshape(V.shape[1], n_targets * len(alphas))  # (r, t a)

        def part(rows):
            U = self.project(rows, V)  # (k, r)
            w = 1.0 if weights is None else weights[rows, np.newaxis].astype(np.float64)
            h = w * (np.square(U) @ damping + share)  # (k, a), (2)
            e = (U @ maps).reshape(-1, n_targets, len(alphas))
            np.subtract((Y[rows] - self.y_mean)[:, :, np.newaxis], e, out=e)
            e /= np.maximum(1 - h, LEAST)[:, np.newaxis]  # (1)
            squares = np.square(e)
            if weights is not None:
                squares *= w[:, :, np.newaxis]
            if table is not None:
                table[rows] = Y[rows][:, :, np.newaxis] - e if predictions else squares
            return squares.sum(axis=0)

        width = 2 * len(V) + (2 * n_targets + 1) * len(alphas)
        return sum_over_chunks(part, n, row_bytes=8 * width)

    def project(self, rows, V):
        """Return (x_i - m)'V for a slice of rows."""
        if self.rows.sparse:
            return self.rows.X[rows] @ V - self.x_mean @ V
        return self.rows.block(rows) @ V

    def coefficients(self, alphas):
        """Return b, (p, t), for one penalty per target."""
        problem, b = self.problem, spectrum.coefficients(self.spectrum, alphas)
        if not spectrum.is_rough(self.spectrum, alphas, DIRECT[problem.precision]):
            return b
        rows = CentredRows(problem.X, self.x_mean, problem.weights)
        gradient = rows.normal_residual(problem.Y - self.y_mean, b)
        return spectrum.refined(self.spectrum, b, alphas, gradient)


def decompose(problem, alpha, orthogonal):
    """Return the means of X and Y and the spectrum of A with V, good to penalties of `alpha`."""
    p = problem.X.shape[1]
    if not problem.dense:
        about = centred(problem)
        products = about.rows.rmatmat(about.targets)
        found = spectrum.of_scatter(sparse_scatter(about.rows), products, p * EPS)
        return about.rows.mean, about.y_mean, found
    if not orthogonal:
        sums = moments(problem.X, problem.Y, problem.weights, centre=problem.centre)
        if check_finite_sums(sums.scatter, problem.X, estimator=problem.estimator):
            found = spectrum.of_scatter(sums.scatter[:p, :p], sums.scatter[:p, p:], p * EPS)
            s = found.values
            least = s[-1] ** 2 if len(s) == p else 0.0
            if len(s) == 0 or s[0] ** 2 + alpha <= LIMIT * (least + alpha):
                return sums.mean[:p], sums.mean[p:], found
    sums = factor(problem.X, problem.Y, problem.weights, centre=problem.centre)
    check_finite_sums(sums.R, problem.X, estimator=problem.estimator)
    found = spectrum.of_rows(*sums.sides, len(problem.X) * EPS)
    return sums.mean[:p], sums.mean[p:], found


class Wide:
    """(4)."""

    def __init__(self, problem, alphas, orthogonal):
        self.problem = problem
        positive = None if problem.weights is None else problem.weights > 0
        self.kept = slice(None) if positive is None or positive.all() else np.flatnonzero(positive)
        self.absent = [] if isinstance(self.kept, slice) else np.flatnonzero(~positive)
        if len(self.absent):
            weights = np.ascontiguousarray(problem.weights[self.kept])
            problem = problem._replace(
                X=problem.X[self.kept], Y=problem.Y[self.kept], weights=weights
            )
        self.about = centred(problem)
        self.x_mean, self.y_mean = self.about.rows.mean, self.about.y_mean
        apart = dual.null_vector(self.about.rows) if problem.centre else None
        orthogonal = orthogonal and problem.dense
        rows, targets = self.about.rows, self.about.targets
        self.spectrum = dual.whole_spectrum(
            rows, targets, apart, alphas.min(), LIMIT, orthogonal=orthogonal
        )

    def errors(self, alphas, table=None, *, predictions=False):
        """As `Tall.errors`."""
        roots = self.about.rows.roots
        U, damping = self.spectrum.vectors, spectrum.damping(self.spectrum, alphas)
        maps = self.spectrum.projected[:, :, np.newaxis] * damping[:, np.newaxis]
        e = np.tensordot(U, maps, axes=1)  # (n, t, a), (4)
        e /= np.maximum(np.square(U) @ damping, np.finfo(float).tiny)[:, np.newaxis]
        squares = np.square(e)
        if table is not None and not predictions:
            table[:] = 0.0
            table[self.kept] = squares
        elif table is not None:
            if roots is not None:
                e /= roots[:, :, np.newaxis]
            table[self.kept] = self.problem.Y[self.kept][:, :, np.newaxis] - e
            if len(self.absent):
                table[self.absent] = self.predict_absent(alphas)
        return squares.sum(axis=0)

    def predict_absent(self, alphas):
        """Return the predictions for the rows of weight 0, (rows, t, a): nothing is left out."""
        n_targets = self.problem.Y.shape[1]
        rows = CentredRows(self.problem.X[self.absent], self.x_mean)
        found = [rows @ self.coefficients(np.full(n_targets, alpha)) for alpha in alphas]
        return np.stack(found, axis=2) + self.y_mean[:, np.newaxis]

    def coefficients(self, alphas):
        """Return b, (p, t), for one penalty per target."""
        rough = spectrum.is_rough(self.spectrum, alphas, DIRECT[self.problem.precision])
        targets = self.about.targets if rough else None
        return dual.coefficients(self.about.rows, self.spectrum, alphas, targets)
