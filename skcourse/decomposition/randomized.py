"""Leading singular vectors from random directions, by block Krylov iteration.

Problem     Of A, (n, p), find the k largest singular values s_i and their right singular
            vectors, looking at A a few times only, in b > k directions at a time.
Iteration   From a random block, n x b, orthonormal blocks of p rows:
                Q_0 = orth(A' random)                                                 (1)
                Q_{j+1} = orth(A'A Q_j), orthogonal to Q_0 .. Q_j as well             (2)
            Each step multiplies the share of v_i in a block by s_i^2. Subspace iteration keeps
            the last block only; all of them together hold the best polynomial in A'A, which
            after 4 steps captures more than 7 steps of a single block do; as the blocks support
            each other, b = k + n_oversamples / 2 is wide enough. Of the whole,
                Q = [Q_0 .. Q_q],   A Q = U diag(s) Z',   v_i = Q z_i                 (3)
            and A Q is known from (2) but for its last block. The scores A V are U diag(s).
Memory      The blocks that are kept hold (q + 1) b (n + p) numbers. Steps beyond `KEPT`, or
            beyond half of the smaller dimension, come first and keep one block, normalised by
            QR, by LU, which is cheaper, or not at all.
Cost        (2 q + 2) b n p products, each chunk of A being read once for two of them.
Reference   N. Halko, P.-G. Martinsson, J. Tropp, Finding structure with randomness, SIAM Review,
            2011. C. Musco, C. Musco, Randomized block Krylov methods, NeurIPS, 2015.
"""

import numpy as np
from scipy import linalg

from skcourse.core.chunks import one_blas_thread
from skcourse.core.random import seeds
from skcourse.decomposition.spectrum import EPS, Spectrum

STEPS = 4  # for iterated_power="auto"
KEPT = 4  # steps that keep their block
STRAY = 1e-9  # a part in Q whose square is beyond the last digit
TIES = 1e-12  # of a block, relative to it: what is left there is rounding


def block_width(shape, k, n_oversamples):
    """Return b: wider where no second block can be kept."""
    b = k + (n_oversamples + 1) // 2
    return b if n_kept(shape, b) else k + n_oversamples


def n_kept(shape, b):
    """Return how many steps may keep their block."""
    return max(0, min(KEPT, min(shape) // (2 * b) - 1))


def is_worthwhile(shape, b, n_steps):
    """Tell whether the passes cost less than an exact decomposition."""
    return (n_steps + 1) * b < 2 * min(shape) and b < min(shape)


def block_krylov(A, k, b, *, n_steps=STEPS, normalizer="auto", size, random_state=None):
    """Return the `k` leading singular values and vectors of centred rows.

    Parameters
    ----------
    A : CentredRows of shape (n, p), dense
    k : int
    b : int, at least `k`, less than n and p
    n_steps : int, default=4
        q of (2).
    normalizer : {"auto", "QR", "LU", "none"}, default="auto"
        Of the steps that keep one block; "auto" is LU.
    size : float, |A|
    random_state : int, RandomState instance or None, default=None

    Returns
    -------
    spectrum : Spectrum
    """
    n, p = A.shape
    rng = np.random.default_rng(seeds(random_state, 1))
    kept = min(n_steps, n_kept((n, p), b))
    block = A.rmatmat(rng.standard_normal((n, b)))  # (1), (p, b)
    product = np.empty((n, b))
    for _ in range(n_steps - kept):
        block = A.round_trip(normalised(block, normalizer), product)

    Q = np.empty((p, (kept + 1) * b), order="F")
    AQ = np.empty((n, (kept + 1) * b))
    for j in range(kept + 1):
        last = slice(j * b, (j + 1) * b)
        Q[:, last] = orthonormal(block, Q[:, : last.start], rng)
        if j < kept:
            block = A.round_trip(Q[:, last], AQ[:, last])  # (2)
    AQ[:, last] = A.matmat(Q[:, last])
    return ritz(Q, AQ, k, size)


def normalised(block, normalizer):
    """Return a block of the same range whose columns are less alike, and not too large."""
    with one_blas_thread():
        if normalizer == "QR":
            return linalg.qr(block, mode="economic", check_finite=False)[0]
        if normalizer == "none":
            return block
        return linalg.lu(block, permute_l=True, check_finite=False)[0]


def orthonormal(block, Q, rng):
    """Return an orthonormal basis of a block less its part in Q, of as many columns.

    Where columns depend on each other or on Q, random directions take their places.
    """
    with one_blas_thread():
        size = np.linalg.norm(block)
        block = block - Q @ (Q.T @ block)
        block, R, _ = linalg.qr(block, mode="economic", pivoting=True, check_finite=False)
        lost = np.abs(np.diagonal(R)) <= TIES * size
        block[:, lost] = rng.standard_normal((len(block), np.count_nonzero(lost)))
        along = Q.T @ block
        block -= Q @ along  # twice is enough
        if np.any(lost) or np.abs(along).max(initial=0.0) > STRAY:
            block = linalg.qr(block, mode="economic", check_finite=False)[0]
        return block


def ritz(Q, AQ, k, size):
    """Return the spectrum by (3), from Q, (p, d), and A Q, (n, d)."""
    with one_blas_thread():
        R = linalg.qr(AQ, mode="r", check_finite=False)[0]
        _, s, Zt = np.linalg.svd(R[: AQ.shape[1]])
        axes = Zt[:k] @ Q.T
        return Spectrum(s[:k], axes, size, len(Q) * EPS, AQ @ Zt[:k].T)
