"""Means and covariances from what was summed: the part that all M-steps share.

Update      With the sums n_k, s_k, S_k about points o_k of `expectation`,
                m_k = o_k + d_k,   d_k = s_k / n_k                                           (1)
                C_k = S_k / n_k - d_k d_k' + reg 1                                           (2)
            tied: C = sum_k (S_k - n_k d_k d_k') / n + reg 1; diag: its diagonal; spherical: the
            mean of the diagonal.
Precision   (2) cancels where a mean moves far in relation to the spread that is left: with
            U_k' d_k the step in standard deviations, |U_k' d_k|^2 eps is the relative error. Where
            it moves more than `FAR` of them, the sums are made once more about the new means.
"""

from typing import NamedTuple

import numpy as np

from skcourse.core.gaussians import IllDefined, triangles

FAR = 1e3  # standard deviations that a mean may move; the square of it is lost of 1 / eps
ILL_DEFINED = (
    "Fitting the mixture model failed because some components have ill-defined empirical covariance"
    " (for instance caused by singleton or collapsed samples). Try to decrease the number of "
    "components, increase reg_covar, or scale the input data."
)
FLOAT32 = " The numerical accuracy can also be improved by passing float64 data instead of float32."


class Estimates(NamedTuple):
    """What the rows say of each component. All float64."""

    weights: np.ndarray  # n_k, (k,), never 0
    means: np.ndarray  # m_k, (k, d)
    covariances: np.ndarray  # C_k by (2), shape by the covariance type

    def shares(self):
        """Return the same with weights that add up to 1."""
        return self._replace(weights=self.weights / self.weights.sum())

    def plus(self, reg_covar, covariance_type):
        """Return the same with `reg_covar` more of variance in every direction."""
        return self._replace(covariances=plus(self.covariances, reg_covar, covariance_type))


def estimate(statistics, about, covariance_type, again=None):
    """Return the estimates (1) and (2), without reg_covar.

    Parameters
    ----------
    statistics : Statistics
    about : array of shape (k, d), the points that the moments are about
    covariance_type : {"full", "tied", "diag", "spherical"}
    again : callable, default=None
        From points (k, d) to Statistics about these, with the same responsibilities; called where
        (2) would cancel.

    Returns
    -------
    estimates : Estimates
    """
    weights = not_zero(statistics.weights, statistics.total)
    shifts = statistics.first / weights[:, np.newaxis]
    means = about + shifts
    found = covariances(statistics.second, weights, shifts, covariance_type)
    if again is not None and is_far(shifts, found, covariance_type):
        return estimate(again(means), means, covariance_type)
    return Estimates(weights, means, found)


def not_zero(weights, total):
    """Return n_k a little larger, so that a component without rows has a mean; `total` of all."""
    return weights + 10 * np.finfo(np.float64).eps * min(1.0, total)


def covariances(second, weights, shifts, covariance_type):
    """Return (2), without reg_covar, for means `shifts`, (k, d), from where S_k is about."""
    if covariance_type == "tied":
        return (second - (weights[:, np.newaxis] * shifts).T @ shifts) / weights.sum()
    if covariance_type == "full":
        found = second / weights[:, np.newaxis, np.newaxis]
        found -= shifts[:, :, np.newaxis] * shifts[:, np.newaxis]
        return found
    if covariance_type == "diag":
        return second / weights[:, np.newaxis] - shifts**2
    return (second / weights - np.sum(shifts**2, axis=1)) / shifts.shape[1]


def plus(covariances, reg_covar, covariance_type):
    """Return C + reg 1."""
    if covariance_type in ("full", "tied"):
        return covariances + reg_covar * np.eye(covariances.shape[-1])
    return covariances + reg_covar


def is_far(shifts, found, covariance_type, far=FAR):
    """Tell whether a mean moved more than `far` standard deviations of the covariances `found`."""
    if not shifts.any():
        return False
    return bool(np.any(shifts**2 > far**2 * variances(found, covariance_type)))


def variances(covariances, covariance_type):
    """Return the variances of the features in each component: (k, d), or what broadcasts to it."""
    if covariance_type in ("full", "tied"):
        return np.diagonal(covariances, axis1=-2, axis2=-1)
    return covariances if covariance_type == "diag" else covariances[:, np.newaxis]


def collapsed(weights, means, covariances, covariance_type, reg_covar):
    """Return the components that lie on a point: with hardly more variance than `reg_covar`.

    None do if the mixture as a whole has no more either, nor if all have one covariance.
    """
    if covariance_type == "tied" or len(weights) == 1:
        return np.empty(0, np.int64)
    own = np.broadcast_to(variances(covariances, covariance_type), means.shape)
    overall = weights @ (own + (means - weights @ means) ** 2)
    if not np.any(overall > 4 * reg_covar):
        return np.empty(0, np.int64)
    return np.flatnonzero(np.all(own <= 2 * reg_covar, axis=1))


def factors(covariances, covariance_type, dtype=np.float64):
    """Return the triangles of the precisions, or say that EM failed and what helps.

    Raises
    ------
    ValueError
        scikit-learn's, if a covariance is not positive definite.
    """
    try:
        return triangles(covariances, covariance_type)
    except IllDefined as error:
        raise ValueError(ILL_DEFINED + (FLOAT32 if dtype == np.float32 else "")) from error


def check_finite(attributes):
    """Return fitted attributes; raise ValueError if their dtype does not hold them."""
    for name, value in attributes.items():
        if name.startswith(("mean", "covariance", "precision")) and not np.isfinite(value).all():
            raise ValueError(
                f"{name} has numbers that {value.dtype} does not hold. Scale the input data, "
                "increase reg_covar, or pass float64 data."
            )
    return attributes


def n_covariance_parameters(covariance_type, k, d):
    """Return how many free numbers the covariances have."""
    counts = {"full": k * d * (d + 1) // 2, "tied": d * (d + 1) // 2, "diag": k * d, "spherical": k}
    return counts[covariance_type]
