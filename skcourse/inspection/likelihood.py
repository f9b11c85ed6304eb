"""The score and the information of a likelihood with one curvature for each row.

Problem     At the fitted z_i = b_0 + <b, x_i>, with l the loss, minus a log-likelihood, a row has
                score u = -dl/dz,   expected information f = E d2l/dz2                          (1)
            Where y has mean mu(z) and variance phi V(mu) these are
                u = (y - mu) mu' / V,   f = mu'^2 / V                                           (2)
            for any y with these moments, of whatever distribution.
Kinds       Normal      u = y - z, f = 1; several outcomes share it, and so the information.
            Bernoulli, Poisson (log link)   f is d2l/dz2 itself, as for all canonical links.
            gamma, Tweedie, log link        f = mu^(2-p), while d2l/dz2 depends on y: information is
            identity link                   f = mu^-p     expected, not observed, as in Fisher's
                                                          scoring.
Dispersion  phi, where it is not known, from Pearson's statistic and n - k degrees of freedom:
                phi = sum_i w_i (y_i - mu_i)^2 / V(mu_i) / (n - k)
                    = sum_i w_i u_i^2 / f_i / (n - k)                                           (3)
Reference   P. McCullagh, J. Nelder, Generalized Linear Models, 1989, ch. 2 and 9.
"""

from typing import NamedTuple

import numpy as np

from skcourse.core.chunks import chunk_slices, reduce_blocks, sum_over_chunks
from skcourse.core.dense_chunks import DenseChunks
from skcourse.core.losses import GAMMA, TWEEDIE, TWEEDIE_IDENTITY, Loss, evaluate
from skcourse.inspection.information import EPS, RankDeficient, root, scatter_of_scores, score


class Data(NamedTuple):
    """The rows of a fit."""

    X: np.ndarray | DenseChunks  # (n, p)
    y: np.ndarray  # (t, n) float64; -1 and 1 for two classes; (n,) class numbers for more
    weights: np.ndarray | None  # (n,) whole and positive: how many rows a row stands for
    n: float  # the number of rows: the sum of the weights

    @property
    def row_bytes(self):
        """The size of a row of X in float64."""
        return 8 * self.X.shape[1]


