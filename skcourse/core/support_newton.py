"""Newton's method for the elastic net, on the features whose coefficients are not 0.

Problem     (1) of `duality_gap` for one target, once few features come or go.
Step        With the signs s of the m coefficients that are not 0 as they are, the objective is a
            parabola, and
                (Z'Z + b I) d = Z'r - b w - a s,   all three on the m features,                  (1)
            leads to its bottom, or to the first w_j that becomes 0 on the way, where one stops.
Cost        m^3 / 6 products for Cholesky's triangle, m k for the slopes. Sweeps pay for it: it is
            done once they have cost as much.
"""

import numpy as np

from skcourse.core.kernel import kernel

SINGULAR = 1e-12  # of a diagonal entry: a smaller pivot is none


@kernel
def solve(H, d):
    """Overwrite d by the solution of H x = d, H by Cholesky's triangle; False if H is singular."""
    m = len(d)
    for a in range(m):
        size = H[a, a]
        for b in range(a + 1):
            total = 0.0
            for i in range(b):
                total += H[a, i] * H[b, i]
            if b < a:
                H[a, b] = (H[a, b] - total) / H[b, b]
            else:
                if not H[a, a] - total > SINGULAR * size:
                    return False
                H[a, a] = np.sqrt(H[a, a] - total)
        total = 0.0
        for i in range(a):
            total += H[a, i] * d[i]
        d[a] = (d[a] - total) / H[a, a]
    for a in range(m - 1, -1, -1):
        d[a] /= H[a, a]
        for i in range(a):
            d[i] -= H[a, i] * d[a]
    return True


@kernel
def newton_step(gram, net, w, slopes, members):
    """Do (1); return whether a w_j became 0. `members`: the j with w_j not 0."""
    m = len(members)
    H, d = np.empty((m, m)), np.empty(m)
    for a in range(m):
        j = members[a]
        for b in range(a + 1):
            H[a, b] = gram[j, members[b]]
        H[a, a] += net.l2
        d[a] = slopes[j] - net.l2 * w[j] - (net.l1 if w[j] > 0 else -net.l1)
    if not solve(H, d):
        return False
    length, first = 1.0, -1
    for a in range(m):
        if net.l1 > 0 or net.positive:
            ratio = -w[members[a]] / d[a] if d[a] != 0 else -1.0
            if 0 < ratio < length:
                length, first = ratio, a
    for a in range(m):
        j, step = members[a], length * d[a]
        w[j] = 0.0 if a == first else w[j] + step
        for f in range(len(w)):
            slopes[f] -= gram[j, f] * step
    return first >= 0


@kernel
def newton_steps(gram, net, w, slopes, credit):
    """Do (1) until no w_j becomes 0 any more, or `credit` is used up; return what is left of it.

    Once anything was done, nothing is left: what follows does not depend on what has been.

    Parameters
    ----------
    gram : array of shape (k or more, k or more), Z'Z
    net : Net
    w : array of shape (k,), changed
    slopes : array of shape (k,), Z'r, changed
    credit : int, products that may be spent
    """
    left, members = credit, np.empty(len(w), np.int64)
    while True:
        m = 0
        for j in range(len(w)):
            if w[j] != 0:
                members[m] = j
                m += 1
        cost = m**3 // 6 + m * len(w)
        if m == 0 or cost > left:
            return credit if left == credit else 0
        left -= cost
        if not newton_step(gram, net, w, slopes, members[:m]):
            return 0
