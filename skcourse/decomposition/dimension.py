"""How many components: by the share of the variance, or by the evidence (Minka).

Share       The least k whose eigenvalues, of the covariance and in falling order, add up to more
            than a share of their sum.                                                (1)
Evidence    Of N rows with eigenvalues l_1 >= .. >= l_p, take the k of the largest p(rows | k),
            where beyond k all eigenvalues are one noise, v = mean of l_{k+1} .. l_p. By Laplace's
            approximation, with m = k p - k (k + 1) / 2 and L_j = l_j for j <= k, v beyond,
                log p(rows | k) = log p(U) - N/2 sum_{i<=k} log l_i - N (p - k)/2 log v
                    + (m + k)/2 log 2 pi - 1/2 log |A_k| - k/2 log N                  (2)
                log p(U) = -k log 2 + sum_{i<=k} log Gamma((p-i+1)/2) - (p-i+1)/2 log pi
                log |A_k| = sum_{i<=k} sum_{j>i} log (1/L_j - 1/L_i) (l_i - l_j) + log N  (3)
Cost        p^2: (3) grows with k by sums along a row and a column.
Reference   T. Minka, Automatic choice of dimensionality for PCA, NeurIPS, 2000.
"""

import numpy as np
from scipy.special import gammaln

ZERO = 1e-15  # an eigenvalue that is none, in the units of X squared, as in scikit-learn
TINY = np.finfo(np.float64).tiny


def by_share(ratios, share):
    """Return k by (1), from the shares of all components in falling order."""
    return min(int(np.searchsorted(np.cumsum(ratios), share, side="right")) + 1, len(ratios))


def by_evidence(eigenvalues, n):
    """Return k in 1 .. p - 1 by (2); 0 if p = 1.

    Parameters
    ----------
    eigenvalues : array of shape (p,), in falling order
    n : float, N

    Returns
    -------
    k : int
    """
    return int(np.argmax(log_evidences(np.asarray(eigenvalues, np.float64), n)))


def log_evidences(eigenvalues, n):
    """Return (2) for k = 0 .. p - 1, (p,); -inf for k = 0 and where l_k is 0."""
    p = len(eigenvalues)
    k = np.arange(1, p)
    noise = np.cumsum(eigenvalues[::-1])[-2::-1] / (p - k)
    noise = np.maximum(noise, ZERO)  # v
    logs = np.log(np.maximum(eigenvalues, TINY))
    half = (p - k + 1) / 2
    log_p_u = -k * np.log(2) + np.cumsum(gammaln(half) - half * np.log(np.pi))
    fit = -n / 2 * (np.cumsum(logs)[:-1] + (p - k) * np.log(noise))
    m = k * p - k * (k + 1) / 2
    log_a = log_gaps(eigenvalues, logs, noise) + m * np.log(n)  # (3)
    evidences = log_p_u + fit + (m + k) / 2 * np.log(2 * np.pi) - log_a / 2 - k / 2 * np.log(n)
    return np.append(-np.inf, np.where(eigenvalues[:-1] < ZERO, -np.inf, evidences))


def log_gaps(eigenvalues, logs, noise):
    """Return the sums of log (1/L_j - 1/L_i) (l_i - l_j) in (3) for k = 1 .. p - 1, (p - 1,)."""
    p = len(eigenvalues)
    k = np.arange(1, p)
    gaps = np.maximum(eigenvalues[:, np.newaxis] - eigenvalues, TINY)
    gaps = np.triu(np.log(gaps), 1)  # log (l_i - l_j), i < j
    within = np.cumsum(gaps.sum(axis=0))[:-1]  # i < j <= k, where L_j = l_j
    across = np.cumsum(gaps.sum(axis=1))[:-1] - within  # i <= k < j, where L_j = v
    inverse = 1 / noise - 1 / np.maximum(eigenvalues[:-1, np.newaxis], TINY)  # 1/v - 1/l_i
    inverse = np.triu(np.log(np.maximum(inverse, TINY)))  # (i, k), i <= k
    return 2 * within - (k - 1) * np.cumsum(logs)[:-1] + across + (p - k) * inverse.sum(axis=0)
