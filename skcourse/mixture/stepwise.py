"""EM from one batch of rows after another.

Iteration   What a batch t says, its estimates q_t (shares n_k, means, covariances), is blended
            into what is remembered, and the parameters are those of the memory:
                q <- (1 - g_t) q + g_t q_t,   g_t = (t_0 + t)^-a,   1/2 < a <= 1               (1)
            in terms of the sums of `expectation`, which makes of two components of shares
            u = (1 - g) n and v = g n', d = m' - m apart, one of
                u + v,   m + d v / (u + v),   (u C + v C' + d d' u v / (u + v)) / (u + v)      (2)
            without cancellation. With a tied covariance, (2) is added up over the components.
            For a > 1/2 the steps add up without bound and their squares do not: (1) converges to
            a stationary point of the likelihood.
Reference   O. Cappé, E. Moulines, On-line expectation-maximization algorithm for latent data
            models, J. Royal Statistical Society B, 2009. P. Liang, D. Klein, Online EM for
            unsupervised models, NAACL, 2009.
"""

import numpy as np

from skcourse.mixture.covariances import Estimates


def blend(memory, batch, rate, covariance_type):
    """Return (1), by (2), of Estimates whose weights add up to 1 and that are not regularised."""
    u, v = (1 - rate) * memory.weights, rate * batch.weights
    weights = np.maximum(u + v, np.finfo(np.float64).tiny)
    step = batch.means - memory.means
    means = memory.means + step * (v / weights)[:, np.newaxis]
    between = u * v / weights
    if covariance_type == "tied":
        spread = (between[:, np.newaxis] * step).T @ step
        covariances = (1 - rate) * memory.covariances + rate * batch.covariances + spread
        return Estimates(weights, means, covariances)
    if covariance_type == "full":
        spread = step[:, :, np.newaxis] * step[:, np.newaxis]
    else:
        spread = step**2 if covariance_type == "diag" else np.mean(step**2, axis=1)
    a, b, c = (
        share.reshape(-1, *[1] * (spread.ndim - 1)) for share in (u / weights, v / weights, between)
    )
    spread *= c / weights.reshape(c.shape)
    return Estimates(weights, means, a * memory.covariances + b * batch.covariances + spread)
