"""Rotations of factors that make loadings easier to read: large ones larger, small ones smaller.

Problem     Of loadings L, (p, k), find a rotation R, (k, k), for which the squares of B = L R vary
            most, within each column (varimax) or as they are (quartimax):
                max over R of  sum_jf B_fj^4 - c/p sum_j (sum_f B_fj^2)^2,  c = 1 or 0    (1)
            The model does not see it, since L R R' L' = L L'.
Iteration   With the gradient of (1) at R, up to a factor of 4, and its singular values s,
                G = L'(B^3 - c/p B diag(sum_f B_fj^2)) = U diag(s) V',   R <- U V'        (2)
            the rotation nearest to the gradient. The sum of the s is at least (1), rises with it,
            and the end is where it rises no more.
Cost        2 p k^2 products an iteration, of which there are a few dozen.
Reference   H. Kaiser, The varimax criterion for analytic rotation in factor analysis,
            Psychometrika, 1958.
"""

import numpy as np


def rotated(loadings, method, *, tol=1e-6, max_iter=100):
    """Return L R by (2).

    Parameters
    ----------
    loadings : array of shape (p, k)
    method : {"varimax", "quartimax"}
    tol : float, default=1e-6
        The end is where the sum of the singular values rises by less than this, relative to it.
    max_iter : int, default=100

    Returns
    -------
    loadings : array of shape (p, k)
    """
    p, k = loadings.shape
    rotation, before = np.eye(k), 0.0
    for _ in range(max_iter if k else 0):
        B = loadings @ rotation
        centre = np.sum(np.square(B), axis=0) / p if method == "varimax" else 0.0
        U, s, Vt = np.linalg.svd(loadings.T @ (B**3 - B * centre))
        rotation, size = U @ Vt, np.sum(s)
        if before != 0 and size < before * (1 + tol):
            break
        before = size
    return loadings @ rotation