class Likelihood:
    """The sums over the rows that inference needs, for all but more than two classes.

    Attributes
    ----------
    estimate : array of shape (t, k), the intercept first
    scores : array of shape (n, t), u of (1)
    curvatures : array of shape (n,) or None, f of (1); None for ones
    n_wrong : int, of two classes, how many rows z puts into the other one
    L : Root of the inverse of the information, which all outcomes share; there after `invert`
    step : array of shape (t, k), from the estimates to where one step of Fisher's scoring leads;
        there after `invert`
    """

    def __init__(self, fitted, data):
        self.fitted, self.data = fitted, data
        self.estimate = fitted.coef
        if fitted.has_intercept:
            self.estimate = np.column_stack([fitted.intercept, fitted.coef])
        self.scores, self.curvatures, self.n_wrong = working(fitted, data)

    def invert(self):
        """Find the inverse of the information, and the step; RankDeficient if there is none."""
        fitted, data = self.fitted, self.data
        if not np.isfinite(self.scores).all():
            raise ValueError(
                f"Means of {fitted.name} are not finite on these rows, or none that y can have: "
                "they are not the rows of the fit."
            )
        weights = self.curvatures
        if data.weights is not None:
            weights = data.weights if weights is None else weights * data.weights
        if weights is not None and not weights.sum() > 0:
            raise RankDeficient(())
        self.L = root(data.X, weights, intercept=fitted.has_intercept)
        along = score(data.X, self.scores, data.weights, self.L)
        self.step = (self.L.matrix @ along).T

    def classical(self):
        """Return phi A^-1, and phi; a matrix of them for several outcomes."""
        phi = np.eye(1) if self.fitted.dispersion_known else self.dispersion()
        L = self.L.matrix
        return np.kron(phi, L @ L.T), phi

    def dispersion(self):
        """Return (3), for several outcomes with their covariances, (t, t)."""
        u, f, w = self.scores, self.curvatures, self.data.weights
        shares = np.ones(1) if f is None else 1 / f
        shares = shares if w is None else shares * w
        return (u.T * shares) @ u / (self.data.n - self.fitted.n_parameters)

    def robust(self, exponent):
        """Return A^-1 M A^-1, M the scatter of the scores, and how many rows have h = 1."""
        data = self.data
        M, n_fixed = scatter_of_scores(
            data.X, self.scores, data.weights, self.L, self.curvatures, exponent
        )
        L, (t, k) = self.L.matrix, self.estimate.shape
        half = (L @ M.reshape(t, k, t * k)).reshape(t * k, t, k)
        return (half @ L.T).reshape(t * k, t * k), n_fixed

    def noise(self):
        """Return how large (3) would be if rounding were all that is left of y, (t,)."""
        fitted, data = self.fitted, self.data
        relative = fitted.traits.link != "identity"  # then an error of z is a relative one of mu
        size = np.abs(fitted.intercept) + relative

        def part(rows):
            z = np.abs(np.asarray(data.X[rows], np.float64)) @ np.abs(fitted.coef.T) + size
            w = np.ones(len(z)) if data.weights is None else data.weights[rows]
            return (w if self.curvatures is None else w * self.curvatures[rows]) @ z**2

        squares = sum_over_chunks(part, len(data.X), row_bytes=data.row_bytes)
        unit = 2 * np.finfo(data.X.dtype).eps + 10 * fitted.n_parameters * EPS
        return unit**2 * squares / (data.n - fitted.n_parameters)

    def recession(self):
        """Return how far `step` moves a z_i, and how far one in a direction that costs likelihood.

        Where the likelihood has no maximum, the step moves some z by about 1 wherever the
        descent stopped, and (nearly) none for the worse.
        """
        data, separable = self.data, self.fitted.loss == "log_loss"
        first = self.step[:, 0] if self.fitted.has_intercept else np.zeros(len(self.step))
        along = self.step[:, -data.X.shape[1] :]

        def part(rows):
            d = (np.asarray(data.X[rows], np.float64) @ along.T + first)[:, 0]
            y = data.y[0, rows]
            worse = -y * d if separable else np.where(y == 0, d, np.abs(d))
            return np.array([np.abs(d).max(), worse.max()])

        return reduce_blocks(part, chunk_slices(len(data.X), data.row_bytes), np.maximum)


def working(fitted, data):
    """Return u and f of (1), (n, t) and (n,) or None; and how many rows are on the wrong side."""
    t, n = data.y.shape
    loss = Loss(fitted.traits.code, fitted.power)
    scores = np.empty((n, t))
    normal = fitted.loss == "squared_error"
    curvatures = None if normal else np.empty(n)
    none = np.empty(0)

    def part(rows):
        x = np.asarray(data.X[rows], np.float64)
        z = fitted.coef @ x.T + fitted.intercept[:, np.newaxis]  # (t, chunk)
        slopes, second = np.empty(len(x)), np.empty(len(x))
        for j in range(t):
            evaluate(loss, data.y[j, rows], z[j], none, slopes, second)
            scores[rows, j] = -slopes
        if not normal:
            curvatures[rows] = expected(loss, z[0], second)
        return int(np.count_nonzero((data.y[0, rows] > 0) == (z[0] <= 0)))

    return scores, curvatures, sum_over_chunks(part, n, row_bytes=data.row_bytes)


def expected(loss, z, observed):
    """Return f, the expectation of d2l/dz2."""
    if loss.code in (GAMMA, TWEEDIE):
        return np.exp((2.0 - loss.parameter) * z)
    if loss.code == TWEEDIE_IDENTITY:
        return np.where(z > 0, z, np.nan) ** -loss.parameter
    return observed
