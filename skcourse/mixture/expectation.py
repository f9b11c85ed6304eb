"""What one look at the rows tells of a mixture: the E-step, which sums at once.

Problem     For rows x_i of weight w_i, Gaussians N(m_k, C_k) of log-weight a_k,
                s_ik = a_k + log N(x_i | m_k, C_k),   l_i = log sum_k exp s_ik               (1)
                r_ik = exp(s_ik - l_i)                                                       (2)
            and over all rows the sums
                L = sum w_i l_i,   H = -sum w_i r_ik log r_ik                                (3)
                n_k = sum w_i r_ik,   s_k = sum w_i r_ik (x_i - o_k)                         (4)
                S_k = sum w_i r_ik (x_i - o_k)(x_i - o_k)'                                   (5)
            about points o_k, the means m_k unless others are given. (5) is one sum over k if
            tied, its diagonal if diag, and its trace if spherical.
Method      Chunk by chunk: neither an (n, k) nor an (n, k, d) array is made.
Reference   A. Dempster, N. Laird, D. Rubin, Maximum likelihood from incomplete data via the EM
            algorithm, J. Royal Statistical Society B, 1977.
"""

from typing import NamedTuple

import numpy as np

from skcourse.core.chunks import chunk_slices, for_each_chunk, reduce_blocks
from skcourse.core.gaussians import log_constants, log_densities
from skcourse.mixture.tiles import BLOCK, Components, Sums, expect, new_tile, score_rows

FEW = 2**14  # numbers in X, for which a tile is not worth while
LOWEST = -1e300  # the log-weight of a component that has none


class Gaussians(NamedTuple):
    """A mixture: what (1) asks for. All float64."""

    log_weights: np.ndarray  # a_k, (k,); -inf for a component without weight
    means: np.ndarray  # m_k, (k, d)
    precisions_cholesky: np.ndarray  # U_k, P_k = U_k U_k'; see core.gaussians for the shapes
    covariance_type: str  # "full", "tied", "diag" or "spherical"


class Statistics(NamedTuple):
    """The sums (3), (4) and (5) over some rows; those of two sets of rows add up. All float64."""

    log_likelihood: float  # L
    weights: np.ndarray  # n_k, (k,)
    first: np.ndarray  # s_k, (k, d)
    second: np.ndarray  # full S_k, (k, d, d); tied (d, d); diag (k, d); spherical (k,)
    entropy: float  # H
    total: float  # sum w_i


def expectation(X, weights, model, n_jobs=-1, about=None):
    """Return the sums over the rows of X.

    Parameters
    ----------
    X : array of shape (n, d), float32 or float64, C-contiguous, without NaN
    weights : array of shape (n,), or None for ones
    model : Gaussians
    n_jobs : int or None, default=-1
        The sums have the same bits whatever it is.
    about : array of shape (k, d), default=None
        The points o_k; None means the means of `model`.

    Returns
    -------
    statistics : Statistics
    """
    about = model.means if about is None else about
    X, weights = read_only(X), read_only(np.empty(0) if weights is None else weights)
    components = components_of(model, about)

    def part(rows):
        sums = tiles_sums(components, model.covariance_type)
        few = weights[rows] if len(weights) else weights
        expect(X[rows], few, components, new_tile(*components.points.shape), sums)
        return sums

    slices = chunk_slices(len(X), 8 * X.shape[1], min_rows=1024)
    return statistics_of(reduce_blocks(part, slices, n_jobs=n_jobs), about, model.covariance_type)


def scores_of(X, model, n_jobs=-1):
    """Return s_ik of (1) for the rows of X, (n, k), dtype of X; of a few, without the tiles."""
    if X.size <= FEW:
        return log_densities(X, *model[1:], model.log_weights)
    X, none = read_only(X), read_only(np.empty(0))
    components = components_of(model, model.means)
    scores = np.empty((len(X), len(model.means)), X.dtype)

    def part(rows):
        tile = new_tile(*components.points.shape)
        score_rows(X[rows], none, components, tile, scores[rows])

    row_bytes = 8 * components.points.shape[1]
    for_each_chunk(part, len(X), row_bytes=row_bytes, min_rows=1024, n_jobs=n_jobs)
    return scores


