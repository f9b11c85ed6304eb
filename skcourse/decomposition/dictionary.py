"""A better dictionary for the codes at hand: the half of dictionary learning that is not coding.

Problem     Learn atoms d_1 .. d_k, the rows of D, and codes U of the rows of X:
                min |X - U D|^2 / 2 + alpha sum |U_ij|   with all |d_j| <= 1.                    (1)
            In D alone, and in U alone, it is convex; in both it is not.
Statistics  For given codes, (1) as a function of D is a parabola, and of the rows it needs only
                A = U'U  and  B = U'X:   <A, D D'> / 2 - <B, D> + constant.                      (2)
Iteration   One atom at a time, the others fixed, is a parabola alike in all directions, whose
            minimum under the constraint is the nearest point of the ball to that without it:
                d_j <- d_j + (B_j - A_j D) / A_jj,   d_j <- d_j / max(1, |d_j|).                 (3)
            So (1) never rises. For a positive dictionary, max(d_j, 0) stands between the two.
Unused      An atom with A_jj about 0 has no say in (2): a row of X with some noise takes its place.
Cost        k^2 p for (3), over all atoms; k (k + p) for a row in (2).
Reference   J. Mairal, F. Bach, J. Ponce, G. Sapiro, Online dictionary learning for sparse coding,
            ICML 2009.
"""

import numpy as np

from skcourse.core.factors import factor
from skcourse.core.kernel import kernel

UNUSED = 1e-6  # A_jj up to which an atom has no say; scikit-learn's number
NOISE = 0.01  # of a row's standard deviation: equal atoms would make codes ambiguous


@kernel
def update_atoms(A, B, fresh, positive, D):
    """Do (3) for every atom in turn; those without a say are taken from `fresh`, in their order.

    Parameters
    ----------
    A : array of shape (k, k), (2)
    B : array of shape (k, p), (2)
    fresh : array of shape (number of j with A_jj <= UNUSED, p)
    positive : bool
    D : array of shape (k, p), changed
    """
    k, p = D.shape
    step, n_unused = np.empty(p), 0
    for j in range(k):
        if A[j, j] > UNUSED:
            for f in range(p):
                step[f] = B[j, f]
            for i in range(k):
                weight = A[j, i]
                for f in range(p):
                    step[f] -= weight * D[i, f]
            for f in range(p):
                D[j, f] += step[f] / A[j, j]
        else:
            for f in range(p):
                D[j, f] = fresh[n_unused, f]
            n_unused += 1
        square = 0.0
        for f in range(p):
            if positive and D[j, f] < 0:
                D[j, f] = 0.0
            square += D[j, f] * D[j, f]
        if square > 1:
            length = np.sqrt(square)
            for f in range(p):
                D[j, f] /= length


def improve(D, A, B, X, rng, *, positive, weights=None, verbose=False):
    """Return the dictionary after (3), and a mask of the atoms that were replaced.

    Parameters
    ----------
    D : array of shape (k, p)
    A, B : arrays of shape (k, k) and (k, p), (2)
    X : array of shape (n, p), from which atoms that nobody uses are drawn
    rng : RandomState, drawn from as scikit-learn does
    positive : bool
    weights : array of shape (n,), default=None
        How much likelier than others a row is to be drawn.
    verbose : bool, default=False
    """
    p = None if weights is None or np.ptp(weights) == 0 else weights / weights.sum()
    unused = ~(A.diagonal() > UNUSED)
    fresh = np.empty((np.count_nonzero(unused), D.shape[1]))
    for atom in fresh:
        row = X[rng.choice(len(X), p=p)]
        atom[:] = row + rng.normal(0, NOISE * (row.std() or 1), size=len(row))
    if verbose and len(fresh):
        print(f"{len(fresh)} unused atoms resampled.")
    A, B = (np.ascontiguousarray(a, dtype=np.float64) for a in (A, B))
    better = np.array(D, dtype=np.float64, order="C")
    update_atoms(A, B, fresh, bool(positive), better)
    return better.astype(D.dtype, copy=False), unused


def singular_codes(X, weights, k):
    """Return U, (n, k), and diag(s) V', (k, p), of the k leading terms of X = U diag(s) V'.

    From the triangle of X, or of X' if it is wide, of which it makes one copy. Codes of axes
    without length are 0. With weights, U'diag(w) U = 1.

    Parameters
    ----------
    X : array of shape (n, p)
    weights : array of shape (n,) or None
    k : int, at most min(n, p)
    """
    n, p = X.shape
    if n >= p:
        _, s, V = np.linalg.svd(factor(X, weights=weights, centre=False).R, full_matrices=False)
        code = X @ V[:k].T.astype(X.dtype) / seen(s, n)[:k]  # s may be denormal
        if weights is not None:
            code[weights == 0] = 0
        atoms = s[:k, np.newaxis] * V[:k]
    else:
        roots = np.ones(n) if weights is None else np.sqrt(weights)
        heavy = X if weights is None else roots[:, np.newaxis].astype(X.dtype) * X
        U, s, _ = np.linalg.svd(factor(np.ascontiguousarray(heavy.T), centre=False).R.T)
        atoms = U[:, :k].T.astype(X.dtype) @ heavy
        code = np.where(np.isinf(seen(s, p)[:k]), 0.0, U[:, :k])
        code /= np.where(roots > 0, roots, np.inf)[:, np.newaxis]
    return code.astype(X.dtype, copy=False), atoms.astype(X.dtype, copy=False)


def seen(s, n):
    """Return the singular values s, infinity in the place of those that are rounding."""
    return np.where(s > n * np.finfo(np.float64).eps * s.max(initial=0.0), s, np.inf)


def with_rows(D, k):
    """Return the first k rows of D, or D with rows of zeros below."""
    if len(D) >= k:
        return D[:k]
    return np.concatenate([D, np.zeros((k - len(D), D.shape[1]), D.dtype)])


def check_start(shape, **given):
    """Raise ValueError if one of the arrays that are `given` has another number of columns."""
    for name, array in given.items():
        if array is not None and (array.ndim != 2 or array.shape[1] != shape[1]):
            raise ValueError(
                "Dictionary and X have different numbers of features:"
                f"{name}.shape: {array.shape} X.shape: {shape}"
            )
