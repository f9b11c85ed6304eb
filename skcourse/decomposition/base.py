"""What fitted principal axes are good for: scores, rows from scores, and a density.

Model       A row is x = m + V'z + noise, with orthonormal axes V, (k, p), scores z_j of variance
            l_j - v, and noise of variance v in all directions: normal, with covariance
                C = V' diag(l - v) V + v 1,   l_j at least v                          (1)
                C^-1 = V' diag(1/l - 1/v) V + 1/v                                     (2)
Scores      z = V (x - m), the nearest point of the plane is m + V'z                  (3)
Density     With r = x - m - V'z, what the plane does not explain,
                -2 log p(x) = p log 2 pi + sum_j log l_j + (p - k) log v
                              + sum_j z_j^2 / l_j + |r|^2 / v                         (4)
            No matrix of p x p is formed, and none inverted.
Reference   M. Tipping, C. Bishop, Probabilistic principal component analysis, J. Royal
            Statistical Society B, 1999.
"""

import numpy as np
from scipy.sparse import issparse
from sklearn.base import BaseEstimator, ClassNamePrefixFeaturesOutMixin, TransformerMixin
from sklearn.utils import check_array
from sklearn.utils.validation import check_is_fitted

from skcourse.core.chunks import for_each_chunk
from skcourse.core.moments import quiet
from skcourse.core.validation import FLOATS, check_finite_sums, read_X
from skcourse.decomposition.sparse_rows import product
from skcourse.decomposition.spectrum import completed

AT_ONCE = 2**16  # entries of X: below, one product on the calling thread
TILE, TILE_BYTES = 128, 2**18  # rows that are centred at a time, in cache: at least, and about


class Axes(ClassNamePrefixFeaturesOutMixin, TransformerMixin, BaseEstimator):
    """Base class: the methods of an estimator with `components_`, `mean_` and variances.

    It has the parameter `whiten`, and the attributes `explained_variance_` and `noise_variance_`.
    """

    def transform(self, X):
        """Project the rows onto the axes, by (3).

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features)

        Returns
        -------
        scores : ndarray of shape (n_samples, n_components)
            In the units of X; if `whiten`, divided by their standard deviation.
        """
        if not hasattr(self, "components_"):
            check_is_fitted(self)
        X = read_X(self, X, order=None, finite=False, accept_sparse=("csr", "csc"))
        return self._project(X)

    def inverse_transform(self, X):
        """Return the rows that have these scores, and no noise.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_components)

        Returns
        -------
        X_original : ndarray of shape (n_samples, n_features)
        """
        check_is_fitted(self)
        scores = check_array(X, input_name="X", dtype=FLOATS)
        axes = self.components_
        if self.whiten:
            axes = np.sqrt(self.explained_variance_)[:, np.newaxis] * axes
        return scores @ axes + self.mean_

    def get_covariance(self):
        """Return the covariance of the model, by (1).

        Returns
        -------
        covariance : ndarray of shape (n_features, n_features)
        """
        check_is_fitted(self)
        axes, noise = self.components_, self.noise_variance_
        covariance = (axes.T * (self._variances() - noise)) @ axes
        covariance.flat[:: len(covariance) + 1] += noise
        return covariance

    def get_precision(self):
        """Return the inverse of the covariance, by (2).

        Returns
        -------
        precision : ndarray of shape (n_features, n_features)
            Without noise, and with variance in a subspace only, the inverse there.
        """
        check_is_fitted(self)
        variances, noise, axes = self._model()
        precision = (axes.T * (1 / variances - (1 / noise if noise else 0.0))) @ axes
        if noise:
            precision.flat[:: len(precision) + 1] += 1 / noise
        return precision.astype(self.components_.dtype, copy=False)

    def _variances(self):
        """Return l of (1), (k,): at least the noise; with `whiten`, those that scikit-learn takes.

        There l - v is multiplied by l once more.
        """
        variances = np.maximum(self.explained_variance_, self.noise_variance_)
        if self.whiten:
            return self.explained_variance_ * (variances - self.noise_variance_) + (
                self.noise_variance_
            )
        return variances

    def _model(self):
        """Return l, (r,), v and V, (r, p), float64, of (2); without noise, for l > 0 only."""
        axes = self.components_.astype(np.float64, copy=False)
        variances = self._variances().astype(np.float64, copy=False)
        noise = float(self.noise_variance_)
        if not noise > 0:
            some = is_variance(variances, axes.shape[1], self.components_.dtype)
            axes, variances = axes[some], variances[some]
        return variances, noise, axes

    def _project(self, X):
        """Return the scores of validated rows, (3)."""
        return self._whitened(project(X, self.components_, self.mean_, self))

    def _whitened(self, scores):
        """Divide the scores by their standard deviations, in place, if that is asked for."""
        if self.whiten:
            deviations = np.sqrt(self.explained_variance_)
            scores /= np.maximum(deviations, np.finfo(deviations.dtype).eps)
        return scores

    @property
    def _n_features_out(self):
        return len(self.components_)


