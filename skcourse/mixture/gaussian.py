"""A normal distribution, fitted by maximum likelihood, also where values are missing.

Problem     For rows x_i of weight w_i, W = sum w_i, find the mean m and the covariance C of
                max L(m, C) = sum_i w_i log N(x_i; m, C) / W                                (1)
Solution    m is the mean of the rows, and C their scatter over W; without correlations, its
            diagonal; spherical, the mean of that. With `reg_covar`, a, added to its diagonal, C is
            where L - a / 2 tr C^-1 is largest.
Missing     What a row lacks does not enter L. Then there is no closed form: EM replaces what is
            missing by its mean given the rest, adds its covariance given the rest (see `missing`)
            and takes the solution above, again and again; L never falls.
Given       Values x_g of some features leave the others normally distributed:
                mean m_u + C_ug C_gg^-1 (x_g - m_g),  covariance C_uu - C_ug C_gg^-1 C_gu   (2)
Cost        n d^2 / 2 products, one pass; with missing values, some d^2 per row and iteration.
Reference   R. Little, D. Rubin, Statistical Analysis with Missing Data, 2002, ch. 11.
"""

from numbers import Integral, Real

import numpy as np
from scipy.linalg import qr, solve_triangular
from sklearn.base import BaseEstimator, DensityMixin, clone
from sklearn.callback import CallbackSupportMixin
from sklearn.utils import check_random_state
from sklearn.utils.validation import check_is_fitted

from skcourse.core.chunks import one_blas_thread
from skcourse.core.gaussians import log_densities, precisions_of, squares
from skcourse.core.history import fit_task, warn_not_converged
from skcourse.core.missing import any_missing, patterns
from skcourse.core.moments import merge, moments
from skcourse.core.validation import (
    Interval,
    StrOptions,
    check_n_drawn,
    check_weights,
    fit_context,
    read_X,
)
from skcourse.mixture.covariances import check_finite
from skcourse.mixture.expectation import Gaussians
from skcourse.mixture.gaussian_fit import (
    Fit,
    check_rows_tell,
    of_missing,
    of_moments,
    triangle,
)
from skcourse.mixture.missing import impute, log_densities_missing


