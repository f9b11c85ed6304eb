"""Wide problems by their Gram matrix: as many unknowns as rows, however many columns.

Problem     With rows A, (n, p), n < p, and targets v, the ridge solution is a combination of rows:
                b = A'c,   (K + alpha I) c = v,   K = A A'.                                   (1)
            Rows about their weighted mean are linearly dependent: K q = 0 for
                q_i = (w_i / sum w)^(1/2).                                                    (2)
            K squares the condition of A. The triangle of A' = Q R does not, and has the same
            left singular vectors and values: A = U diag(s) W', R' = U diag(s) V'.            (3)
Cost        n^2 p products for K, 4 n^2 p for R, a block of columns at a time; n^3 / 3 for c.
Reference   C. Saunders, A. Gammerman, V. Vovk, Ridge regression learning algorithm in dual
            variables, ICML 1998.
"""

import numpy as np

from skcourse.core.chunks import chunk_slices, reduce_blocks
from skcourse.core.linalg import triangle
from skcourse.linear_model import spectrum

EPS = np.finfo(np.float64).eps


def gram(rows):
    """Return K, (n, n), of `CentredRows`; no more than a block of columns is centred at a time."""
    roots = np.ones((rows.shape[0], 1)) if rows.roots is None else rows.roots
    if rows.sparse:
        X, mean = rows.X.multiply(roots).tocsr(), rows.mean
        cross = (X @ mean)[:, np.newaxis] * roots.T
        return (X @ X.T).toarray() - cross - cross.T + (mean @ mean) * (roots * roots.T)

    def part(columns):
        block = columns_of(rows, columns)
        return block @ block.T

    return reduce_blocks(part, chunk_slices(rows.shape[1], 8 * rows.shape[0]))


def columns_of(rows, columns):
    """Return a slice of the columns of A, where X is dense."""
    block = np.subtract(rows.X[:, columns], rows.mean[columns], dtype=np.float64)
    if rows.roots is not None:
        block *= rows.roots
    return block


def factor_of_columns(rows):
    """Return the triangle R of A' = Q R of (3), (min(n, p), n), where X is dense."""
    n, p = rows.shape
    return reduce_blocks(
        lambda columns: triangle(columns_of(rows, columns).T.copy()),
        chunk_slices(p, 8 * n, min_rows=4 * n),
        lambda a, b: triangle(np.vstack([a, b])),
    )


def spectrum_of(rows, targets):
    """Return U, s and c = U'v of `CentredRows` of dense X by (3), with U of shape (n, r)."""
    rounding = rows.shape[1] * EPS
    return spectrum.of_rows(factor_of_columns(rows).T, targets, rounding, left=True)


def whole_spectrum(rows, targets, apart, alpha, limit, *, orthogonal):
    """Return the spectrum with all of U, from which a vector q of the null space can be left out.

    q joins A as one more column, longer than all of A: so it is the first of the vectors found,
    to working precision, and can be left out.

    Parameters
    ----------
    rows : CentredRows
    targets : array of shape (n, t), v
    apart : array of shape (n,) or None, q
    alpha : float, the least penalty that matters
    limit : float, the condition number of K + alpha I up to which K will do
    orthogonal : bool, never to use K

    Returns
    -------
    found : Spectrum, with U of shape (n, n) or (n, n - 1)
    """
    n, p = rows.shape
    first = 0 if apart is None else 1
    K = None if orthogonal else gram(rows)
    if K is not None and (rows.sparse or np.isfinite(K).all()):
        if apart is not None:
            K += np.outer(apart * (2 * np.abs(K).sum(axis=0).max() or 1.0), apart)
        found = spectrum.of_gram(K, targets, n * EPS)
        s, U = found.values[first:], found.vectors[:, first:]
        certified = len(s) == 0 or s[0] ** 2 + alpha <= limit * (s[-1] ** 2 + alpha)
        if certified or rows.sparse:
            return spectrum.Spectrum(U, s, found.projected[first:], found.noise)
    R = factor_of_columns(rows)
    if apart is not None:
        largest = np.abs(R).max() or 1.0
        length = 2 * largest * np.linalg.norm(R / largest) or 1.0  # no square overflows
        R = triangle(np.vstack([R, apart * length]))
    U, s, _ = np.linalg.svd(R.T)
    s = np.where(s > p * EPS * s[0], s, 0.0)
    return spectrum.Spectrum(U[:, first:], s[first:], U[:, first:].T @ targets)


def coefficients(rows, found, alphas, targets=None):
    """Return b = A'U diag(1 / (s^2 + alpha)) c, (p, t), for one penalty per target.

    Given the targets v, after a step like that of `spectrum`, on the coefficients of the rows.
    """
    s = found.values
    unit = s[0] if s.any() else 1.0  # 1 / s^2 may underflow where b does not
    ratios = np.divide(unit, s, out=np.zeros(len(s)), where=s > 0)[:, np.newaxis]
    factors = spectrum.shrinkage(found, alphas) * ratios
    c = found.vectors @ (found.projected * factors)
    b = rows.rmatmat(c) / unit
    if targets is None:
        return b
    residual = targets - rows.matmat(b) - alphas / unit * c
    c += found.vectors @ ((found.vectors.T @ residual) * factors)
    return rows.rmatmat(c) / unit


def null_vector(rows):
    """Return q of (2), (n,), a vector of length 1 that is orthogonal to every column of A."""
    roots = np.ones(rows.shape[0]) if rows.roots is None else rows.roots[:, 0]
    return roots / np.linalg.norm(roots)