class PrincipalAxes(Axes):
    """Base class: axes that also tell the density of rows."""

    def score_samples(self, X):
        """Return the log-density of each row, by (4).

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)

        Returns
        -------
        log_density : ndarray of shape (n_samples,)
            Without noise, and with variance in a subspace only, the density there.
        """
        check_is_fitted(self)
        X = read_X(self, X, order=None, finite=False)
        variances, noise, axes = self._model()
        k, p = axes.shape
        constant = (p if noise else k) * np.log(2 * np.pi) + np.sum(np.log(variances))
        constant += (p - k) * np.log(noise) if noise else 0.0
        density = np.empty(len(X))

        @quiet
        def part(rows):
            rest = np.subtract(X[rows], self.mean_, dtype=np.float64)
            scores = rest @ axes.T
            distances = np.square(scores) @ (1 / variances)
            if noise:
                rest -= scores @ axes
                distances += np.einsum("ij,ij->i", rest, rest) / noise
            density[rows] = -0.5 * (constant + distances)

        for_each_chunk(part, len(X), row_bytes=8 * p)
        check_finite_sums(density, X, estimator=self)
        return density.astype(np.result_type(X, self.components_), copy=False)

    def score(self, X, y=None):
        """Return the mean log-density of the rows.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
        y : ignored

        Returns
        -------
        log_density : float
        """
        return float(np.mean(self.score_samples(X)))


@quiet
def project(X, axes, mean, estimator):
    """Return the scores of rows by (3), read chunk by chunk and checked for NaN, (n, k).

    Parameters
    ----------
    X : {array, sparse matrix} of shape (n, p), float32 or float64
    axes : array of shape (k, p)
    mean : array of shape (p,), or None for 0
    estimator : estimator, for the message
    """
    if issparse(X):
        check_finite_sums(X.data.sum(), X, estimator=estimator)
        many = X.format == "csr" and X.nnz > AT_ONCE
        scores = product(X, axes.T).astype(np.result_type(X, axes)) if many else X @ axes.T
        return scores if mean is None else scores - mean @ axes.T
    if X.size <= AT_ONCE:
        scores = (X if mean is None else X - mean) @ axes.T
    else:
        scores = np.empty((len(X), len(axes)), np.result_type(X, axes))
        tile = max(TILE, TILE_BYTES // (scores.itemsize * X.shape[1]))

        @quiet
        def part(rows):
            if mean is None:
                np.matmul(X[rows], axes.T, out=scores[rows])
                return
            centred = np.empty((min(tile, rows.stop - rows.start), X.shape[1]), scores.dtype)
            for start in range(rows.start, rows.stop, tile):
                few = slice(start, min(start + tile, rows.stop))
                np.subtract(X[few], mean, out=centred[: few.stop - start])
                np.matmul(centred[: few.stop - start], axes.T, out=scores[few])

        for_each_chunk(part, len(X), row_bytes=X.itemsize * X.shape[1], min_rows=8 * TILE)
    check_finite_sums(scores, X, estimator=estimator)
    return scores


def axes_of(spectrum, k, dtype):
    """Return the first `k` axes, each with the sign that is shown, and by which it was multiplied.

    The entry that is largest in size is positive. Axes without variance are arbitrary, see
    `spectrum.completed`.
    """
    s, axes = spectrum.values, spectrum.axes
    rank = np.count_nonzero(s[:k] > spectrum.rounding * s[0]) if k else 0
    axes = axes[:k] if rank == k else completed(axes[:rank], k)
    axes = np.ascontiguousarray(axes, dtype=dtype)
    largest = np.argmax(np.abs(axes), axis=1)
    negative = axes[np.arange(k), largest] < 0
    signs = np.where(negative, -1.0, 1.0).astype(dtype)
    return signs[:, np.newaxis] * axes, signs


def is_variance(variances, p, dtype):
    """Tell which variances of `p` features are more than rounding: of squares, or of the axes.

    An axis of `dtype` that is wrong by eps sees eps^2 of the largest variance.
    """
    eps = max(np.finfo(np.float64).eps, np.square(float(np.finfo(dtype).eps)))
    return variances > p * eps * variances.max(initial=0.0)


def count_rows(n_present, weight):
    """Return the n of min(n, p), by which a row of weight 2 is two rows, and one of weight 0 none.

    Weights that add up to less than their number do not make the rows fewer.
    """
    return max(n_present, int(weight))
