"""Products of rows with a few columns, X H', which libraries do at a part of their speed.

BLAS multiplies blocks of its own size, into which a factor of 10 or 20 columns does not fit. Here a
block is as many sums as there are vector registers: those of 4 rows with 4 columns, added up along
the rows. What is computed for a row does not depend on its neighbours.
"""

import numpy as np

from skcourse.core.kernel import kernel

FEW = 32  # columns, up to which this is the quicker one


@kernel
def across(X, H, out):
    """Write X H', (m, k), for C-contiguous X, (m, p), and H, (k, p), of one dtype."""
    m, k = X.shape[0], H.shape[0]
    zero = H.dtype.type(0)
    for i in range(0, m, 4):
        a, b, c, d = i, min(i + 1, m - 1), min(i + 2, m - 1), min(i + 3, m - 1)
        xa, xb, xc, xd = X[a], X[b], X[c], X[d]
        for t in range(0, k, 4):
            u, v, w = min(t + 1, k - 1), min(t + 2, k - 1), min(t + 3, k - 1)
            ht, hu, hv, hw = H[t], H[u], H[v], H[w]
            at = au = av = aw = bt = bu = bv = bw = zero
            ct = cu = cv = cw = dt = du = dv = dw = zero
            for j in range(X.shape[1]):
                at += xa[j] * ht[j]
                au += xa[j] * hu[j]
                av += xa[j] * hv[j]
                aw += xa[j] * hw[j]
                bt += xb[j] * ht[j]
                bu += xb[j] * hu[j]
                bv += xb[j] * hv[j]
                bw += xb[j] * hw[j]
                ct += xc[j] * ht[j]
                cu += xc[j] * hu[j]
                cv += xc[j] * hv[j]
                cw += xc[j] * hw[j]
                dt += xd[j] * ht[j]
                du += xd[j] * hu[j]
                dv += xd[j] * hv[j]
                dw += xd[j] * hw[j]
            out[a, t], out[a, u], out[a, v], out[a, w] = at, au, av, aw
            out[b, t], out[b, u], out[b, v], out[b, w] = bt, bu, bv, bw
            out[c, t], out[c, u], out[c, v], out[c, w] = ct, cu, cv, cw
            out[d, t], out[d, u], out[d, v], out[d, w] = dt, du, dv, dw


def rows_times(x, H):
    """Return x H', (m, k), for C-contiguous rows x and H, (k, p)."""
    if len(H) > FEW:
        return x @ H.T
    out = np.empty((len(x), len(H)), x.dtype)
    across(x, H, out)
    return out
