"""How far from the optimum can the elastic net be? The duality gap, as a sum of positive terms.

Problem     For one target or several (|w_j| the length of feature j's coefficients), r = y - Z w:
                P(w) = |r|^2 / 2 + a sum_j |w_j| + b |w|^2 / 2                                   (1)
Dual        With b |w|^2 taken into the squares (rows sqrt(b) I below Z, zeros below y), for every
            v with |c_j(v)| <= a, where c(v) = Z'v, none of (1) is below
                D(v) = <y, v> - |v|^2 / 2.                                                       (2)
            The residual, made short enough, is such a v: with c = Z'r - b w,
                v = s (r, -sqrt(b) w),   s = a / max(a, max_j |c_j|).                            (3)
Gap         Taken literally, P - D is a small difference of large numbers. Since
            <y, v> = s (|r|^2 + b |w|^2 + <w, c>), it is the same as
                gap = (1 - s)^2 (|r|^2 + b |w|^2) / 2 + sum_j (a |w_j| - s <w_j, c_j>)           (4)
            in which no term is negative: it is right to the last digits, however small it is.
            Without a, D has a penalty in place of the constraint, and gap = |c|^2 / (2 b); without
            b as well there is no dual, and the squared gradient |c|^2 takes the gap's place.
Positive    Where w may not be negative, only a c_j above a hurts: max_j c_j in (3); and without a,
            where <z_j, r> < 0, c_j^2 - <z_j, r>^2 takes the place of c_j^2 (b = 0: 0 if w_j = 0).
Reference   O. Fercoq, A. Gramfort, J. Salmon, Mind the duality gap, ICML 2015. C. Duenner,
            S. Forte, M. Takac, M. Jaggi, Primal-dual rates and certificates, ICML 2016.
"""

from typing import NamedTuple

import numpy as np

from skcourse.core.kernel import kernel


class Net(NamedTuple):
    """The penalty of (1), over the whole sum of squares."""

    l1: float  # a
    l2: float  # b
    positive: bool  # w >= 0


@kernel
def largest_slope(slopes, w, net):
    """max_j |c_j| of (3), c = `slopes` - b w; of c_j itself if w is to be positive."""
    top = 0.0
    for j in range(w.shape[1]):
        c = slopes[0, j] - net.l2 * w[0, j]
        if w.shape[0] == 1:
            length = c if net.positive else abs(c)
        else:
            square = c * c
            for t in range(1, w.shape[0]):
                c = slopes[t, j] - net.l2 * w[t, j]
                square += c * c
            length = np.sqrt(square)
        top = max(top, length)
    return top


@kernel
def duality_gap(w, slopes, squares, top, net):
    """The gap (4).

    Parameters
    ----------
    w : array of shape (t, k), the coefficients; those that are 0 may be left out
    slopes : array of shape (t, k), Z'r
    squares : float, |r|^2
    top : float, max_j |c_j|, also over what was left out
    net : Net
    """
    n_targets, k = w.shape
    s = net.l1 / max(net.l1, top) if net.l1 > 0 else 1.0
    norm, excess, gradient = 0.0, 0.0, 0.0
    for j in range(k):
        square, product = 0.0, 0.0
        for t in range(n_targets):
            c = slopes[t, j] - net.l2 * w[t, j]
            square += w[t, j] * w[t, j]
            product += w[t, j] * c
            if net.positive and slopes[t, j] < 0:  # w_j wants to be 0, and that is all it can
                if w[t, j] > 0:
                    gradient += c * c - (slopes[t, j] ** 2 if net.l2 > 0 else 0.0)
            else:
                gradient += c * c
        norm += square
        if square > 0:
            excess += net.l1 * np.sqrt(square) - s * product
    if net.l1 > 0:
        return 0.5 * (1.0 - s) ** 2 * (squares + net.l2 * norm) + max(excess, 0.0)
    return gradient / (2.0 * net.l2) if net.l2 > 0 else gradient
