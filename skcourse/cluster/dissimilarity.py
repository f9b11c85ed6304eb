"""Dissimilarities between all rows of X and all rows of Y, by any measure.

Euclidean ones come from `core.distances`, a tile of rows at a time on all threads. A function that
the user compiled with numba runs in a compiled loop of its own, made anew in each process.
Everything else, by name or as a Python function, is `sklearn.metrics.pairwise_distances`.

`Stored` and `Computed` give rows of the matrix of all pairs: from memory, or made when asked for.
"""

import inspect

import numba
import numpy as np
import scipy.sparse as sp
from numba.core.errors import TypingError
from numba.core.registry import CPUDispatcher
from sklearn.metrics import pairwise_distances

from skcourse.core.chunks import for_each_chunk
from skcourse.core.distances import prepare, squared_distances


def dissimilarities(X, Y, metric, params=None):
    """Return d(x_i, y_j), (n, m), in the dtype of X.

    Parameters
    ----------
    X : {array, sparse matrix} of shape (n, d)
    Y : the same of shape (m, d), or an array if X is sparse
    metric : str or callable
        A name that `pairwise_distances` knows, or a function of two rows.
    params : dict or None
        Further arguments of the metric, by name.

    Raises
    ------
    ValueError
        If a dissimilarity is NaN, infinite or negative.
    """
    params = params or {}
    if isinstance(metric, str) and metric in EUCLIDEAN and not params and isinstance(X, np.ndarray):
        out = euclidean(X, Y)
        if metric != "sqeuclidean":
            np.sqrt(out, out=out)
    elif isinstance(metric, CPUDispatcher):
        out = compiled(X, Y, metric, arguments(metric, params))
    else:
        Y = sp.csr_array(Y) if sp.issparse(X) else Y
        if callable(metric) or metric == "russellrao":
            Y = Y[:]  # pairwise_distances takes d(x, y) = d(y, x) and d(x, x) = 0 where Y is X
        out = pairwise_distances(X, Y, metric=metric, **params)
        out = np.ascontiguousarray(out, dtype=X.dtype)
    check(out, metric)
    return out


EUCLIDEAN = ("euclidean", "l2", "sqeuclidean")


def euclidean(X, Y):
    """Return |x_i - y_j|^2, (n, m); no square is expanded."""
    out = np.empty((len(X), len(Y)), X.dtype)
    padded = prepare(Y.astype(np.float64), np.zeros(X.shape[1], X.dtype))

    def part(rows):
        squared_distances(np.asarray(X[rows]), padded, len(Y), out[rows])

    for_each_chunk(part, len(X), row_bytes=X.itemsize * len(Y))
    return out


@numba.njit(nogil=True, error_model="numpy")  # not kept on disk: a function as argument never is
def fill(metric, X, Y, params, out):
    """Write metric(x_i, y_j, ...) into `out`, (n, m)."""
    for i in range(X.shape[0]):
        for j in range(Y.shape[0]):
            out[i, j] = metric(X[i], Y[j], *params)


def compiled(X, Y, metric, params):
    """Return what a function compiled by numba says of each pair, (n, m), on all threads."""
    if not isinstance(X, np.ndarray):
        raise TypeError("Sparse data was passed, but a compiled metric takes dense rows.")
    out = np.empty((len(X), len(Y)), X.dtype)

    def part(rows):
        fill(metric, np.array(X[rows], order="C"), Y, params, out[rows])

    Y = np.array(Y, order="C")  # copies: C-contiguous and writable, as its signature may demand
    try:
        for_each_chunk(part, len(X), row_bytes=16 * len(Y))
    except TypingError as error:
        raise TypeError(
            f"metric={metric.__name__} cannot be compiled as a function of two rows of {X.dtype} "
            "that returns a number; numba says why, above."
        ) from error
    return out


def arguments(metric, params):
    """Return the arguments after the two rows, by their names in a function compiled by numba."""
    try:
        bound = inspect.signature(metric.py_func).bind(None, None, **params)
    except TypeError as error:
        raise TypeError(
            f"metric={metric.__name__} should be a function of two rows, and of metric_params "
            f"after them: {error}."
        ) from error
    bound.apply_defaults()
    return bound.args[2:]


def with_scale_of(X, metric, params):
    """Return `params` with the variances or the covariance of X, if the metric asks for them.

    Raises
    ------
    ValueError
        If the metric divides by what is zero.
    """
    params = dict(params or {})
    asked = (
        {"seuclidean": "V", "mahalanobis": "VI"}.get(metric) if isinstance(metric, str) else None
    )
    if asked is None or asked in params:
        return params
    constant = np.flatnonzero(np.ptp(X, axis=0) == 0)
    if len(constant):
        raise ValueError(
            f"metric={metric!r} divides by variances: X has only one value in column(s) "
            f"{', '.join(map(str, constant[:10]))}. Remove them, or give {asked} in metric_params."
        )
    if metric == "seuclidean":
        params["V"] = np.var(X, axis=0, ddof=1, dtype=np.float64)
    else:
        covariance = np.cov(X, rowvar=False, dtype=np.float64)
        params["VI"] = np.linalg.inv(np.atleast_2d(covariance)).T
    return params


def check(distances, metric):
    """Raise ValueError unless all are numbers that are not negative."""
    lowest, highest = distances.min(), distances.max()
    if not (np.isfinite(lowest) and np.isfinite(highest)):
        raise ValueError(f"The dissimilarities by metric={metric!r} contain NaN or infinity.")
    if lowest < 0:
        raise ValueError(f"The dissimilarities by metric={metric!r} contain negative numbers.")


ROOM = 2**30  # bytes: up to here the dissimilarities of all pairs are kept


class Stored:
    """The dissimilarities of all pairs, in memory."""

    def __init__(self, matrix):
        self.matrix = matrix  # d(o, j) at [j, o], (n, n), C-contiguous

    def __len__(self):
        return len(self.matrix)

    def rows(self, indices):
        """Return d(., j) for each j of `indices`, (m, n)."""
        return self.matrix[indices]


class Computed:
    """The dissimilarities of all pairs of rows of X, computed when asked for."""

    def __init__(self, X, metric, params):
        self.X, self.metric, self.params = X, metric, params

    def __len__(self):
        return self.X.shape[0]

    def rows(self, indices):
        """Return d(., j) for each j of `indices`, (m, n)."""
        few = self.X[indices]
        return np.ascontiguousarray(dissimilarities(self.X, few, self.metric, self.params).T)


def between_samples(X, metric, params):
    """Return the dissimilarities between the rows of X, kept if they take no more than `ROOM`."""
    if X.shape[0] ** 2 * X.dtype.itemsize > ROOM:
        return Computed(X, metric, params)
    return Stored(np.ascontiguousarray(dissimilarities(X, X, metric, params).T))
