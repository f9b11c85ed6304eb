"""Linear regression by stochastic gradient descent; the descent itself is in `sgd_steps`.

Problem     Minimise sum_i s_i l(y_i, <x_i, w> + b) / n + a P(w), for losses that forgive outliers
            or small errors as well as for squares.
Iteration   One step for each sample, in random order, epoch after epoch.
Cost        4 p products a step: for more rows than other solvers can hold, and for rows that come
            in pieces (`partial_fit`).
Reference   L. Bottou, Stochastic gradient descent tricks, 2012.
"""

import numpy as np
from sklearn.base import BaseEstimator, RegressorMixin
from sklearn.metrics import r2_score

from skcourse.core.history import SILENCE, fit_task
from skcourse.core.losses import EPSILON_INSENSITIVE, HUBER, SQUARED, SQUARED_EPSILON_INSENSITIVE
from skcourse.core.validation import FLOATS, StrOptions, check_weights, fit_context, read_Xy
from skcourse.linear_model.linear_classifier import SparseCoefficients, scores
from skcourse.linear_model.sgd_base import StochasticDescent, pack
from skcourse.linear_model.sgd_descent import make_rules

EPSILON = 0.1
REGRESSION_LOSSES = {  # code, and the default of the number in the formula
    "squared_error": (SQUARED,),
    "huber": (HUBER, EPSILON),
    "epsilon_insensitive": (EPSILON_INSENSITIVE, EPSILON),
    "squared_epsilon_insensitive": (SQUARED_EPSILON_INSENSITIVE, EPSILON),
}


