"""Log-densities of Gaussians, by triangles of their precisions.

Model       With an upper triangle U for which the precision is P = U U', so that the covariance
            is C = U^-T U^-1,
                log N(x | m, C) = log det U - d / 2 log 2 pi - |U' (x - m)|^2 / 2             (1)
            Nothing is inverted to evaluate it, and |U' (x - m)|^2 cannot be negative.
Types       Of several Gaussians, what a triangle has to say depends on the covariance type:
                full        U_k, (k, d, d)          diag        the diagonal of U_k, (k, d)
                tied        one U, (d, d)           spherical   U_k = u_k 1, (k,)
Triangle    With the Cholesky factor C = L L', U = L^-T; from P, Cholesky's method backwards: J P J
            = M M' with J that reverses the features, U = J M J.                              (2)
Cost        k d (d + 1) / 2 products per row for full, k d for the others and d^2 / 2 for tied.

Naive Bayes, discriminant analysis and mixtures all ask here.
"""

import numpy as np
from scipy.linalg import solve_triangular

from skcourse.core.chunks import for_each_chunk

TYPES = ("full", "tied", "diag", "spherical")
LOG_2_PI = np.log(2 * np.pi)
TILE_BYTES = 2**17  # of rows that are whitened at a time, in cache


class IllDefined(ValueError):
    """A covariance is not positive definite."""


def triangles(covariances, covariance_type):
    """Return U by (2), in float64 and the shape of `covariances`.

    Raises
    ------
    IllDefined
        If a covariance is not positive definite, or not finite.
    """
    covariances = np.asarray(covariances, np.float64)
    if covariance_type in ("diag", "spherical"):
        if not np.all(covariances > 0):
            raise IllDefined("a variance is not positive")
        if not np.isfinite(covariances).all():
            raise IllDefined("a variance is not finite")
        return 1.0 / np.sqrt(covariances)
    try:
        lower = np.linalg.cholesky(covariances)
    except np.linalg.LinAlgError as error:
        raise IllDefined("a covariance is not positive definite") from error
    if not np.isfinite(lower).all():
        raise IllDefined("a covariance is not finite")
    stacked = lower if lower.ndim == 3 else lower[np.newaxis]
    identity = np.eye(stacked.shape[-1])
    upper = np.stack([solve_triangular(one, identity, lower=True).T for one in stacked])
    return np.ascontiguousarray(upper.reshape(lower.shape))


def triangles_of_precisions(precisions, covariance_type):
    """Return U with U U' = P, by (2), of precisions that are positive definite."""
    precisions = np.asarray(precisions, np.float64)
    if covariance_type in ("diag", "spherical"):
        return np.sqrt(precisions)
    backwards = np.linalg.cholesky(precisions[..., ::-1, ::-1])
    return np.ascontiguousarray(backwards[..., ::-1, ::-1])


def precisions_of(upper, covariance_type):
    """Return P = U U', in the shape of `upper`."""
    if covariance_type in ("diag", "spherical"):
        return upper**2
    return upper @ np.swapaxes(upper, -1, -2)


def covariances_of(upper, covariance_type):
    """Return C = U^-T U^-1, in the shape of `upper`."""
    if covariance_type in ("diag", "spherical"):
        return 1.0 / upper**2
    stacked = upper if upper.ndim == 3 else upper[np.newaxis]
    identity = np.eye(upper.shape[-1])
    lower = np.stack([solve_triangular(one, identity, lower=False).T for one in stacked])
    return (lower @ np.swapaxes(lower, -1, -2)).reshape(upper.shape)


def log_constants(upper, covariance_type, n_features):
    """Return log det U - d / 2 log 2 pi of (1): (k,), or a number if tied."""
    if covariance_type in ("full", "tied"):
        log_det = np.sum(np.log(np.diagonal(upper, axis1=-2, axis2=-1)), axis=-1)
    elif covariance_type == "diag":
        log_det = np.sum(np.log(upper), axis=1)
    else:
        log_det = n_features * np.log(upper)
    return log_det - n_features / 2 * LOG_2_PI


def stacked(upper, covariance_type, shape):
    """Return U for each of k Gaussians in d dimensions, `shape`: (k, d, d), or diagonals (k, d)."""
    if covariance_type == "full":
        return upper
    if covariance_type == "tied":
        return np.broadcast_to(upper, (shape[0], *upper.shape))
    return upper if covariance_type == "diag" else np.repeat(upper[:, np.newaxis], shape[1], axis=1)


def squares(X, means, upper, covariance_type, out):
    """Write |U_k' (x_i - m_k)|^2 into `out`, (n, k), for a few rows of X; in the dtype of `out`."""
    if covariance_type == "tied":
        whitened = (X - means[0]) @ upper
        X, means = whitened, (means - means[0]) @ upper
        upper = np.ones((len(means), X.shape[1]), out.dtype)
    upper = stacked(upper, "diag" if covariance_type == "tied" else covariance_type, means.shape)
    for k in range(len(means)):
        z = X - means[k]
        z = z @ upper[k] if upper.ndim == 3 else z * upper[k]
        np.einsum("ij,ij->i", z, z, out=out[:, k])


def log_densities(X, means, upper, covariance_type, log_weights=0.0, n_jobs=-1):
    """Return log w_k + log N(x_i | m_k, C_k) by (1).

    Parameters
    ----------
    X : array of shape (n, d), float32 or float64
    means : array of shape (k, d)
    upper : array, the triangles U, their shape by `covariance_type`
    covariance_type : {"full", "tied", "diag", "spherical"}
    log_weights : array of shape (k,) or number, default=0.0
    n_jobs : int or None, default=-1

    Returns
    -------
    scores : array of shape (n, k), dtype of X
    """
    n, d = X.shape
    constants = log_weights + log_constants(upper, covariance_type, d)
    means, upper = means.astype(X.dtype, copy=False), upper.astype(X.dtype, copy=False)
    scores = np.empty((n, len(means)), X.dtype)
    tile = max(16, TILE_BYTES // (X.itemsize * d))

    def part(rows):
        for start in range(rows.start, rows.stop, tile):
            few = slice(start, min(start + tile, rows.stop))
            squares(X[few], means, upper, covariance_type, scores[few])
            scores[few] *= -0.5
            scores[few] += constants

    if n <= tile:  # a few rows need no threads
        part(slice(0, n))
        return scores
    for_each_chunk(part, n, row_bytes=X.itemsize * d * len(means), min_rows=4 * tile, n_jobs=n_jobs)
    return scores
