"""Factor analysis: few hidden factors, and a noise of its own for each feature.

Problem     Rows are x = m + W'z + e with hidden z ~ N(0, 1), (k,), and noise e ~ N(0, diag(psi)).
            Of n rows (or the sum of their weights) with the covariance C, find W, (k, p), and psi
            for which they are most likely; m is their mean.
Iteration   For psi so far, let s_1 >= .. >= s_k and v_j be the leading eigenvalues and vectors of
                diag(psi)^-1/2 C diag(psi)^-1/2.                                          (1)
            The best W for this psi, and then a better psi for this W, as of an EM step, are
                w_j = max(s_j - 1, 0)^1/2 v_j diag(psi)^1/2,   psi = diag(C - W'W)        (2)
            so that the likelihood never falls:
                -2/n log p = p log 2 pi + sum log psi_f + sum_j log max(s_j, 1) + min(s_j, 1)
                             + (trace of (1) - sum_j s_j)                                 (3)
            scikit-learn stops by log s_j + 1 in the place of log max(s_j, 1) + min(s_j, 1), which
            is another number where s_j < 1. Here too, so that the fit is the same; but not where
            s_j is 0, which it has no likelihood for.
Posterior   Of a row, z is normal; with M = 1 + W diag(1/psi) W',
                mean M^-1 W diag(1/psi) (x - m),   covariance M^-1                        (4)
Cost        C once, n p^2 products; then that of (1), see `factor_analysis_whitened`: the rows are
            not read again.
Reference   D. Barber, Bayesian Reasoning and Machine Learning, Cambridge, 2012, algorithm 21.1.
            C. Liu, D. Rubin, The ECME algorithm, Biometrika, 1994.
"""

from numbers import Integral, Real

import numpy as np
from scipy.linalg import cho_factor, cho_solve
from sklearn.base import BaseEstimator, ClassNamePrefixFeaturesOutMixin, TransformerMixin
from sklearn.callback import CallbackSupportMixin
from sklearn.utils import check_random_state
from sklearn.utils.validation import check_is_fitted

from skcourse.core.chunks import for_each_chunk
from skcourse.core.history import fit_task
from skcourse.core.moments import quiet
from skcourse.core.validation import (
    Interval,
    StrOptions,
    check_finite_sums,
    check_weights,
    fit_context,
    read_X,
)
from skcourse.decomposition.base import project
from skcourse.decomposition.factor_analysis_fit import first_noise, iterate, rows_of
from skcourse.decomposition.factor_analysis_whitened import Subspace


