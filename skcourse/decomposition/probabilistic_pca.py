"""Probabilistic PCA: a plane with equal noise around it, fitted by maximum likelihood.

Problem     Rows are x = m + W z + e with hidden z ~ N(0, 1), (k,), and noise e ~ N(0, v 1), (p,):
            each is normal, with mean m and covariance W W' + v 1. Of n rows (or the sum of their
            weights) find m, W and v that make them most likely.
Solution    With the covariance of the rows, of divisor n, and its eigenvalues l_1 >= .. >= l_p
            and eigenvectors, the rows of V, the best m is their mean, and
                v = (l_{k+1} + .. + l_p) / (p - k),   W = V' diag(l - v)^1/2 R,  of the first k  (1)
            with any rotation R, which is 1 here. How V is found is PCA's business, see `solvers`.
Posterior   Of a row, z is normal, with M = W'W + v 1 = diag(l), and
                mean M^-1 W'(x - m) = diag((l - v)^1/2 / l) V (x - m),   covariance v M^-1  (2)
Missing     What is not seen of a row is left out of (2) and of the likelihood, exactly. There is
            no closed form then; EM finds W, m and v, see `probabilistic_pca_missing`. On complete
            rows, too, it can be watched: `probabilistic_pca_em`.
Cost        That of PCA for (1), p^2 k products an iteration of EM on complete rows.
Reference   M. Tipping, C. Bishop, Probabilistic principal component analysis, J. Royal
            Statistical Society B, 1999.
"""

from numbers import Integral, Real

import numpy as np
from sklearn.callback import CallbackSupportMixin
from sklearn.utils import check_array, check_random_state
from sklearn.utils.validation import check_is_fitted

from skcourse.core.history import fit_task
from skcourse.core.missing import any_missing
from skcourse.core.validation import (
    FLOATS,
    Interval,
    StrOptions,
    check_n_drawn,
    check_weights,
    fit_context,
    read_X,
)
from skcourse.decomposition.base import PrincipalAxes
from skcourse.decomposition.probabilistic_pca_em import Plane
from skcourse.decomposition.probabilistic_pca_fit import by_eigenvectors, by_em
from skcourse.decomposition.probabilistic_pca_missing import for_each_posterior, of_all_axes

UNSEEN = 1e-11  # a noise, beside the mean variance of a feature, that is less than EM sees