def components_of(model, about):
    """Return the mixture as the tiles want it."""
    k, d = model.means.shape
    wide = -(-d // BLOCK) * BLOCK
    shares = np.exp(model.log_weights - model.log_weights.max())
    origin = shares @ about / shares.sum()
    upper, kind = model.precisions_cholesky, model.covariance_type
    constants = model.log_weights + log_constants(upper, kind, d)
    points, around = np.zeros((k, wide)), np.zeros((k, wide))
    points[:, :d], around[:, :d] = model.means - origin, about - origin
    if kind in ("diag", "spherical"):
        square = np.zeros((k, 1, wide))
        square[:, 0, :d] = upper if kind == "diag" else upper[:, np.newaxis]
    else:
        square = np.zeros((k if kind == "full" else 1, wide, wide))
        square[:, :d, :d] = upper
    shifts = np.zeros((k, wide))
    if kind in ("full", "tied"):
        shifts = np.matvec(np.swapaxes(square, 1, 2), points)
        points = shifts if len(square) == 1 else points
    return Components(points, square, shifts, np.maximum(constants, LOWEST), around, origin)


def tiles_sums(components, covariance_type):
    """Return zeros for what the tiles sum."""
    k, d = components.points.shape
    wide = -(-k // BLOCK) * BLOCK if components.upper.shape[:2] == (1, d) else 0
    return Sums(
        np.zeros(k),
        np.zeros((k, d)),
        np.zeros(components.upper.shape),
        np.zeros((wide, wide)),
        np.zeros(3),
    )


def statistics_of(sums, about, covariance_type):
    """Return what the tiles summed as Statistics."""
    k, d = about.shape
    second = sums.second[:, :d, :d] if sums.second.shape[1] > 1 else sums.second[:, 0, :d]
    if sums.mixed.size:
        apart = about[:, np.newaxis] - about
        mixed = np.tril(sums.mixed[:k, :k], -1)
        second = second + np.einsum("jk,jkf,jkg->fg", mixed, apart, apart)
    if second.ndim == 3:
        second = np.tril(second) + np.swapaxes(np.tril(second, -1), 1, 2)
        second = second[0] if covariance_type == "tied" else second
    elif covariance_type == "spherical":
        second = second.sum(axis=1)
    log_likelihood, entropy, total = map(float, sums.totals)
    first = np.ascontiguousarray(sums.first[:, :d])
    return Statistics(log_likelihood, sums.weights, first, second, entropy, total)


def new_sums(about, covariance_type):
    """Return zeros of the shapes of s_k and S_k about points (k, d)."""
    k, d = about.shape
    shapes = {"full": (k, d, d), "tied": (d, d), "diag": (k, d), "spherical": (k,)}
    return np.zeros((k, d)), np.zeros(shapes[covariance_type])


def moments(X, shares, about, covariance_type):
    """Return n_k, s_k and S_k, (4) and (5), for a few rows with given `shares` w_i r_ik, (n, k)."""
    first, second = new_sums(about, covariance_type)
    for j in range(len(about)):
        some = np.flatnonzero(shares[:, j])
        z, r = X[some] - about[j], shares[some, j]
        first[j] = r @ z
        if covariance_type in ("full", "tied"):
            z *= np.sqrt(r)[:, np.newaxis]
            target = second[j] if covariance_type == "full" else second
            target += z.T @ z
        else:
            squares = r @ np.square(z)
            second[j] = squares if covariance_type == "diag" else squares.sum()
    return shares.sum(axis=0), first, second


def read_only(array):
    """Return a view that cannot be written: kernels then compile for one kind of array only."""
    view = array.view()
    view.flags.writeable = False
    return view
