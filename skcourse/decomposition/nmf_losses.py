"""The beta-divergences of non-negative factorisation, and what a multiplicative step takes of them.

Divergence  Of x from y, both at least 0, summed over all entries of X and Y = W H:
                d_2(x, y) = (x - y)^2 / 2                      (Frobenius)                     (1)
                d_1(x, y) = x log(x / y) - x + y               (Kullback-Leibler)              (2)
                d_0(x, y) = x / y - log(x / y) - 1             (Itakura-Saito)                 (3)
                d_b(x, y) = (x^b + (b - 1) y^b - b x y^(b-1)) / (b (b - 1))                    (4)
Gradient    In y it is  y^(b-1) - x y^(b-2) = S - R,  so that in W it is S H' - R H', and in H it is
            W'S - W'R. R and S are at least 0: a step divides them, see `nmf_multiplicative`.
Zeros       y is at least EPSILON wherever one divides by it.
Reference   C. Fevotte, J. Idier, Algorithms for nonnegative matrix factorization with the
            beta-divergence, Neural Computation, 2011.
"""

import numpy as np

EPSILON = float(np.finfo(np.float32).eps)
NAMES = {"frobenius": 2, "kullback-leibler": 1, "itakura-saito": 0}


def beta_of(beta_loss):
    """Return the number of a divergence, which may be given by its name."""
    return NAMES.get(beta_loss, beta_loss)


def exponent(beta):
    """Return the power of R / S by which a step never raises the divergence, in (0, 1]."""
    if beta < 1:
        return 1 / (2 - beta)
    return 1 / (beta - 1) if beta > 2 else 1.0


def ratios(x, y, beta):
    """Return R and S; the array y may be overwritten by R.

    Parameters
    ----------
    x, y : arrays of shape (m, p), rows of X and of W H
    beta : number

    Returns
    -------
    R : array of shape (m, p)
    S : array of shape (m, p); None for 1 and for 2, whose sums are known without
    """
    if beta == 2:
        return x, None
    if beta == 1:
        np.maximum(y, EPSILON, out=y)
        return np.divide(x, y, out=y), None
    if beta < 1:
        np.maximum(y, EPSILON, out=y)
    S = y ** (beta - 1) if beta else 1 / y
    if 1 < beta < 2:
        np.maximum(y, EPSILON, out=y)
    if beta == 0:
        R = S * S
    else:
        R = np.power(y, beta - 2, out=y)
    R *= x
    return R, S


def divergence(x, y, beta):
    """Return the sum of (1), (2), (3) or (4), a float; the array y is overwritten.

    Parameters
    ----------
    x, y : arrays of shape (m, p), rows of X and of W H
    beta : number
    """
    if beta == 2:
        np.subtract(x, y, out=y)
        return total(y, y) / 2
    if beta == 1:
        rest = np.sum(y, dtype=np.float64) - np.sum(x, dtype=np.float64)
        return rest + logarithms(x, ratios(x, y, beta)[0])
    if beta == 0:
        quotient = x / np.maximum(y, EPSILON, out=y)
        return np.sum(quotient - 1 - np.log(quotient), dtype=np.float64)
    floored = np.maximum(y, EPSILON) if beta < 2 else y
    powers = np.sum(x[x > 0] ** beta, dtype=np.float64)
    powers += (beta - 1) * np.sum((floored if beta < 0 else y) ** beta, dtype=np.float64)
    powers -= beta * total(x, floored ** (beta - 1))
    return powers / (beta * (beta - 1))


def logarithms(x, R):
    """Return sum x log R, where 0 log 0 = 0."""
    R = np.maximum(R, np.finfo(R.dtype).tiny)
    return total(x, np.log(R, out=R))


def total(a, b):
    """Return the sum of a * b, in float64."""
    if a.dtype == np.float64:
        return float(np.vdot(a, b))
    return float(np.einsum("ij,ij->", a, b, dtype=np.float64))
