"""The E-step where values are missing: exact, by what the seen ones tell of them.

Problem     Row i has values x_s, s its seen features, and lacks the rest, x_m. Of a mixture of
            normal distributions N(m_k, C_k) of weights pi_k, the seen values have the density
                p(x_s) = sum_k pi_k N(x_s; m_k,s, C_k,ss)                                     (1)
            and given them, a row belongs to component k, and there has values and moments
                r_k = pi_k N(x_s; m_k,s, C_k,ss) / p(x_s)                                     (2)
                E_k x_m = m_k,m + C_k,ms C_k,ss^-1 (x_s - m_k,s)                              (3)
                cov_k x_m = C_k,mm - C_k,ms C_k,ss^-1 C_k,sm                                  (4)
            With what is missing replaced by (3), and (4) added to the second moments, the sums are
            those that an M-step needs: the likelihood of what was seen never falls.
Method      Rows that lack the same features share one factorisation for each component, of the
            size of what is missing: see `missing_full`, and `missing_diagonal` where (3) is m_k.
            A row without any value has density 1 and says nothing: the sums leave it out.
Assumption  Which values are missing may depend on the seen ones, but not on themselves.
Reference   Z. Ghahramani, M. Jordan, Supervised learning from incomplete data via an EM approach,
            NIPS, 1994. R. Little, D. Rubin, Statistical Analysis with Missing Data, 2002, ch. 11.
"""

import numpy as np

from skcourse.core.chunks import chunk_slices, for_each_chunk, reduce_blocks
from skcourse.core.missing import groups as by_pattern
from skcourse.mixture import missing_diagonal as diagonal
from skcourse.mixture import missing_full as full
from skcourse.mixture.expectation import Statistics

MIN_ROWS = 64  # of a chunk


def expectation_missing(X, weights, model, n_jobs=-1, about=None, groups=None):
    """Return the sums over the rows of X, some of whose values are missing.

    Parameters
    ----------
    X : array of shape (n, d), float32 or float64, C-contiguous, with NaN for what is missing
    weights : array of shape (n,), or None for ones
    model : Gaussians
    n_jobs : int or None, default=-1
        The sums have the same bits whatever it is.
    about : array of shape (k, d), default=None
        The points that the moments are about; None means the means of `model`.
    groups : Groups, default=None
        Of X, from `core.missing.groups`, if they are at hand.

    Returns
    -------
    statistics : Statistics
        Of rows that have a value; `log_likelihood` is that of the seen values, by (1).
    """
    X, weights = read_only(X), read_only(np.empty(0) if weights is None else weights)
    normals = normals_of(model, about)
    groups = rows_reader(X, model, groups)
    k, d = normals.means.shape
    shape = normals.roots.shape

    def part(rows):
        sums = full.Sums(np.zeros(k), np.zeros((k, d)), np.zeros(shape), np.zeros(3))
        if len(shape) == 3:
            full.expect(X, weights, groups, rows.start, rows.stop, normals, sums)
        else:
            few = weights[rows] if len(weights) else weights
            diagonal.expect(X[rows], few, normals, sums)
        return sums

    slices = chunk_slices(len(X), 8 * k * d, min_rows=MIN_ROWS)
    sums = reduce_blocks(part, slices, n_jobs=n_jobs)
    log_likelihood, entropy, total = map(float, sums.totals)
    second = sums.seconds
    if model.covariance_type == "tied":
        second = second[0]
    elif model.covariance_type == "spherical":
        second = second.sum(axis=1)
    return Statistics(log_likelihood, sums.counts, sums.firsts, second, entropy, total)


def log_densities_missing(X, model, n_jobs=-1):
    """Return log pi_k N(x_s; m_k,s, C_k,ss), the terms of (1), of each row.

    Parameters
    ----------
    X : array of shape (n, d), float32 or float64, C-contiguous, with NaN for what is missing
    model : Gaussians
    n_jobs : int or None, default=-1

    Returns
    -------
    scores : array of shape (n, k), float64
    """
    scores = np.empty((len(X), len(model.means)))
    run_over(X, model, scores, np.empty((0, X.shape[1])), n_jobs)
    return scores


def impute(X, model, n_jobs=-1):
    """Return X with what is missing replaced by its mean given what is seen, sum_k r_k (3).

    Parameters
    ----------
    X : array of shape (n, d), float32 or float64, C-contiguous, with NaN for what is missing
    model : Gaussians
    n_jobs : int or None, default=-1

    Returns
    -------
    filled : array of shape (n, d), dtype of X
    """
    filled = np.array(X)
    run_over(X, model, np.empty((0, len(model.means))), filled, n_jobs)
    return filled


def run_over(X, model, joint, filled, n_jobs):
    """Let the kernels `ask` write into `joint`, or into `filled`; one of them has no rows."""
    X, normals = read_only(X), normals_of(model)
    groups = rows_reader(X, model)

    def part(rows):
        if normals.roots.ndim == 3:
            full.ask(X, groups, rows.start, rows.stop, normals, joint, filled)
        else:
            diagonal.ask(X[rows], normals, joint[rows], filled[rows])

    row_bytes = 8 * normals.means.size
    for_each_chunk(part, len(X), row_bytes=row_bytes, min_rows=MIN_ROWS, n_jobs=n_jobs)


def rows_reader(X, model, groups=None):
    """Return the groups of X where correlations make patterns matter, else None."""
    if model.covariance_type in ("diag", "spherical"):
        return None
    return by_pattern(X) if groups is None else groups


def normals_of(model, about=None):
    """Return the components as the kernels want them, whose sums are to be about `about`."""
    means = np.ascontiguousarray(model.means, dtype=np.float64)
    offsets = np.zeros_like(means) if about is None else means - about
    roots = np.asarray(model.precisions_cholesky, dtype=np.float64)
    if model.covariance_type in ("diag", "spherical"):
        if roots.ndim == 1:
            roots = np.repeat(roots[:, np.newaxis], means.shape[1], axis=1)
        return diagonal.Normals(means, np.ascontiguousarray(roots), model.log_weights, offsets)
    roots = np.ascontiguousarray(roots if roots.ndim == 3 else roots[np.newaxis])
    logs = np.sum(np.log(np.diagonal(roots, axis1=1, axis2=2)), axis=1)
    return full.Normals(means, roots, model.log_weights + logs, offsets)


def read_only(array):
    """Return a view that cannot be written: kernels then compile for one kind of array only."""
    view = array.view()
    view.flags.writeable = False
    return view
