"""Leading singular vectors by the Lanczos iteration of ARPACK.

Problem     Of A, (n, p), find the k largest singular values and their singular vectors, by
            products with A and A' alone, to a tolerance.
Iteration   The space spanned by u, B u, B^2 u, ... with B = A'A or A A', whichever is smaller,
            holds ever better eigenvectors of B; restarts keep it short.
Cost        A few times k products with A and A', one vector at a time: A is read for each. For
            dense A, `randomized` reads it less often; for sparse A there is nothing better.
Reference   R. Lehoucq, D. Sorensen, C. Yang, ARPACK Users' Guide, SIAM, 1998.
"""

import numpy as np
from scipy.sparse.linalg import svds
from sklearn.utils import check_random_state

from skcourse.core.chunks import one_blas_thread
from skcourse.decomposition.spectrum import EPS, Spectrum

AT_ONCE = 2**20  # entries of A: below, it is written out


def lanczos(A, k, *, tol=0.0, size, random_state=None):
    """Return the `k` leading singular values and vectors of centred rows.

    Parameters
    ----------
    A : CentredRows of shape (n, p), dense or sparse
    k : int, less than n and p
    tol : float, default=0.0
        Of the singular values, relative; 0 is the precision of the rows.
    size : float, |A|
    random_state : int, RandomState instance or None, default=None
        Draws u.

    Returns
    -------
    spectrum : Spectrum

    Raises
    ------
    scipy.sparse.linalg.ArpackNoConvergence
    """
    n, p = A.shape
    start = check_random_state(random_state).uniform(-1, 1, min(n, p))
    if tol == 0 and A.X.dtype == np.float32:
        tol = np.finfo(np.float32).eps / 10
    small = not A.sparse and n * p <= AT_ONCE
    with one_blas_thread():
        U, s, Vt = svds(A.block(slice(0, n)) if small else A, k, tol=tol, v0=start)
    order = np.argsort(s)[::-1]
    return Spectrum(s[order], Vt[order], size, np.sqrt(max(n, p) * EPS), U[:, order] * s[order])
