"""What is believed of a mixture of Gaussians before and after its rows are seen.

Model       Weights from a Dirichlet distribution, or by breaking a stick (a Dirichlet process, of
            which k components are kept); of each component a precision L_k from a Wishart
            distribution, and its mean, given that, from a normal one:
                pi ~ Dir(g, .., g),  or  pi_k = v_k prod_{j<k} (1 - v_j),  v_k ~ Beta(1, g)
                L_k ~ W(n0, C0^-1),   m_k | L_k ~ N(m0, (b0 L_k)^-1)
Posterior   Of the same kind. With the sums n_k, x_k, S_k of `covariances.Estimates`,
                g + n_k,  or Beta(1 + n_k, g + sum_{j>k} n_j)                               (1)
                b_k = b0 + n_k,   m_k = (b0 m0 + n_k x_k) / b_k                             (2)
                n0 + n_k = f_k degrees of freedom, and with z = x_k - m0
                f_k C_k = C0 + n_k S_k + n_k b0 / b_k z z'                                  (3)
            C_k^-1 is the precision that is expected. The other covariance types take the diagonal
            of (3), the mean of it, or share one C: as scikit-learn does, which keeps the degrees
            of freedom of the full matrix. So (4) and (5) are exact for "full" only.
Rows        are then looked at with log-weights that expect log pi_k and log det L_k:
                E log pi_k + (sum_i psi((f_k - i) / 2) + d log 2 - d log f_k - d / b_k) / 2 (4)
                i = 0 .. d - 1, psi the digamma function
Bound       Of log p(X), up to a constant, after (1) to (3), H the entropy of what was completed:
                H - log Z(weights) - sum_k [log Z(Wishart f_k, C_k) + d / 2 log b_k]        (5)
Reference   C. Bishop, Pattern Recognition and Machine Learning, 2006, 10.2. D. Blei, M. Jordan,
            Variational inference for Dirichlet process mixtures, Bayesian Analysis, 2006.
"""

from typing import NamedTuple

import numpy as np
from scipy.special import betaln, digamma, gammaln

from skcourse.core.gaussians import LOG_2_PI, log_constants, precisions_of
from skcourse.mixture.covariances import factors
from skcourse.mixture.expectation import Gaussians


class Priors(NamedTuple):
    """What is believed before; arrays are float64."""

    concentration: float  # g
    mean_precision: float  # b0
    mean: np.ndarray  # m0, (d,)
    freedom: float  # n0, more than d - 1
    covariance: np.ndarray  # C0, (d, d); the diagonal (d,) if diag; a number if spherical


class Posterior(NamedTuple):
    """What is believed afterwards. All float64."""

    concentration: np.ndarray | tuple  # (1): (k,), or two of them for Beta
    mean_precision: np.ndarray  # b_k, (k,)
    means: np.ndarray  # m_k, (k, d)
    freedom: np.ndarray  # f_k, (k,); a number if tied
    covariances: np.ndarray  # C_k, shape by the covariance type
    precisions_cholesky: np.ndarray  # U_k with C_k^-1 = U_k U_k', the same


def update(estimates, priors, covariance_type, process, dtype):
    """Return the posterior (1) to (3).

    Parameters
    ----------
    estimates : Estimates
    priors : Priors
    covariance_type : {"full", "tied", "diag", "spherical"}
    process : bool
        A Dirichlet process, not a Dirichlet distribution.
    dtype : dtype of X, for the words of an error

    Raises
    ------
    ValueError
        If a covariance is not positive definite.
    """
    n, x, S = estimates
    if process:
        later = np.append(np.cumsum(n[:0:-1])[::-1], 0.0)
        concentration = 1.0 + n, priors.concentration + later
    else:
        concentration = priors.concentration + n
    b = priors.mean_precision + n
    means = (priors.mean_precision * priors.mean + n[:, np.newaxis] * x) / b[:, np.newaxis]
    pulls = n * priors.mean_precision / b
    freedom, covariances = wishart(n, S, x - priors.mean, pulls, priors, covariance_type)
    upper = factors(covariances, covariance_type, dtype)
    return Posterior(concentration, b, means, freedom, covariances, upper)


