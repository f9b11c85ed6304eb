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

import math
from numbers import Real
from typing import NamedTuple

import numpy as np
from sklearn.utils import check_random_state
from sklearn.utils.validation import check_is_fitted

from skcourse.core.gaussians import TYPES, covariances_of, precisions_of, triangles_of_precisions
from skcourse.core.validation import Interval, StrOptions, check_weights, fit_context
from skcourse.mixture import missing
from skcourse.mixture.base import BaseMixture
from skcourse.mixture.covariances import (
    Estimates,
    check_finite,
    estimate,
    factors,
    n_covariance_parameters,
)
from skcourse.mixture.expectation import Gaussians
from skcourse.mixture.given import check_given
from skcourse.mixture.starts import start
from skcourse.mixture.stepwise import blend


class Parameters(NamedTuple):
    """Of a mixture of Gaussians. All float64."""

    weights: np.ndarray  # pi_k, (k,)
    means: np.ndarray  # m_k, (k, d)
    covariances: np.ndarray  # C_k, shape by the covariance type
    precisions_cholesky: np.ndarray  # U_k, the same


class GaussianMixture(BaseMixture):
    """Mixture of Gaussians, fitted by EM: from all samples, or from one batch after another.

    Parameters
    ----------
    n_components : int, default=1
    covariance_type : {"full", "tied", "diag", "spherical"}, default="full"
        Each component has a covariance of its own; all have one; each has a diagonal one; each has
        one variance.
    tol : float, default=1e-3
        EM ends when the mean log-likelihood of a sample changes by less.
    reg_covar : float, default=1e-6
        Added to the variances, in squared units of X. With 0, the likelihood never falls.
    max_iter : int, default=100
        0 leaves the start as it is.
    n_init : int, default=1
        Number of starts, of which the one that ends with the largest likelihood is kept.
    init_params : {"kmeans", "k-means++", "random", "random_from_data"}, default="kmeans"
        The start: clusters; samples as means, far apart or not; or shares in all components at
        random.
    weights_init : array-like of shape (n_components,), default=None
        Weights to start from, instead of those of `init_params`; they add up to 1.
    means_init : array-like of shape (n_components, n_features), default=None
    precisions_init : array-like, default=None
        Inverses of the covariances to start from; shape as `precisions_`.
    random_state : int, RandomState instance or None, default=None
        Drives the start, and `sample`, by scikit-learn's draws.
    warm_start : bool, default=False
        Whether `fit` begins where the last one ended.
    verbose : int, default=0
        1 tells of iterations, 2 of their time and gain, too.
    verbose_interval : int, default=10
        How many iterations lie between two such lines.
    record : {"path"} or None, default=None
        "path" keeps the means and covariances of each iteration, or batch, in `history_`.
    learning_decay : float in (0.5, 1], default=0.7
        Of `partial_fit`: the t-th batch counts (learning_offset + t)^-learning_decay of all.
    learning_offset : float, default=10.0
        The larger, the less the first batches count; at least 1.

    Attributes
    ----------
    weights_ : ndarray of shape (n_components,)
    means_ : ndarray of shape (n_components, n_features)
    covariances_ : ndarray
        (n_components, n_features, n_features) if full, (n_features, n_features) if tied,
        (n_components, n_features) if diag, (n_components,) if spherical.
    precisions_ : ndarray, the inverses of the covariances, in their shape
    precisions_cholesky_ : ndarray
        Upper triangles U with U U' the precisions; if diag or spherical, their square roots.
    converged_ : bool
    n_iter_ : int
        Iterations of the run that was kept.
    lower_bound_ : float
        Its mean log-likelihood, before the last update.
    lower_bounds_ : list of float
        The same for each iteration.
    history_ : dict of str to ndarray, first axis the iterations
        "log_likelihood", the mean of a sample, and with `record` "means" and "covariances", with
        which it is that. After `partial_fit`, the same for each batch.
    n_batch_iter_ : int
        Batches so far. Only if `partial_fit` was called.
    n_features_in_ : int
    feature_names_in_ : ndarray of shape (n_features_in_,)
        Only if X has feature names that are all strings.

    Notes
    -----
    NaN in X is a value that is missing, here and in all methods: sums are those that are expected,
    given what is seen (which is exact, if what is missing depends on nothing unseen). A sample
    without any value says nothing.

    With reg_covar > 0 the update is not quite the one that raises the likelihood most; where a
    component collapses, it may fall a little.

    A start from k samples ("k-means++", "random_from_data") has reg_covar alone for a covariance,
    also with "tied" (the covariance of all samples, if reg_covar is 0): scikit-learn's is then the
    mean square of all samples, from 0, and n / k times too large, so that EM hardly leaves it.
    Weights are 1 / k there, where scikit-learn begins with 1 / n (of results, it shows in
    `lower_bounds_[0]` only).

    Attributes have the dtype of X; sums, and the fit between, are float64. A fit uses all cores
    that the process may use (``OMP_NUM_THREADS`` is respected); its bits do not depend on their
    number.

    References
    ----------
    A. Dempster, N. Laird, D. Rubin, Maximum likelihood from incomplete data via the EM algorithm,
    J. Royal Statistical Society B, 1977.
    O. Cappé, E. Moulines, On-line expectation-maximization algorithm for latent data models, J.
    Royal Statistical Society B, 2009.

    Examples
    --------
    >>> from skcourse.mixture import GaussianMixture
    >>> minutes = [[1, 2], [1, 4], [1, 0], [10, 2], [10, 4], [10, 0]]
    >>> model = GaussianMixture(n_components=2, random_state=0).fit(minutes)
    >>> model.means_
    array([[10.,  2.],
           [ 1.,  2.]])
    >>> model.predict([[0, 0], [12, 3]])
    array([1, 0])
    >>> model.impute([[1, float("nan")]])
    array([[1., 2.]])
    """

    _parameter_constraints: dict = {
        **BaseMixture._parameter_constraints,
        "covariance_type": [StrOptions(set(TYPES))],
        "weights_init": ["array-like", None],
        "means_init": ["array-like", None],
        "precisions_init": ["array-like", None],
        "record": [StrOptions({"path"}), None],
        "learning_decay": [Interval(Real, 0.5, 1, closed="right")],
        "learning_offset": [Interval(Real, 1.0, None, closed="left")],
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
        learning_decay=0.7,
        learning_offset=10.0,
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
        self.learning_decay = learning_decay
        self.learning_offset = learning_offset

    @fit_context
    def partial_fit(self, X, y=None, sample_weight=None):
        """Learn from one more batch of samples, by a step of EM (see `stepwise`).

        The first batch makes a start as in `fit`, unless there was a fit to go on from.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
            The first batch has at least as many samples as there are components. One without
            any value tells nothing, and changes nothing.
        y : ignored
        sample_weight : array-like of shape (n_samples,), default=None
            Shares within the batch. How much a batch counts depends on its number alone.

        Returns
        -------
        self : GaussianMixture
        """
        first = not hasattr(self, "means_")
        rows = self._read(X, sample_weight, reset=first)
        if first:
            self._check_enough(rows)
            parameters = self._initial(rows, check_random_state(self.random_state))
        else:
            parameters = self._parameters()
        model, t = self._gaussians(parameters), getattr(self, "n_batch_iter_", 0) + 1
        sums = self._look(rows, model)
        if not sums.total:
            return self
        memory = self._estimate(rows, model, sums).shares()
        if not first:
            before = getattr(self, "_memory", None) or self._recalled(parameters)
            rate = (self.learning_offset + t) ** -self.learning_decay
            memory = blend(before, memory, rate, self.covariance_type)
        found = self._maximise(memory, rows.X.dtype)
        seen, observed = self.history_ if t > 1 else {}, self._observed(sums, parameters)
        self.__dict__.update(check_finite(self._attributes(found, rows.X.dtype)))
        self.history_ = {
            name: np.array([*seen.get(name, ()), value]) for name, value in observed.items()
        }
        self.n_batch_iter_, self._memory = t, memory
        return self

    def _recalled(self, parameters):
        """Return the Estimates of which `fit` made its parameters."""
        found = Estimates(*parameters[:3])
        return found.plus(-self.reg_covar, self.covariance_type)

    def impute(self, X):
        """Return X with what is missing replaced by its mean, given what is seen of the sample.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features), NaN where something is missing

        Returns
        -------
        filled : ndarray of shape (n_samples, n_features)
        """
        check_is_fitted(self)
        return missing.impute(self._read(X).X, self._gaussians(self._parameters()))

    def bic(self, X, sample_weight=None):
        """Return the Bayesian information criterion on X: the lower, the better.

        -2 log-likelihood + (number of free parameters) log(number of samples).

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
        sample_weight : array-like of shape (n_samples,), default=None
            Their sum is the number of samples.
        """
        log_likelihood, n = self._log_likelihood(X, sample_weight)
        return -2 * log_likelihood + self._n_parameters() * math.log(n)

    def aic(self, X, sample_weight=None):
        """Return Akaike's information criterion on X: the lower, the better.

        -2 log-likelihood + 2 (number of free parameters).

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
        sample_weight : array-like of shape (n_samples,), default=None
        """
        return -2 * self._log_likelihood(X, sample_weight)[0] + 2 * self._n_parameters()

    def _log_likelihood(self, X, sample_weight):
        """Return the log-likelihood of all samples, and their number."""
        weights = (
            check_weights(sample_weight, X, dtype=np.float64) if sample_weight is not None else None
        )
        n = len(X) if weights is None else weights.sum()
        return self.score(X, sample_weight=weights) * n, n

    def _n_parameters(self):
        """Return how many free numbers there are; scikit-learn's tests ask for it by this name."""
        k, d = self.means_.shape
        return n_covariance_parameters(self.covariance_type, k, d) + k * d + k - 1

    def _check(self, rows):
        """Check what is given to start from."""
        self._read_given(rows.X.shape[1])

    def _read_given(self, d):
        """Return what is given to start from."""
        given = self.weights_init, self.means_init, self.precisions_init
        return check_given(*given, self.covariance_type, self.n_components, d)

    def _initial(self, rows, rng):
        """Return the parameters of a start, or in their place what is given."""
        given = self._read_given(rows.X.shape[1])
        kind, estimates = self.covariance_type, Estimates(None, None, None)
        if any(one is None for one in given):
            sums, about = start(
                rows, self.n_components, kind, self.init_params, rng, self.reg_covar
            )
            estimates = estimate(sums, about, kind).shares().plus(self.reg_covar, kind)
        weights = estimates.weights if given.weights is None else given.weights
        means = estimates.means if given.means is None else given.means
        if given.precisions is None:
            covariances = estimates.covariances
            return Parameters(weights, means, covariances, factors(covariances, kind, rows.X.dtype))
        upper = triangles_of_precisions(given.precisions, kind)
        return Parameters(weights, means, covariances_of(upper, kind), upper)

    def _maximise(self, estimates, dtype):
        """Return (3)."""
        weights, means, covariances = estimates.plus(self.reg_covar, self.covariance_type)
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
        with np.errstate(over="ignore"):  # who sets them looks: `check_finite`
            weights, means, covariances, upper = (a.astype(dtype) for a in parameters)
            precisions = precisions_of(upper, self.covariance_type)
        return {
            "weights_": weights,
            "means_": means,
            "covariances_": covariances,
            "precisions_cholesky_": upper,
            "precisions_": precisions,
        }

    def _parameters(self):
        """Return the fitted parameters in float64."""
        found = self.weights_, self.means_, self.covariances_, self.precisions_cholesky_
        return Parameters(*(a.astype(np.float64, copy=False) for a in found))
