"""Mixture of Gaussians by variational inference: how many components there are, rows decide.

Problem     Of the posterior of labels, weights, means and precisions, find the nearest
            distribution q in which labels and parameters are independent of each other: that
            with the largest bound of log p(X)                                             (1)
Iteration   Both halves raise it:
                q(labels), the responsibilities under the expected log-densities           (2)
                q(parameters), of the kind of the prior, from the sums of the rows         (3)
            Components that explain little lose their weight to the others.
Cost        That of maximum likelihood: one pass over the rows per iteration.
Reference   C. Bishop, Pattern Recognition and Machine Learning, 2006, 10.2; see
            `bayesian_posterior` for (2) and (3).
"""

from numbers import Real

import numpy as np

from skcourse.core.gaussians import TYPES, precisions_of
from skcourse.core.moments import moments
from skcourse.core.validation import Interval, StrOptions
from skcourse.mixture.base import BaseMixture
from skcourse.mixture.bayesian_posterior import (
    Posterior,
    Priors,
    bound,
    entropy_of_completion,
    expected_weights,
    gaussians,
    update,
)
from skcourse.mixture.gaussian_fit import covariance_of_seen
from skcourse.mixture.given import check, check_precisions

POSITIVE = Interval(Real, 0.0, None, closed="neither")