def wishart(n, S, z, pulls, priors, covariance_type):
    """Return f_k and C_k of (3); `pulls` are n_k b0 / b_k, (k,)."""
    freedom, C0 = priors.freedom + n, priors.covariance
    if covariance_type == "tied":
        k = len(n)
        freedom = priors.freedom + n.sum() / k
        return freedom, (C0 + (n.sum() * S + (pulls[:, np.newaxis] * z).T @ z) / k) / freedom
    if covariance_type == "full":
        n, pulls, freed = (a[:, np.newaxis, np.newaxis] for a in (n, pulls, freedom))
        return freedom, (C0 + n * S + pulls * z[:, :, np.newaxis] * z[:, np.newaxis]) / freed
    if covariance_type == "diag":
        n, pulls, freed = (a[:, np.newaxis] for a in (n, pulls, freedom))
        return freedom, (C0 + n * S + pulls * z**2) / freed
    return freedom, (C0 + n * S + pulls * np.mean(z**2, axis=1)) / freedom


def expected_weights(concentration):
    """Return E pi_k, to add up to 1."""
    if not isinstance(concentration, tuple):
        return concentration / concentration.sum()
    a, b = concentration
    left = np.cumprod(np.append(1.0, (b / (a + b))[:-1]))
    weights = a / (a + b) * left
    return weights / weights.sum()


def expected_log_weights(concentration):
    """Return E log pi_k."""
    if not isinstance(concentration, tuple):
        return digamma(concentration) - digamma(concentration.sum())
    a, b = concentration
    both = digamma(a + b)
    left = np.append(0.0, np.cumsum(digamma(b) - both)[:-1])
    return digamma(a) - both + left


def gaussians(posterior, covariance_type):
    """Return the mixture that the rows are looked at with, (4)."""
    d, f = posterior.means.shape[1], posterior.freedom
    log_det = np.sum(digamma(0.5 * (f - np.arange(d)[:, np.newaxis])), axis=0)
    log_det = log_det + d * np.log(2.0) - d * np.log(f) - d / posterior.mean_precision
    log_weights = expected_log_weights(posterior.concentration) + 0.5 * log_det
    return Gaussians(log_weights, posterior.means, posterior.precisions_cholesky, covariance_type)


def bound(entropy, posterior, covariance_type):
    """Return (5)."""
    (k, d), f = posterior.means.shape, posterior.freedom
    upper = posterior.precisions_cholesky
    log_det = log_constants(upper, covariance_type, d) + d / 2 * (LOG_2_PI - np.log(f))
    gammas = np.sum(gammaln(0.5 * (f - np.arange(d)[:, np.newaxis])), axis=0)
    log_wishart = -(f * log_det + f * d / 2 * np.log(2.0) + gammas)
    log_wishart = np.sum(np.broadcast_to(log_wishart, k))
    concentration = posterior.concentration
    if isinstance(concentration, tuple):
        log_weights = -np.sum(betaln(*concentration))
    else:
        log_weights = gammaln(concentration.sum()) - np.sum(gammaln(concentration))
    spread = d / 2 * np.sum(np.log(posterior.mean_precision))
    return float(entropy - log_wishart - log_weights - spread)


def entropy_of_completion(sums, model):
    """Return the entropy of labels and missing values together, from sums about the means.

    It is log p of the rows less the expectation of the log of what is normalised there,
        L - sum_k [n_k (a_k + log det U_k - d / 2 log 2 pi) - tr(U_k U_k' S_k) / 2].
    """
    kind, d = model.covariance_type, model.means.shape[1]
    constants = model.log_weights + log_constants(model.precisions_cholesky, kind, d)
    precisions = precisions_of(model.precisions_cholesky, kind)
    return float(
        sums.log_likelihood - sums.weights @ constants + 0.5 * np.sum(precisions * sums.second)
    )