class Gaussian(CallbackSupportMixin, DensityMixin, BaseEstimator):
    """Fit a normal distribution, and ask it for densities, samples, distances and missing values.

    NaN stands for a value that is missing, in `fit` and afterwards.

    Parameters
    ----------
    covariance_type : {"full", "diag", "spherical"}, default="full"
        "diag" has no correlations, "spherical" has one variance for all features.
    reg_covar : float, default=1e-6
        Added to the variances. With 0, features that depend on each other are an error.
    tol : float, default=1e-6
        With missing values: stop where the log-likelihood of a row gains no more in an iteration.
    max_iter : int, default=1000
        With missing values: how often they are estimated at most.

    Attributes
    ----------
    mean_ : ndarray of shape (n_features_in_,)
    covariance_ : ndarray of shape (n_features_in_, n_features_in_), or (n_features_in_,), or float
        By maximum likelihood: the divisor is the number of rows, or the sum of their weights.
    precision_ : like `covariance_`
        The inverse of the covariance.
    precision_cholesky_ : like `covariance_`
        The upper triangle U with `precision_` = U U'.
    n_iter_ : int
        1 without missing values.
    history_ : dict of ndarray of shape (n_iter_,)
        "log_likelihood" is (1) at the beginning of each iteration; the last is that of the fit.
        "loss", -(1) + `reg_covar` / 2 tr(precision), is what EM lowers: it never rises.
    n_features_in_ : int
    feature_names_in_ : ndarray of shape (n_features_in_,)
        Only if X had names for all its columns.

    Notes
    -----
    Whether a value is missing must not depend on the value itself, given those that are seen;
    otherwise the fit is biased. A row without any value says nothing.

    Examples
    --------
    >>> import numpy as np
    >>> from skcourse.mixture import Gaussian
    >>> X = np.array([[0.0, 0.0], [1.0, 1.0], [2.0, 1.0], [3.0, np.nan]])
    >>> normal = Gaussian().fit(X)
    >>> normal.mean_.round(2)
    array([1.5 , 0.92])
    >>> normal.conditional({0: 3.0}).mean_.round(2)
    array([1.67])
    >>> normal.impute(X)[3].round(2)
    array([3.  , 1.67])
    """

    _parameter_constraints: dict = {
        "covariance_type": [StrOptions({"full", "diag", "spherical"})],
        "reg_covar": [Interval(Real, 0, None, closed="left")],
        "tol": [Interval(Real, 0, None, closed="left")],
        "max_iter": [Interval(Integral, 1, None, closed="left")],
    }

    def __init__(self, covariance_type="full", *, reg_covar=1e-6, tol=1e-6, max_iter=1000):
        self.covariance_type = covariance_type
        self.reg_covar = reg_covar
        self.tol = tol
        self.max_iter = max_iter

    @fit_context
    def fit(self, X, y=None, sample_weight=None):
        """Estimate mean and covariance by maximum likelihood.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
            NaN for values that are missing.
        y : ignored
        sample_weight : array-like of shape (n_samples,), default=None
            How often each row counts; None is once.

        Returns
        -------
        self : Gaussian

        Raises
        ------
        ValueError
            If the covariance is singular, or a column has no value at all.

        Warns
        -----
        ConvergenceWarning
            If `max_iter` is too small for the missing values.
        """
        X = self._read(X, reset=True, ensure_min_samples=2)
        weights = check_weights(sample_weight, X)
        missing = any_missing(X)
        task = fit_task(self, X, y, sample_weight, max_subtasks=self.max_iter if missing else 0)
        if missing:
            check_rows_tell(self, X, weights)
            with one_blas_thread():  # between the passes too: the matrices are small
                fit = of_missing(self, X, weights, task, self._attributes)
        else:
            diagonal = self.covariance_type != "full"
            fit = of_moments(self, moments(X, weights=weights, diagonal=diagonal))
        self._set(fit, X.dtype)
        if not fit.converged:
            warn_not_converged(
                f"EM over the missing values did not converge in {self.max_iter} iterations: the "
                f"log-likelihood still gains more than tol={self.tol} a row. Increase max_iter, "
                "or tol."
            )
        task.end()
        return self

    @fit_context
    def partial_fit(self, X, y=None, sample_weight=None):
        """Learn of more rows: then the fit is that of all rows so far, those of `fit` too.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features), without missing values
        y : ignored
        sample_weight : array-like of shape (n_samples,), default=None

        Returns
        -------
        self : Gaussian
            Of a `fit` with missing values, mean and covariance stand for its rows.

        Raises
        ------
        ValueError
            If values are missing, or the covariance of the rows so far is singular.
        """
        first = not hasattr(self, "mean_")
        X = self._read(X, reset=first)
        if any_missing(X):
            raise ValueError("partial_fit takes rows without missing values: X contains NaN.")
        weights = check_weights(sample_weight, X, zero=not first)
        found = moments(X, weights=weights, diagonal=self.covariance_type != "full")
        if not first:
            if self._seen is None:
                raise ValueError("A conditional distribution stands for no rows: fit it first.")
            found = merge(found, self._seen)
        self._set(of_moments(self, found), X.dtype)
        return self

    def score_samples(self, X):
        """Return the log-density of each row; of one that lacks values, that of what it has.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)

        Returns
        -------
        log_density : ndarray of shape (n_samples,)
        """
        X, model = self._asked(X)
        if any_missing(X):
            return log_densities_missing(X, model)[:, 0].astype(X.dtype, copy=False)
        return log_densities(X, model.means, *model[2:])[:, 0]

    def score(self, X, y=None):
        """Return the mean log-density of the rows; see `score_samples`."""
        return float(np.mean(self.score_samples(X), dtype=np.float64))

    def mahalanobis(self, X):
        """Return (x - m)' C^-1 (x - m) of each row; of one that lacks values, of those it has.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)

        Returns
        -------
        distances : ndarray of shape (n_samples,), squared
        """
        X, model = self._asked(X)
        if any_missing(X):  # the likeliest completion is also the nearest
            X = impute(X, model)
        found = np.empty((len(X), 1), X.dtype)
        means, root = model.means.astype(X.dtype), model.precisions_cholesky.astype(X.dtype)
        squares(X, means, root, self.covariance_type, found)
        return found[:, 0]

    def sample(self, n_samples=1, random_state=None):
        """Draw rows.

        Parameters
        ----------
        n_samples : int, default=1
        random_state : int, RandomState instance or None, default=None

        Returns
        -------
        X : ndarray of shape (n_samples, n_features)
        """
        check_is_fitted(self)
        check_n_drawn(n_samples)
        rng = check_random_state(random_state)
        noise = rng.standard_normal((n_samples, self.n_features_in_))
        root = self.precision_cholesky_
        if self.covariance_type == "full":
            drawn = solve_triangular(root, noise.T, trans=1).T  # U^-T has the covariance C
        else:
            drawn = noise / root
        return (self.mean_ + drawn).astype(self.mean_.dtype, copy=False)

    def impute(self, X, *, return_std=False):
        """Replace what is missing by its mean given what is seen, (2).

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features), with NaN for what is missing
        return_std : bool, default=False

        Returns
        -------
        X_filled : ndarray of shape (n_samples, n_features)
        std : ndarray of shape (n_samples, n_features), only if `return_std`
            The standard deviation of each value given what is seen of its row; 0 if it is seen.
        """
        X, model = self._asked(X)
        filled = impute(X, model)
        if not return_std:
            return filled
        std = np.zeros_like(filled)
        for pattern in patterns(X):
            lacking = np.flatnonzero(~pattern.seen)
            if len(lacking):
                covariance = self._covariance_given_rest(lacking)
                variances = np.diagonal(covariance) if covariance.ndim == 2 else covariance
                std[np.ix_(pattern.rows, lacking)] = np.sqrt(variances)
        return filled, std

    def conditional(self, given):
        """Return the distribution of the other features, given values of some, (2).

        Parameters
        ----------
        given : dict
            Values by the index of the feature, or by its name.

        Returns
        -------
        conditional : Gaussian
            Fitted: of the features that are not given, in their order, with their names if `X`
            had any.
        """
        check_is_fitted(self)
        x = np.full(self.n_features_in_, np.nan)
        for feature, value in given.items():
            x[self._index(feature)] = value
        if not np.all(np.isfinite(list(given.values()))):
            raise ValueError(f"Given values must be finite numbers, got {given}.")
        wanted = np.flatnonzero(np.isnan(x))
        if not len(wanted):
            raise ValueError("All features are given: none is left to have a distribution.")
        mean = impute(x[np.newaxis], self._model())[0, wanted]
        covariance = self._covariance_given_rest(wanted)
        root = triangle(covariance, mean, self.covariance_type)
        other = clone(self)
        other._set(Fit(mean, covariance, root, None, None, True), self.mean_.dtype)
        other.n_features_in_ = len(wanted)
        if hasattr(self, "feature_names_in_"):
            other.feature_names_in_ = self.feature_names_in_[wanted]
        return other

    def _index(self, feature):
        """Return the index of a feature that is told by its index or its name."""
        if isinstance(feature, str):
            names = list(getattr(self, "feature_names_in_", ()))
            if feature in names:
                return names.index(feature)
        elif isinstance(feature, Integral) and 0 <= feature < self.n_features_in_:
            return feature
        raise ValueError(
            f"There is no feature {feature!r} among the {self.n_features_in_} features of the fit."
        )

    def _covariance_given_rest(self, wanted):
        """Return the covariance of (2) of features `wanted` given all others, in float64.

        For "full" it is the inverse of a block of the precision, V V' with V rows of U: with
        V' = QR it is R^-1 R^-T, and nothing squares the condition.
        """
        covariance = np.asarray(self.covariance_, dtype=np.float64)
        if self.covariance_type == "diag":
            return covariance[wanted]
        if self.covariance_type == "spherical":
            return covariance
        rows = self.precision_cholesky_[wanted].astype(np.float64)
        R = qr(rows.T, mode="r")[0][: len(wanted)]
        inverse = solve_triangular(R, np.eye(len(wanted)))
        return inverse @ inverse.T

    def _read(self, X, *, reset=False, **options):
        """Return validated rows, in which NaN is a missing value."""
        return read_X(self, X, reset=reset, finite="allow-nan", **options)

    def _asked(self, X):
        """Return the rows that a fitted estimator is asked about, and the mixture that it is."""
        if not hasattr(self, "mean_"):
            check_is_fitted(self)
        return self._read(X), self._model()

    def _model(self):
        """Return the density as a mixture of one component."""
        root = np.asarray(self.precision_cholesky_, dtype=np.float64)[np.newaxis]
        means = self.mean_.astype(np.float64)[np.newaxis]
        return Gaussians(np.zeros(1), means, root, self.covariance_type)

    def _attributes(self, fit, dtype):
        """Return what a fit sets, as a dict."""
        precision = precisions_of(fit.root, self.covariance_type)
        found = {
            "mean_": fit.mean,
            "covariance_": fit.covariance,
            "precision_": precision,
            "precision_cholesky_": fit.root,
        }
        with np.errstate(over="ignore"):  # who sets them looks: `check_finite`
            found = {name: np.asarray(value).astype(dtype)[()] for name, value in found.items()}
        found["_seen"] = fit.seen
        if fit.history is not None:
            found["history_"] = fit.history
            found["n_iter_"] = len(fit.history["loss"])
        return found

    def _set(self, fit, dtype):
        """Set the attributes, the last thing that a fit does."""
        for name, value in check_finite(self._attributes(fit, dtype)).items():
            setattr(self, name, value)

    def __sklearn_tags__(self):
        """NaN is a missing value."""
        tags = super().__sklearn_tags__()
        tags.input_tags.allow_nan = True
        return tags