class BayesianGaussianMixture(BaseMixture):
    """Mixture of Gaussians with priors, fitted by variational inference.

    A drop-in for scikit-learn's. `n_components` is an upper bound: those that the samples do not
    need keep next to no weight.

    Parameters
    ----------
    n_components : int, default=1
    covariance_type : {"full", "tied", "diag", "spherical"}, default="full"
        Each component has a covariance of its own; all have one; each has a diagonal one; each has
        one variance.
    tol : float, default=1e-3
        The fit ends when the lower bound changes by less.
    reg_covar : float, default=1e-6
        Added to the variances of the samples of a component, in squared units of X.
    max_iter : int, default=100
        0 leaves the start as it is.
    n_init : int, default=1
        Number of starts, of which the one that ends with the largest lower bound is kept.
    init_params : {"kmeans", "k-means++", "random", "random_from_data"}, default="kmeans"
        The start: clusters; samples as means, far apart or not; or shares in all components at
        random.
    weight_concentration_prior_type : {"dirichlet_process", "dirichlet_distribution"}, \
default="dirichlet_process"
    weight_concentration_prior : float or None, default=None
        The larger, the more components share the samples; None is 1 / `n_components`.
    mean_precision_prior : float or None, default=None
        How many samples at `mean_prior` each component begins with; None is 1.
    mean_prior : array-like of shape (n_features,), default=None
        None is the mean of X.
    degrees_of_freedom_prior : float or None, default=None
        More than n_features - 1; None is n_features.
    covariance_prior : float or array-like, default=None
        (n_features, n_features) if full or tied, (n_features,) if diag, a float if spherical.
        None is the covariance of X.
    random_state : int, RandomState instance or None, default=None
        Drives the start, and `sample`, by scikit-learn's draws.
    warm_start : bool, default=False
        Whether `fit` begins where the last one ended.
    verbose : int, default=0
        1 tells of iterations, 2 of their time and gain, too.
    verbose_interval : int, default=10
        How many iterations lie between two such lines.
    record : {"path"} or None, default=None
        "path" keeps the weights, means and covariances of each iteration in `history_`.

    Attributes
    ----------
    weights_ : ndarray of shape (n_components,)
        As they are expected.
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
        Of log p(X), up to a constant.
    lower_bounds_ : list of float
        The same after each iteration.
    history_ : dict of str to ndarray, first axis the iterations
        "lower_bound", and with `record` "weights", "means" and "covariances" before it.
    weight_concentration_prior_ : float
    weight_concentration_ : ndarray of shape (n_components,), or two of them
        Of a Dirichlet process, the two parameters of its Beta distributions.
    mean_precision_prior_ : float
    mean_precision_ : ndarray of shape (n_components,)
    mean_prior_ : ndarray of shape (n_features,)
    degrees_of_freedom_prior_ : float
    degrees_of_freedom_ : ndarray of shape (n_components,), or float if tied
    covariance_prior_ : ndarray or float
    n_features_in_ : int
    feature_names_in_ : ndarray of shape (n_features_in_,)
        Only if X has feature names that are all strings.

    Notes
    -----
    NaN in X is a value that is missing, here and in all methods: q then covers it, too.

    A sample of weight 2 is two samples: the sum of the weights is their number, against which the
    priors stand.

    The lower bound never falls for full covariances with reg_covar=0. The other covariance types
    take theirs from the formulas of the full matrix, as scikit-learn does; then it may.

    A tied covariance begins as in :class:`GaussianMixture`. Attributes have the dtype of X, where
    scikit-learn's are float64 for float32, too.

    Examples
    --------
    >>> from skcourse.mixture import BayesianGaussianMixture
    >>> X = [[1, 2], [1, 4], [1, 0], [4, 2], [12, 4], [10, 7]]
    >>> model = BayesianGaussianMixture(n_components=2, random_state=42).fit(X)
    >>> model.means_.round(2)
    array([[2.5 , 2.29],
           [8.46, 4.52]])
    >>> model.predict([[0, 0], [9, 3]])
    array([0, 1])
    """

    _parameter_constraints: dict = {
        **BaseMixture._parameter_constraints,
        "covariance_type": [StrOptions(set(TYPES))],
        "weight_concentration_prior_type": [
            StrOptions({"dirichlet_process", "dirichlet_distribution"})
        ],
        "weight_concentration_prior": [None, POSITIVE],
        "mean_precision_prior": [None, POSITIVE],
        "mean_prior": [None, "array-like"],
        "degrees_of_freedom_prior": [None, POSITIVE],
        "covariance_prior": [None, "array-like", POSITIVE],
        "record": [StrOptions({"path"}), None],
    }

    def __init__(
        self,
        *,
        n_components=1,
        covariance_type="full",
        tol=1e-3,
        reg_covar=1e-6,
        max_iter=100,
        n_init=1,
        init_params="kmeans",
        weight_concentration_prior_type="dirichlet_process",
        weight_concentration_prior=None,
        mean_precision_prior=None,
        mean_prior=None,
        degrees_of_freedom_prior=None,
        covariance_prior=None,
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
        self.weight_concentration_prior_type = weight_concentration_prior_type
        self.weight_concentration_prior = weight_concentration_prior
        self.mean_precision_prior = mean_precision_prior
        self.mean_prior = mean_prior
        self.degrees_of_freedom_prior = degrees_of_freedom_prior
        self.covariance_prior = covariance_prior
        self.random_state = random_state
        self.warm_start = warm_start
        self.verbose = verbose
        self.verbose_interval = verbose_interval
        self.record = record

    def _check(self, rows):
        """Make the priors, of settings and of rows; raise ValueError if they are none."""
        d, freedom = rows.X.shape[1], self.degrees_of_freedom_prior
        if freedom is not None and freedom <= d - 1.0:
            raise ValueError(
                "The parameter 'degrees_of_freedom_prior' should be greater than "
                f"{d - 1}, but got {freedom:.3f}."
            )
        mean, covariance = self._given_priors(d)
        if mean is None or covariance is None:
            found = self._moments(rows, covariance is None)
            mean, covariance = (
                a if b is None else b for a, b in zip(found, (mean, covariance), strict=True)
            )
        g, b0 = self.weight_concentration_prior, self.mean_precision_prior
        self._priors = Priors(
            1.0 / self.n_components if g is None else g,
            1.0 if b0 is None else b0,
            mean,
            d if freedom is None else freedom,
            covariance,
        )

    def _given_priors(self, d):
        """Return the mean and the covariance that are given, or None."""
        mean, covariance, kind = self.mean_prior, self.covariance_prior, self.covariance_type
        mean = None if mean is None else check(mean, (d,), "means")
        if covariance is None:
            return mean, None
        if kind == "spherical":
            if not np.isscalar(covariance):
                raise ValueError("With spherical covariances, 'covariance_prior' is one number.")
            return mean, float(covariance)
        shape = (d,) if kind == "diag" else (d, d)
        covariance = check(covariance, shape, f"{kind} covariance_prior")
        one = covariance[np.newaxis] if kind in ("full", "diag") else covariance
        check_precisions(one, kind, 1, d)
        return mean, covariance

    def _moments(self, rows, with_covariance):
        """Return mean and covariance of the rows, with the divisor W - 1 for their weight W."""
        kind = self.covariance_type
        if rows.missing:
            mean, covariance, weight = covariance_of_seen(
                rows.X, rows.weights, "full" if kind == "tied" else kind, self.reg_covar
            )
        else:
            diagonal = kind in ("diag", "spherical")
            found = moments(rows.X, weights=rows.weights, diagonal=diagonal)
            mean, weight = found.mean + found.rest, found.weight
            covariance = found.scatter / weight
            covariance = np.mean(covariance) if kind == "spherical" else covariance
        if with_covariance and not weight > 1:
            raise ValueError(
                f"sample_weight adds up to {weight:g}; it counts rows, and more than one is needed."
            )
        return mean, covariance * (weight / (weight - 1)) if with_covariance else None

    def _maximise(self, estimates, dtype):
        """Return (3)."""
        kind = self.covariance_type
        estimates = estimates.plus(self.reg_covar, kind)
        return update(estimates, self._priors, kind, self._is_process(), dtype)

    def _is_process(self):
        return self.weight_concentration_prior_type == "dirichlet_process"

    def _gaussians(self, parameters):
        """Return the mixture of the expected log-densities."""
        return gaussians(parameters, self.covariance_type)

    def _look(self, rows, model):
        """Run (2); missing values are labels, too, as far as the bound is concerned."""
        sums = super()._look(rows, model)
        if rows.missing:
            return sums._replace(entropy=entropy_of_completion(sums, model))
        return sums

    def _lower_bound(self, sums, parameters):
        """Return the bound of (1)."""
        return bound(sums.entropy, parameters, self.covariance_type)

    def _observed(self, sums, parameters):
        """Return where the components are, if that is recorded."""
        if self.record is None:
            return {}
        weights = expected_weights(parameters.concentration)
        means, covariances = parameters.means, parameters.covariances
        return {"weights": weights, "means": means, "covariances": covariances}

    def _spread(self, parameters):
        """Return weights, means and covariances."""
        weights = expected_weights(parameters.concentration)
        return weights, parameters.means, parameters.covariances

    def _results(self, run, dtype):
        """Return the fitted attributes; the history has the bounds, too."""
        history = run.history | {"lower_bound": np.array(run.lower_bounds, dtype=np.float64)}
        return super()._results(run, dtype) | {"history_": history}

    def _attributes(self, parameters, dtype):
        """Return the attributes, in the dtype of X."""

        def cast(value):
            if isinstance(value, tuple):
                return tuple(map(cast, value))
            with np.errstate(over="ignore"):  # who sets them looks: `check_finite`
                return np.asarray(value).astype(dtype)[()]

        priors, upper = self._priors, cast(parameters.precisions_cholesky)
        with np.errstate(over="ignore"):
            precisions = precisions_of(upper, self.covariance_type)
        return {
            "weights_": cast(expected_weights(parameters.concentration)),
            "weight_concentration_": cast(parameters.concentration),
            "mean_precision_": cast(parameters.mean_precision),
            "means_": cast(parameters.means),
            "degrees_of_freedom_": cast(parameters.freedom),
            "covariances_": cast(parameters.covariances),
            "precisions_cholesky_": upper,
            "precisions_": precisions,
            "weight_concentration_prior_": priors.concentration,
            "mean_precision_prior_": priors.mean_precision,
            "mean_prior_": cast(priors.mean),
            "degrees_of_freedom_prior_": priors.freedom,
            "covariance_prior_": cast(priors.covariance),
        }

    def _parameters(self):
        """Return the posterior of the fit, in float64."""
        concentration = self.weight_concentration_
        if isinstance(concentration, tuple):
            concentration = tuple(a.astype(np.float64, copy=False) for a in concentration)
        else:
            concentration = concentration.astype(np.float64, copy=False)
        names = ("mean_precision", "means", "degrees_of_freedom", "covariances")
        rest = (getattr(self, f"{name}_") for name in (*names, "precisions_cholesky"))
        return Posterior(concentration, *(np.asarray(a, dtype=np.float64)[()] for a in rest))
