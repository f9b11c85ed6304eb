"""Mixture of Gaussians, by expectation and maximisation (EM).

Problem     Find weights, means and covariances for which the rows x_i are most likely:
                L = sum_i w_i log sum_k pi_k N(x_i | m_k, C_k)                                 (1)
Iteration   Each half raises a bound of L that touches it: L never falls (with reg_covar = 0).
                r_ik = pi_k N(x_i | m_k, C_k) / sum_j pi_j N(x_i | m_j, C_j)                   (2)
                pi_k = n_k / n,   m_k and C_k the mean and covariance of rows of weight w_i r_ik
                (see `expectation`, `covariances`)                                             (3)
Cost        k d (d + 1) products per row and iteration for full covariances, 4 k d for others.
Reference   A. Dempster, N. Laird, D. Rubin, Maximum likelihood from incomplete data via the EM
            algorithm, J. Royal Statistical Society B, 1977.
"""

from typing import NamedTuple

import numpy as np
from sklearn.utils import check_array

from skcourse.core.gaussians import (
    TYPES,
    covariances_of,
    precisions_of,
    triangles_of_precisions,
)
from skcourse.core.validation import FLOATS, StrOptions
from skcourse.mixture.base import BaseMixture
from skcourse.mixture.covariances import estimate, factors, n_covariance_parameters
from skcourse.mixture.expectation import Gaussians
from skcourse.mixture.starts import start


class Parameters(NamedTuple):
    """Of a mixture of Gaussians. All float64."""

    weights: np.ndarray  # pi_k, (k,)
    means: np.ndarray  # m_k, (k, d)
    covariances: np.ndarray  # C_k, shape by the covariance type
    precisions_cholesky: np.ndarray  # U_k, the same


class GaussianMixture(BaseMixture):
    """Mixture of Gaussians, fitted by EM."""

    _parameter_constraints: dict = {
        **BaseMixture._parameter_constraints,
        "covariance_type": [StrOptions(set(TYPES))],
        "weights_init": ["array-like", None],
        "means_init": ["array-like", None],
        "precisions_init": ["array-like", None],
        "record": [StrOptions({"path"}), None],
    }

    def __init__(
        self,
        n_components=1,
        *,
        covariance_type="full",
        tol=1e-3,
        reg_covar=1e-6,
        max_iter=100,
        n_init=1,
        init_params="kmeans",
        weights_init=None,
        means_init=None,
        precisions_init=None,
        random_state=None,
        warm_start=False,
        verbose=0,
        verbose_interval=10,
        record=None,
    ):
        self.n_components = n_components
        self.covariance_type = covariance_type
        self.tol = tol
        self.reg_covar = reg_covar
        self.max_iter = max_iter
        self.n_init = n_init
        self.init_params = init_params
        self.weights_init = weights_init
        self.means_init = means_init
        self.precisions_init = precisions_init
        self.random_state = random_state
        self.warm_start = warm_start
        self.verbose = verbose
        self.verbose_interval = verbose_interval
        self.record = record

    def _maximise(self, estimates, dtype):
        """Return (3)."""
        weights, means, covariances = estimates
        upper = factors(covariances, self.covariance_type, dtype)
        return Parameters(weights / weights.sum(), means, covariances, upper)

    def _gaussians(self, parameters):
        """Return the mixture as it is."""
        with np.errstate(divide="ignore"):
            log_weights = np.log(parameters.weights)
        return Gaussians(
            log_weights, parameters.means, parameters.precisions_cholesky, self.covariance_type
        )

    def _lower_bound(self, sums, parameters):
        """Return the mean log-likelihood before (3), as scikit-learn does."""
        return sums.log_likelihood / sums.total

    def _observed(self, sums, parameters):
        """Return the mean log-likelihood; and where the components are, if that is recorded."""
        observed = {"log_likelihood": sums.log_likelihood / sums.total}
        if self.record == "path":
            observed |= {"means": parameters.means, "covariances": parameters.covariances}
        return observed

    def _attributes(self, parameters, dtype):
        """Return the attributes, in the dtype of X."""
        weights, means, covariances, upper = (a.astype(dtype) for a in parameters)
        return {
            "weights_": weights,
            "means_": means,
            "covariances_": covariances,
            "precisions_cholesky_": upper,
            "precisions_": precisions_of(upper, self.covariance_type),
        }

    def _parameters(self):
        """Return the fitted parameters in float64."""
        found = self.weights_, self.means_, self.covariances_, self.precisions_cholesky_
        return Parameters(*(a.astype(np.float64, copy=False) for a in found))
