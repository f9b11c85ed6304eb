"""The one-class support vector machine, linear, by stochastic gradient descent.

Problem     A half-space that holds all but about a share nu of the samples, and not the origin:
                min  nu |w|^2 / 2 + mean_i max(0, 1 - (<x_i, w> + b)) + nu b,  offset = 1 - b.  (1)
Iteration   That of a hinge loss with all y_i = 1 and alpha = nu, in `sgd_steps`, but that in each
            step of length h the intercept also falls by h nu.
Reference   B. Schoelkopf et al., Estimating the support of a high-dimensional distribution, Neural
            Computation, 2001.
"""

from numbers import Real

import numpy as np
from scipy.sparse import issparse
from sklearn.base import BaseEstimator, OutlierMixin
from sklearn.utils.validation import check_is_fitted

from skcourse.core.history import SILENCE, fit_task
from skcourse.core.losses import HINGE
from skcourse.core.validation import (
    Hidden,
    Interval,
    StrOptions,
    check_weights,
    fit_context,
    read_X,
)
from skcourse.linear_model.linear_classifier import SparseCoefficients, scores
from skcourse.linear_model.sgd_base import StochasticDescent, pack
from skcourse.linear_model.sgd_descent import make_rules

FIXED = (
    "penalty",
    "alpha",
    "l1_ratio",
    "epsilon",
    "learning_rate",
    "early_stopping",
    "validation_fraction",
    "n_iter_no_change",
)