class FactorAnalysis(
    CallbackSupportMixin, ClassNamePrefixFeaturesOutMixin, TransformerMixin, BaseEstimator
):
    """Explain rows by few hidden factors, and a noise of its own for each feature.

    A drop-in for scikit-learn's, which reads the rows once.

    Parameters
    ----------
    n_components : int, default=None
        How many factors; None is the number of features.
    tol : float, default=1e-2
        The iteration ends once the log-likelihood of all rows rises by less than this.
    copy : bool, default=True
        For compatibility: X is never changed.
    max_iter : int, default=1000
    noise_variance_init : array-like of shape (n_features,), default=None
        The first psi; None is ones.
    svd_method : {"lapack", "randomized"}, default="randomized"
        How the eigenvectors of an iteration are found: "lapack" is exact, as is "randomized" where
        that is no dearer. Otherwise, where features (and rows) are many and factors few, it takes
        a subspace, which every iteration improves.
    iterated_power : int, default=3
        Products that "randomized" takes to improve the subspace, beside one.
    rotation : {"varimax", "quartimax"} or None, default=None
        What is done to the factors in the end, to read them more easily.
    random_state : int, RandomState instance or None, default=0
        Draws the first subspace of "randomized".

    Attributes
    ----------
    components_ : ndarray of shape (n_components, n_features_in_)
        W; fewer rows if X has fewer rows or columns than `n_components`. Before a rotation, the
        score that is largest in size is positive for each.
    noise_variance_ : ndarray of shape (n_features_in_,)
        psi, at least 1e-12.
    mean_ : ndarray of shape (n_features_in_,)
    loglike_ : list of float
        The log-likelihood of all rows in each iteration, as scikit-learn computes it: too large
        where a factor explains less than the noise does. With more factors than the rows have
        dimensions, that of `history_`.
    n_iter_ : int
    history_ : dict of str to ndarray of shape (n_iter_,)
        "log_likelihood" of all rows in each iteration, which never falls.
    n_features_in_ : int
    feature_names_in_ : ndarray of shape (n_features_in_,)
        Only if X has names for all its columns.

    See Also
    --------
    ProbabilisticPCA : one noise for all features.

    Notes
    -----
    A row of weight 2 counts as two rows. A constant feature has the least noise there is, 1e-12, in
    the units of X squared: features of that size ask for another unit.

    Examples
    --------
    >>> import numpy as np
    >>> from skcourse.decomposition import FactorAnalysis
    >>> rng = np.random.default_rng(0)
    >>> skill = rng.normal(size=(500, 1))
    >>> X = skill @ [[2.0, 1.0, 3.0]] + rng.normal(size=(500, 3)) * [0.5, 2.0, 1.0]
    >>> model = FactorAnalysis(n_components=1).fit(X)
    >>> np.sqrt(model.noise_variance_).round(1)
    array([0.6, 2. , 0.9])
    """

    _parameter_constraints: dict = {
        "n_components": [Interval(Integral, 0, None, closed="left"), None],
        "tol": [Interval(Real, 0.0, None, closed="left")],
        "copy": ["boolean"],
        "max_iter": [Interval(Integral, 1, None, closed="left")],
        "noise_variance_init": ["array-like", None],
        "svd_method": [StrOptions({"randomized", "lapack"})],
        "iterated_power": [Interval(Integral, 0, None, closed="left")],
        "rotation": [StrOptions({"varimax", "quartimax"}), None],
        "random_state": ["random_state"],
    }

    def __init__(
        self,
        n_components=None,
        *,
        tol=1e-2,
        copy=True,
        max_iter=1000,
        noise_variance_init=None,
        svd_method="randomized",
        iterated_power=3,
        rotation=None,
        random_state=0,
    ):
        self.n_components = n_components
        self.tol = tol
        self.copy = copy
        self.max_iter = max_iter
        self.noise_variance_init = noise_variance_init
        self.svd_method = svd_method
        self.iterated_power = iterated_power
        self.rotation = rotation
        self.random_state = random_state

    @fit_context
    def fit(self, X, y=None, sample_weight=None):
        """Find the factors and the noise.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
        y : ignored, but for callbacks that score
        sample_weight : array-like of shape (n_samples,), default=None
            How often each row counts; None is once.

        Returns
        -------
        self : FactorAnalysis

        Raises
        ------
        ValueError
            If X is not finite, or `noise_variance_init` is not one positive number per feature.

        Warns
        -----
        ConvergenceWarning
            If the iteration ended at `max_iter`.
        """
        task = fit_task(self, X, y, sample_weight, max_subtasks=self.max_iter)
        X = read_X(self, X, reset=True, finite=False)
        weights = check_weights(sample_weight, X)
        psi = first_noise(self, X.shape[1])
        rows, whitened = rows_of(self, X, weights)
        k = X.shape[1] if self.n_components is None else self.n_components
        options = {}
        if self.svd_method == "randomized":
            options = {
                "n_steps": self.iterated_power,
                "rng": check_random_state(self.random_state),
            }
        found = iterate(self, Subspace(whitened, k, **options), psi, rows, task)
        vars(self).update(found)
        task.end()
        return self

    def transform(self, X):
        """Return what the factors of each row are expected to be, by (4).

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)

        Returns
        -------
        X_new : ndarray of shape (n_samples, n_components)
        """
        if not hasattr(self, "components_"):
            check_is_fitted(self)
        X = read_X(self, X, order=None, finite=False, dtype="numeric")
        regression, _ = self._posterior()
        return project(X, regression.astype(self.components_.dtype), self.mean_, self)

    def get_covariance(self):
        """Return the covariance of the model, W'W + diag(psi).

        Returns
        -------
        covariance : ndarray of shape (n_features, n_features)
        """
        check_is_fitted(self)
        covariance = self.components_.T @ self.components_
        covariance.flat[:: len(covariance) + 1] += self.noise_variance_
        return covariance

    def get_precision(self):
        """Return the inverse of the covariance, by Woodbury's formula and (4).

        Returns
        -------
        precision : ndarray of shape (n_features, n_features)
        """
        check_is_fitted(self)
        k, p = self.components_.shape
        if k == p:
            return np.linalg.inv(self.get_covariance())
        W, psi, _ = self._model()
        precision = -(W / psi).T @ self._posterior()[0]
        precision.flat[:: p + 1] += 1 / psi
        return precision.astype(self.components_.dtype, copy=False)

    def score_samples(self, X):
        """Return the log-density of each row.

        With the mean z of (4), |x - m|^2 in the metric of the covariance is
        sum_f (x - m - W'z)_f^2 / psi_f + |z|^2.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)

        Returns
        -------
        ll : ndarray of shape (n_samples,)
        """
        check_is_fitted(self)
        X = read_X(self, X, order=None, finite=False, dtype="numeric")
        W, psi, mean = self._model()
        regression, log_det = self._posterior()
        constant = len(psi) * np.log(2 * np.pi) + np.sum(np.log(psi)) + log_det
        density = np.empty(len(X))

        @quiet
        def part(rows):
            rest = np.subtract(X[rows], mean, dtype=np.float64)
            z = rest @ regression.T
            rest -= z @ W
            squares = np.square(rest) @ (1 / psi) + np.einsum("ij,ij->i", z, z)
            density[rows] = -0.5 * (constant + squares)

        for_each_chunk(part, len(X), row_bytes=8 * len(psi))
        check_finite_sums(density, X, estimator=self)
        return density.astype(np.result_type(X, self.components_), copy=False)

    def score(self, X, y=None):
        """Return the mean log-density of the rows.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
        y : ignored

        Returns
        -------
        ll : float
        """
        return float(np.mean(self.score_samples(X)))

    def _model(self):
        """Return W, psi and m in float64."""
        arrays = self.components_, self.noise_variance_, self.mean_
        return tuple(array.astype(np.float64, copy=False) for array in arrays)

    def _posterior(self):
        """Return M^-1 W diag(1/psi) of (4), (k, p), and log |M|."""
        W, psi, _ = self._model()
        over = W / psi
        if not len(W):
            return over, 0.0
        M = over @ W.T
        M.flat[:: len(M) + 1] += 1.0
        factor = cho_factor(M, lower=True)
        return cho_solve(factor, over), 2 * np.sum(np.log(np.diagonal(factor[0])))

    @property
    def _n_features_out(self):
        return len(self.components_)

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.transformer_tags.preserves_dtype = ["float64", "float32"]
        return tags