class ProbabilisticPCA(CallbackSupportMixin, PrincipalAxes):
    """Describe rows by a plane of few dimensions, and equal noise in all directions.

    A density: it scores, samples, says how sure it is of hidden coordinates, and completes rows
    of which some values are missing (NaN), in `fit` too.

    Parameters
    ----------
    n_components : int, default=None
        Dimensions of the plane, k; None is as many as there are, min(n_samples, n_features).
    solver : {"auto", "closed_form", "em"}, default="auto"
        "closed_form" takes complete rows, and finds the maximum; "em" climbs towards it, from
        random directions, or, where values are missing, from the plane of rows that are completed
        by means. "auto" is "em" only where it must.
    tol : float, default=1e-6
        "em" ends once the mean log-likelihood of a row rises by no more than this.
    max_iter : int, default=1000
        Of "em".
    random_state : int, RandomState instance or None, default=None
        Draws the first directions of "em" on complete rows; and starts the solver of eigenvectors
        that "closed_form" takes for large X and few components.

    Attributes
    ----------
    components_ : ndarray of shape (n_components_, n_features_in_)
        V: orthonormal rows, by falling variance. W of the model is
        ``components_.T * sqrt(explained_variance_ - noise_variance_)``.
    explained_variance_ : ndarray of shape (n_components_,)
        l: the variance of the model along them, in the units of X squared. As the likelihood wants
        it, and unlike PCA's, its divisor is `n_samples_`.
    explained_variance_ratio_ : ndarray of shape (n_components_,)
        The shares of the variance of all features in the model.
    noise_variance_ : float
        v: the variance along all other directions; 0 if there are none.
    mean_ : ndarray of shape (n_features_in_,)
    n_components_ : int
    n_samples_ : int or float
        The number of rows that have a value, or the sum of their weights.
    log_likelihood_ : float
        Of all rows together: of what is seen of them.
    n_iter_ : int
        1 for the closed form.
    history_ : dict of str to ndarray of shape (n_iter_,)
        "log_likelihood", which never falls, and "noise_variance", as of each iteration.
    n_features_in_ : int
    feature_names_in_ : ndarray of shape (n_features_in_,)
        Only if X has names for all its columns.

    See Also
    --------
    PCA : the same axes, without a model of the rows.
    FactorAnalysis : a noise for each feature.

    Notes
    -----
    A row of weight 2 counts as two rows. A row without any value says nothing: it is left out of
    the fit, has the log-density 0, and the mean for a guess. A column without any is refused.

    If rows lie in the plane, there is no noise, and the likelihood has no bound. The closed form
    then has `noise_variance_` 0 and the density in the plane; EM stops, with a warning, as it does
    not see a noise below 1e-8 of the mean variance of a feature (1e-10 with missing values). With
    all components, the model is the normal distribution with the covariance of the rows.

    References
    ----------
    M. Tipping, C. Bishop, Probabilistic principal component analysis, J. Royal Statistical
    Society B, 1999.

    Examples
    --------
    >>> import numpy as np
    >>> from skcourse.decomposition import ProbabilisticPCA
    >>> X = np.array([[1.0, 2.0, 3.0], [2.0, 4.1, 6.0], [3.0, np.nan, 9.1], [4.0, 8.0, 11.9]])
    >>> model = ProbabilisticPCA(n_components=1).fit(X)
    >>> model.impute(X)[2].round(1)
    array([3. , 6.1, 9.1])
    >>> model.transform(X).shape
    (4, 1)
    """

    _parameter_constraints: dict = {
        "n_components": [Interval(Integral, 0, None, closed="left"), None],
        "solver": [StrOptions({"auto", "closed_form", "em"})],
        "tol": [Interval(Real, 0, None, closed="left")],
        "max_iter": [Interval(Integral, 1, None, closed="left")],
        "random_state": ["random_state"],
    }

    whiten = False  # what the density of PrincipalAxes asks

    def __init__(
        self, n_components=None, *, solver="auto", tol=1e-6, max_iter=1000, random_state=None
    ):
        self.n_components = n_components
        self.solver = solver
        self.tol = tol
        self.max_iter = max_iter
        self.random_state = random_state

    @fit_context
    def fit(self, X, y=None, sample_weight=None):
        """Find the plane and the noise.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
            NaN is a missing value.
        y : ignored, but for callbacks that score
        sample_weight : array-like of shape (n_samples,), default=None
            How often each row counts; None is once.

        Returns
        -------
        self : ProbabilisticPCA

        Raises
        ------
        ValueError
            If X holds infinity, a column of NaN only, or fewer rows or columns than
            `n_components`; on NaN with "closed_form"; if squares of X leave the range of numbers.

        Warns
        -----
        ConvergenceWarning
            If EM ended at `max_iter`, or the noise vanished.
        """
        task = fit_task(self, X, y, sample_weight, max_subtasks=self.max_iter)
        X = read_X(self, X, reset=True, finite=False)
        weights = check_weights(sample_weight, X)
        if self.solver == "em":
            found = by_em(self, X, weights, task)
        else:
            try:
                found = by_eigenvectors(self, X, weights)  # whose sums tell of NaN
            except ValueError:
                if not any_missing(X):
                    raise
                if self.solver == "closed_form":
                    raise ValueError(
                        "X contains NaN; there is no closed form for rows with missing values: "
                        "use solver='em' or 'auto'."
                    ) from None
                found = by_em(self, X, weights, task)
        vars(self).update(found)
        task.end()
        return self

    def transform(self, X, return_cov=False):
        """Return the posterior mean of the hidden coordinates of each row, by (2).

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
            NaN is a missing value.
        return_cov : bool, default=False

        Returns
        -------
        means : ndarray of shape (n_samples, n_components_)
            In units of standard deviations of the coordinates, and nearer to 0 the less is known.
        covariances : ndarray of shape (n_samples, n_components_, n_components_)
            Only if `return_cov`: how sure of them one may be. The same for all complete rows.
        """
        X = self._read(X)
        variances, noise, dtype = *self._spectrum(), np.result_type(X, self.components_)
        n, k = len(X), self.n_components_
        if not any_missing(X):
            some = np.where(variances > 0, variances, 1.0)
            shrink, rest = (
                np.sqrt(variances - noise) / some,
                np.where(variances > 0, noise / some, 1.0),
            )
            means = self._project(X) * shrink.astype(dtype)
            covariance = np.diag(rest).astype(dtype)
            return (means, np.broadcast_to(covariance, (n, k, k))) if return_cov else means
        means = np.empty((n, k), dtype)
        covariances = np.empty((n if return_cov else 0, k, k), dtype)

        plane, whole = self._plane(), k == X.shape[1]
        if whole:
            means[:] = self.transform(self.impute(X))

        def write(rows, patterns, found):
            if not whole:
                means[rows] = found.means
            if return_cov:
                known = of_all_axes(X[rows], patterns, found, plane, self) if whole else found
                covariances[rows] = known.covariances[patterns]

        for_each_posterior(X, plane, write)
        return (means, covariances) if return_cov else means

    def inverse_transform(self, X):
        """Return the rows that are expected of hidden coordinates: W z + m.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_components_)

        Returns
        -------
        X_original : ndarray of shape (n_samples, n_features)
            Of posterior means, these are not the nearest points of the plane, but nearer to the
            mean.
        """
        check_is_fitted(self)
        X = check_array(X, input_name="X", dtype=FLOATS)
        variances, noise = self._spectrum()
        loadings = self.components_.T * np.sqrt(variances - noise)
        return X @ loadings.T.astype(self.components_.dtype, copy=False) + self.mean_

    def impute(self, X):
        """Return the rows with what is missing replaced by what is expected, given the rest.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
            NaN is a missing value.

        Returns
        -------
        X_complete : ndarray of shape (n_samples, n_features)
        """
        X = self._read(X)
        complete, plane = X.copy(), self._plane()

        def write(rows, patterns, found):
            guess = found.means @ plane.loadings.T + plane.mean
            complete[rows] = np.where(np.isnan(X[rows]), guess, X[rows])

        if any_missing(X):
            for_each_posterior(X, plane, write)
        return complete

    def sample(self, n_samples=1, random_state=None):
        """Draw rows from the model.

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
        hidden = rng.standard_normal((n_samples, self.n_components_))
        noise = rng.standard_normal((n_samples, len(self.mean_)))
        noise *= np.sqrt(self.noise_variance_)
        dtype = self.components_.dtype
        return self.inverse_transform(hidden.astype(dtype)) + noise.astype(dtype)

    def score_samples(self, X):
        """Return the log-density of each row, or of what is seen of it.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
            NaN is a missing value.

        Returns
        -------
        log_density : ndarray of shape (n_samples,)
        """
        rows = X
        X = self._read(X)
        if not any_missing(X):
            return super().score_samples(rows)
        density = np.empty(len(X), np.result_type(X, self.components_))

        def write(rows, patterns, found):
            density[rows] = found.densities

        for_each_posterior(X, self._plane(), write)
        return density

    def aic(self, X):
        """Return Akaike's information criterion on X, the lower the better."""
        return -2 * float(np.sum(self.score_samples(X))) + 2 * self._n_parameters()

    def bic(self, X):
        """Return the Bayesian information criterion on X, the lower the better.

        To choose `n_components`: fit several, and take the one of the lowest.
        """
        log_likelihood = float(np.sum(self.score_samples(X)))
        return -2 * log_likelihood + self._n_parameters() * np.log(len(X))

    def _n_parameters(self):
        """Return how many numbers the model is free in: W but for R, m, and v if there is one."""
        k, p = self.components_.shape
        return p * k - k * (k - 1) // 2 + p + (k < p)

    def _read(self, X):
        """Return validated rows, which may have missing values."""
        if not hasattr(self, "components_"):
            check_is_fitted(self)
        return read_X(self, X, finite="allow-nan")

    def _spectrum(self):
        """Return l, which is at least v, (k,), and v, in float64."""
        noise = float(self.noise_variance_)
        return np.maximum(self.explained_variance_.astype(np.float64), noise), noise

    def _plane(self):
        """Return a plane with noise and the same covariance, as far as there is one.

        With all components, the least variance will do for a noise; where rows lie in a plane, one
        that cannot be seen.
        """
        variances, noise = self._spectrum()
        if len(variances) == len(self.mean_):
            noise = variances[-1]
        noise = max(noise, UNSEEN * variances.sum() / len(self.mean_), np.finfo(np.float64).tiny)
        lengths = np.sqrt(np.maximum(variances - noise, 0.0))
        loadings = self.components_.T.astype(np.float64) * lengths
        return Plane(np.ascontiguousarray(loadings), self.mean_.astype(np.float64), noise)

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.transformer_tags.preserves_dtype = ["float64", "float32"]
        tags.input_tags.allow_nan = True
        return tags