class SGDOneClassSVM(StochasticDescent, OutlierMixin, SparseCoefficients, BaseEstimator):
    """Linear one-class support vector machine, by stochastic gradient descent.

    After a map of the features, for instance by `Nystroem`, it stands for one with a kernel.

    Parameters
    ----------
    nu : float, default=0.5
        About the share of the training samples that are outliers, above 0 and at most 1.
    fit_intercept : bool, default=True
    max_iter : int, default=1000
        Bound on the epochs of `fit`.
    tol : float or None, default=1e-3
        `fit` ends when for 5 epochs the objective has not fallen by more than that. None goes on
        until `max_iter`.
    shuffle : bool, default=True
        Whether every epoch has an order of its own.
    verbose : int, default=0
        Whether to print a line per epoch.
    random_state : int, RandomState instance or None, default=None
        Draws the orders.
    learning_rate : {"constant", "optimal", "invscaling", "adaptive"}, default="optimal"
        The length of step t: eta0; 1 / (nu (t + t_0)); eta0 / t^power_t; eta0, a fifth of it each
        time the objective has ceased to fall.
    eta0 : float, default=0.01
    power_t : float, default=0.5
    warm_start : bool, default=False
        Whether `fit` begins at the last coefficients.
    average : bool or int, default=False
        Whether the result is the mean over all steps, or over those from this one on.

    Attributes
    ----------
    coef_ : ndarray of shape (n_features,)
    offset_ : ndarray of shape (1,)
        `decision_function` is `score_samples` less that.
    n_iter_ : int, epochs
    t_ : float, steps + 1
    history_ : dict of arrays of shape (n_iter_,)
        "loss", the mean of the losses, and "objective", each as it was just before the steps.
    n_features_in_ : int
    feature_names_in_ : ndarray of shape (n_features_in_,)
        Only if X has names.

    See Also
    --------
    sklearn.svm.OneClassSVM : With kernels.

    Examples
    --------
    >>> import numpy as np
    >>> from skcourse.linear_model import SGDOneClassSVM
    >>> X = np.random.default_rng(0).normal(5, 1, size=(200, 2))
    >>> SGDOneClassSVM(nu=0.1, random_state=0).fit(X).predict([[5.0, 5.0], [0.0, 0.0]])
    array([ 1, -1], dtype=int32)
    """

    loss = "hinge"
    loss_functions = {"hinge": (HINGE,)}
    penalty, l1_ratio, epsilon = "l2", 0.0, 0.0
    early_stopping, n_iter_no_change = False, 5
    _intercept_name = "offset_init"
    _passive_loss = "epsilon_insensitive"  # so "pa1" and "pa2" are refused, as in scikit-learn
    _parameter_constraints: dict = {
        name: allowed
        for name, allowed in StochasticDescent._parameter_constraints.items()
        if name not in FIXED
    } | {
        "nu": [Interval(Real, 0.0, 1.0, closed="right")],
        "learning_rate": [
            StrOptions({"constant", "optimal", "invscaling", "adaptive"}),
            Hidden(StrOptions({"pa1", "pa2"})),
        ],
    }

    def __init__(
        self,
        nu=0.5,
        fit_intercept=True,
        max_iter=1000,
        tol=1e-3,
        shuffle=True,
        verbose=0,
        random_state=None,
        learning_rate="optimal",
        eta0=0.01,
        power_t=0.5,
        warm_start=False,
        average=False,
    ):
        self.nu = nu
        self.fit_intercept = fit_intercept
        self.max_iter = max_iter
        self.tol = tol
        self.shuffle = shuffle
        self.verbose = verbose
        self.random_state = random_state
        self.learning_rate = learning_rate
        self.eta0 = eta0
        self.power_t = power_t
        self.warm_start = warm_start
        self.average = average

    @fit_context
    def fit(self, X, y=None, coef_init=None, offset_init=None, sample_weight=None):
        """Find the half-space.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features)
        y : ignored
        coef_init : array-like of shape (n_features,), default=None
            Where to begin; None is 0, or the last fit with `warm_start`.
        offset_init : array-like of shape (1,), default=None
        sample_weight : float or array-like of shape (n_samples,), default=None
            They lengthen or shorten the steps.

        Returns
        -------
        self : SGDOneClassSVM
        """
        self._check_choices()
        X, weights = self._read(X, sample_weight, reset=True)
        if self.warm_start and getattr(self, "coef_", None) is not None:
            coef_init = self.coef_ if coef_init is None else coef_init
            offset_init = self.offset_ if offset_init is None else offset_init
        offset = 0.0 if offset_init is None else offset_init
        intercept = 1.0 - np.asarray(offset, np.float64)
        starts = self._first_start(1, X.shape[1], coef_init, intercept)
        task = fit_task(self, X, y, sample_weight, max_subtasks=self.max_iter)
        self._keep(self._learn(X, weights, starts, max_iter=self.max_iter, task=task))
        task.end()
        self._warn()
        return self

    @fit_context
    def partial_fit(self, X, y=None, sample_weight=None):
        """Learn from more rows, in one epoch.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features)
        y : ignored
        sample_weight : float or array-like of shape (n_samples,), default=None

        Returns
        -------
        self : SGDOneClassSVM
        """
        first = getattr(self, "coef_", None) is None
        if first:
            self._check_choices(partial=True)
        X, weights = self._read(X, sample_weight, reset=first)
        if first:
            starts = self._first_start(1, X.shape[1], None, 1.0)
        else:
            starts = self._next_start()
        attributes = self._learn(X, weights, starts, max_iter=1, task=SILENCE)
        if not first and not self.average and self.coef_.dtype == attributes["coef_"].dtype:
            self.coef_[:] = attributes["coef_"]  # as in scikit-learn, the array stays the same
            attributes["coef_"] = self.coef_
        self._keep(attributes)
        return self

    def _read(self, X, sample_weight, *, reset):
        """Return X and the weights, or None for them."""
        X = read_X(self, X, reset=reset, accept_sparse="csr")
        return X, check_weights(sample_weight, X, non_negative=False)

    def _learn(self, X, weights, starts, *, max_iter, task):
        """Run the descent; return the fitted attributes."""
        rules = make_rules(self, self._loss(), alpha=self.nu, sparse=issparse(X), one_class=True)
        samples = pack(np.ones(X.shape[0]), weights)
        descents = self._descend(X, rules, starts, lambda k: samples, max_iter=max_iter, task=task)
        return self._attributes(descents, X)

    def _attributes(self, descents, X):
        """Return the fitted attributes: the coefficients as a vector, the offset."""
        attributes = super()._attributes(descents, X)
        for name in ("coef_", "_standard_coef", "_average_coef"):
            if name in attributes:
                attributes[name] = attributes[name][0]
        intercept = attributes.pop("intercept_")
        averaged = intercept is attributes.get("_average_intercept")
        b = descents[0].mean_b if averaged else descents[0].b  # not yet rounded: it may be near 1
        attributes["offset_"] = np.array([1.0 - b]).astype(X.dtype)
        return attributes

    def _intercept_now(self):
        """Return b."""
        return 1.0 - self.offset_

    def decision_function(self, X):
        """Return how far each sample is inside, negative outside.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features)

        Returns
        -------
        decisions : ndarray of shape (n_samples,)
        """
        values = self.score_samples(X)
        return values - self.offset_

    def score_samples(self, X):
        """Return <x_i, w>.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features)

        Returns
        -------
        values : ndarray of shape (n_samples,)
        """
        check_is_fitted(self)
        return scores(self, X, intercept=np.zeros(1, self.offset_.dtype))

    def predict(self, X):
        """Return 1 for samples inside, -1 for those outside.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features)

        Returns
        -------
        y : ndarray of shape (n_samples,), int32
        """
        return np.where(self.decision_function(X) >= 0, 1, -1).astype(np.int32)

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.input_tags.sparse = True
        return tags