class SGDRegressor(StochasticDescent, RegressorMixin, SparseCoefficients, BaseEstimator):
    """Linear regression by stochastic gradient descent.

    Give all features a common scale first, for instance by `StandardScaler`.

    Parameters
    ----------
    loss : {"squared_error", "huber", "epsilon_insensitive", "squared_epsilon_insensitive"}, \
            default="squared_error"
        With r = y - prediction: r^2 / 2; the same up to |r| = epsilon, then a straight line;
        max(0, |r| - epsilon); the square of that.
    penalty : {"l2", "l1", "elasticnet"} or None, default="l2"
        |w|^2 / 2; |w|_1, which makes coefficients exactly 0; the two mixed.
    alpha : float, default=1e-4
        Strength of the penalty, not negative; "optimal" steps are in its units.
    l1_ratio : float or None, default=0.15
        Share of |w|_1 in "elasticnet".
    fit_intercept : bool, default=True
    max_iter : int, default=1000
        Bound on the epochs of `fit`.
    tol : float or None, default=1e-3
        `fit` ends when for `n_iter_no_change` epochs the objective has not fallen, or the score on
        the rows kept back has not risen, by more than that. None goes on until `max_iter`.
    shuffle : bool, default=True
        Whether every epoch has an order of its own.
    verbose : int, default=0
        Whether to print a line per epoch.
    epsilon : float, default=0.1
        The number in the losses, in the units of y.
    random_state : int, RandomState instance or None, default=None
        Draws the orders, and the rows kept back.
    learning_rate : {"constant", "optimal", "invscaling", "adaptive", "pa1", "pa2"}, \
            default="invscaling"
        The length of step t: eta0; 1 / (alpha (t + t_0)); eta0 / t^power_t; eta0, a fifth of it
        each time the objective has ceased to fall; "pa1" and "pa2", passive-aggressive, only for
        "epsilon_insensitive", go as far as the sample wants, eta0 being a bound or a damping.
    eta0 : float, default=0.01
    power_t : float, default=0.25
    early_stopping : bool, default=False
        Whether to keep rows back, by whose R^2 `fit` ends, instead of by the objective.
    validation_fraction : float, default=0.1
        The share kept back.
    n_iter_no_change : int, default=5
    warm_start : bool, default=False
        Whether `fit` begins at the last coefficients.
    average : bool or int, default=False
        Whether `coef_` is the mean over all steps, or over those from this one on: it needs no
        small steps at the end.

    Attributes
    ----------
    coef_ : ndarray of shape (n_features,)
    intercept_ : ndarray of shape (1,)
    n_iter_ : int, epochs
    t_ : float, steps + 1
    history_ : dict of arrays of shape (n_iter_,)
        "loss", the mean of the losses without weights; "objective", with the penalty; each as it
        was just before the steps; "validation_score", if rows were kept back.
    n_features_in_ : int
    feature_names_in_ : ndarray of shape (n_features_in_,)
        Only if X has names.

    See Also
    --------
    SGDClassifier : The same for classes.
    Ridge : The exact answer for "squared_error" and "l2".

    Notes
    -----
    Sparse rows move the intercept by a hundredth of what dense rows do, as in scikit-learn.

    Examples
    --------
    >>> import numpy as np
    >>> from skcourse.linear_model import SGDRegressor
    >>> X = np.random.default_rng(0).standard_normal((1000, 2))
    >>> model = SGDRegressor(random_state=0).fit(X, X @ [1.0, -2.0] + 3.0)
    >>> model.coef_.round(1), model.intercept_.round(1)
    (array([ 1., -2.]), array([3.]))
    """

    loss_functions = REGRESSION_LOSSES
    _passive_loss = "epsilon_insensitive"
    _parameter_constraints: dict = StochasticDescent._parameter_constraints | {
        "loss": [StrOptions(set(REGRESSION_LOSSES))]
    }

    def __init__(
        self,
        loss="squared_error",
        *,
        penalty="l2",
        alpha=0.0001,
        l1_ratio=0.15,
        fit_intercept=True,
        max_iter=1000,
        tol=1e-3,
        shuffle=True,
        verbose=0,
        epsilon=EPSILON,
        random_state=None,
        learning_rate="invscaling",
        eta0=0.01,
        power_t=0.25,
        early_stopping=False,
        validation_fraction=0.1,
        n_iter_no_change=5,
        warm_start=False,
        average=False,
    ):
        self.loss = loss
        self.penalty = penalty
        self.alpha = alpha
        self.l1_ratio = l1_ratio
        self.fit_intercept = fit_intercept
        self.max_iter = max_iter
        self.tol = tol
        self.shuffle = shuffle
        self.verbose = verbose
        self.epsilon = epsilon
        self.random_state = random_state
        self.learning_rate = learning_rate
        self.eta0 = eta0
        self.power_t = power_t
        self.early_stopping = early_stopping
        self.validation_fraction = validation_fraction
        self.n_iter_no_change = n_iter_no_change
        self.warm_start = warm_start
        self.average = average

    @fit_context
    def fit(self, X, y, coef_init=None, intercept_init=None, sample_weight=None):
        """Fit the coefficients.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features)
        y : array-like of shape (n_samples,)
        coef_init : array-like of shape (n_features,), default=None
            Where to begin; None is 0, or the last fit with `warm_start`.
        intercept_init : array-like of shape (1,), default=None
        sample_weight : float or array-like of shape (n_samples,), default=None
            They lengthen or shorten the steps.

        Returns
        -------
        self : SGDRegressor

        Raises
        ------
        ValueError
            If the steps are so long that numbers overflow, or for parameters that do not go
            together.
        """
        self._check_choices()
        X, y, weights = self._read(X, y, sample_weight, reset=True)
        starts = self._begin(1, X.shape[1], coef_init, intercept_init)
        task = fit_task(self, X, y, sample_weight, max_subtasks=self.max_iter)
        attributes = self._learn(X, y, weights, starts, max_iter=self.max_iter, task=task)
        self._keep(attributes)
        task.end()
        self._warn()
        return self

    @fit_context
    def partial_fit(self, X, y, sample_weight=None):
        """Learn from more rows, in one epoch.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features)
        y : array-like of shape (n_samples,)
        sample_weight : float or array-like of shape (n_samples,), default=None

        Returns
        -------
        self : SGDRegressor
        """
        first = getattr(self, "coef_", None) is None
        if first:
            self._check_choices(partial=True)
        X, y, weights = self._read(X, y, sample_weight, reset=first)
        starts = self._first_start(1, X.shape[1], None, None) if first else self._next_start()
        self._keep(self._learn(X, y, weights, starts, max_iter=1, task=SILENCE))
        return self

    def _read(self, X, y, sample_weight, *, reset):
        """Return X, y and the weights, or None for them."""
        if type(y) is np.ndarray and y.dtype.kind in "iu" and getattr(X, "dtype", None) in FLOATS:
            y = y.astype(X.dtype)
        X, y = read_Xy(self, X, y, reset=reset, multi_output=False, accept_sparse="csr")
        return X, y, check_weights(sample_weight, X, non_negative=False)

    def _learn(self, X, y, weights, starts, *, max_iter, task):
        """Run the descent; return the fitted attributes."""
        kept_back = self._kept_back(y, weights)
        rules = make_rules(
            self, self._loss(), alpha=self.alpha, sparse=not isinstance(X, np.ndarray)
        )
        validate = None
        if kept_back is not None:
            rows, targets = X[kept_back], y[kept_back]
            importance = None if weights is None else weights[kept_back]

            def validate(k, w, b):
                """Return R^2 on the rows kept back."""
                return r2_score(targets, rows @ w + b, sample_weight=importance)

        samples = pack(y, weights)
        descents = self._descend(
            X,
            rules,
            starts,
            lambda k: samples,
            max_iter=max_iter,
            validate=validate,
            kept_back=kept_back,
            task=task,
        )
        return self._attributes(descents, X)

    def _attributes(self, descents, X):
        """Return the fitted attributes; the coefficients as a vector."""
        attributes = super()._attributes(descents, X)
        for name in ("coef_", "_standard_coef", "_average_coef"):
            if name in attributes:
                attributes[name] = attributes[name][0]
        return attributes

    def predict(self, X):
        """Predict the targets.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features)

        Returns
        -------
        y : ndarray of shape (n_samples,)
        """
        return scores(self, X)

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.input_tags.sparse = True
        return tags
