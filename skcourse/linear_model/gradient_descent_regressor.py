"""Regression by gradient descent; the descent itself is in `gradient_descent`."""

from numbers import Real

import numpy as np
from sklearn.base import RegressorMixin
from sklearn.utils import column_or_1d
from sklearn.utils.validation import check_is_fitted, validate_data

from skcourse.core.loss_traits import TRAITS, best_constant, in_domain, loss_traits
from skcourse.core.losses import Loss
from skcourse.core.validation import FLOATS, Interval, StrOptions, fit_context, read_X
from skcourse.linear_model.base import SPARSE, linear_map
from skcourse.linear_model.gradient_descent import NOT_NEGATIVE, GradientDescent

LOSSES = {
    name for name, traits in TRAITS.items() if traits.task == "regression" and name != "gaussian"
}


class GradientDescentRegressor(RegressorMixin, GradientDescent):
    """Linear regression by gradient descent: any loss, any penalty, any first-order rule.

    Parameters
    ----------
    loss : {"squared_error", "huber", "epsilon_insensitive", "squared_epsilon_insensitive", \
            "pinball", "poisson", "gamma", "tweedie", "tweedie_identity"}, default="squared_error"
        See `skcourse.core.losses` for the formulas. "poisson", "gamma" and "tweedie" predict the
        logarithm of the mean.
    penalty : {"l2", "l1", "elasticnet", "group", "mcp", "scad", "l0"} or None, default=None
        On the coefficients, not on the intercept; see `skcourse.core.penalties` for the formulas.
        l2 adds to the gradient; all others act by their proximal step after each move, and give
        coefficients that are exactly 0.
    alpha : float, default=1e-4
        Strength of the penalty; the loss is a mean over the samples.
    l1_ratio : float, default=0.15
        Share of l1 in "elasticnet".
    gamma : float, default=None
        From how many times alpha on "mcp" and "scad" leave a coefficient alone. None is 3 for
        "mcp", where it must be above 1, and 3.7 for "scad", where it must be above 2.
    groups : array-like of shape (n_features,), default=None
        For "group", the label of the group that each feature belongs to.
    epsilon : float, default=0.1
        Where "huber" becomes straight, or up to where the epsilon-insensitive losses are 0.
    quantile : float, default=0.5
        Of "pinball".
    power : float, default=1.5
        Of the mean in the variance, for "tweedie" and "tweedie_identity".
    fit_intercept : bool, default=True
    optimizer : {"sgd", "momentum", "nesterov", "adagrad", "rmsprop", "adam", "adamw"}, \
            default="sgd"
        The rule by which parameters move; see `skcourse.core.optimizers`. "sgd" is the plain step
        against the gradient, of whatever batch. For "adamw", l2 is a decay of the coefficients
        instead. The proximal step of the last four has the rule's own length for each coefficient;
        they do not take "group".
    learning_rate : {"auto", "lipschitz", "constant", "invscaling"}, default="auto"
        The length of steps: "lipschitz" is 1/L, with L the largest curvature of the objective, or
        of what can be expected of a batch; it never overshoots, but exists only for losses of
        bounded curvature and for the first three rules. "constant" is eta0, "invscaling" is
        eta0 / t^power_t at update t = 1, 2, ... "auto" is "lipschitz" where it exists, else
        "constant".
    eta0 : float, default=0.01
    power_t : float, default=0.5
    momentum : float, default=0.9
        Of "momentum" and "nesterov".
    beta_1 : float, default=0.9
        Memory of "adam" and "adamw" for gradients.
    beta_2 : float, default=0.999
        Memory of "rmsprop", "adam" and "adamw" for squared gradients.
    optimizer_epsilon : float, default=1e-8
        Keeps the last four rules from dividing by 0.
    batch_size : int, float, "full" or None, default=None
        Rows per update: a number, from 1 ("online") on; a share of the rows, between 0 and 1; all
        of them ("full", None).
    max_iter : int, default=1000
        Epochs at most: passes over the rows.
    tol : float or None, default=1e-8
        The descent is at rest when an epoch moves the parameters by no more, squared:
        ``|theta_new - theta_old|^2 <= tol``. None runs all epochs, without a warning.
    n_iter_no_change : int, default=10
        With validation data: epochs without a new minimum of their loss, after which to stop.
    shuffle : bool, default=True
        Whether each epoch draws a new order of the rows; of no effect on a full batch.
    random_state : int, RandomState instance or None, default=None
        Draws that order.
    warm_start : bool, default=False
        Begin where the last fit ended; momentum and the like begin anew.
    record : {"path"} or None, default=None
        "path" keeps the parameters after every update in `history_`.

    Attributes
    ----------
    coef_ : ndarray of shape (n_features,), dtype of X
    intercept_ : float, 0.0 without an intercept
    n_iter_ : int
        Epochs; those of `partial_fit` are added.
    history_ : dict of str to ndarray of shape (n_iter_,)
        "loss" is the mean over the batches of the objective, each at the parameters that it met:
        for a full batch, the objective before the step. "gradient_norm" is the length of their mean
        gradient, without what acts by a proximal step; "learning_rate" the length of the last step.
        With validation data, "validation_loss" is theirs after the epoch, without the penalty. With
        ``record="path"``, "parameters" has shape (n_iter_, n_batches, n_parameters): coefficients,
        then intercepts, after every update (of `partial_fit`: of the last call).
    n_features_in_ : int
    feature_names_in_ : ndarray of shape (n_features_in_,)
        Only if X has feature names that are all strings.

    Notes
    -----
    Weights are scaled to a mean of 1. A descent that leaves the range of numbers raises ValueError,
    which names the longest step that is safe; one that is getting worse when it ends warns. All
    rows as one batch are read on all cores; batches of few rows on one. Every update touches all
    parameters: very wide sparse X wants large batches.

    See Also
    --------
    GradientDescentClassifier : The same for classes.
    LinearRegression : Least squares in closed form.

    Examples
    --------
    >>> from skcourse.linear_model import GradientDescentRegressor
    >>> X, y = [[0.0], [1.0], [2.0]], [1.0, 3.0, 5.0]
    >>> model = GradientDescentRegressor(tol=1e-20).fit(X, y)
    >>> model.predict([[3.0]]).round(6)
    array([7.])
    >>> float(model.history_["learning_rate"][0].round(4))  # one over the largest curvature
    0.4189
    """

    _parameter_constraints: dict = {
        "loss": [StrOptions(LOSSES)],
        "epsilon": [NOT_NEGATIVE],
        "quantile": [Interval(Real, 0, 1, closed="both")],
        "power": [Interval(Real, None, None, closed="neither")],
    } | GradientDescent._parameter_constraints

    def __init__(
        self,
        loss="squared_error",
        *,
        penalty=None,
        alpha=1e-4,
        l1_ratio=0.15,
        gamma=None,
        groups=None,
        epsilon=0.1,
        quantile=0.5,
        power=1.5,
        fit_intercept=True,
        optimizer="sgd",
        learning_rate="auto",
        eta0=0.01,
        power_t=0.5,
        momentum=0.9,
        beta_1=0.9,
        beta_2=0.999,
        optimizer_epsilon=1e-8,
        batch_size=None,
        max_iter=1000,
        tol=1e-8,
        n_iter_no_change=10,
        shuffle=True,
        random_state=None,
        warm_start=False,
        record=None,
    ):
        self.loss = loss
        self.penalty = penalty
        self.alpha = alpha
        self.l1_ratio = l1_ratio
        self.gamma = gamma
        self.groups = groups
        self.epsilon = epsilon
        self.quantile = quantile
        self.power = power
        self.fit_intercept = fit_intercept
        self.optimizer = optimizer
        self.learning_rate = learning_rate
        self.eta0 = eta0
        self.power_t = power_t
        self.momentum = momentum
        self.beta_1 = beta_1
        self.beta_2 = beta_2
        self.optimizer_epsilon = optimizer_epsilon
        self.batch_size = batch_size
        self.max_iter = max_iter
        self.tol = tol
        self.n_iter_no_change = n_iter_no_change
        self.shuffle = shuffle
        self.random_state = random_state
        self.warm_start = warm_start
        self.record = record

    @fit_context
    def partial_fit(self, X, y, sample_weight=None):
        """Go on for one epoch, on these rows.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features)
        y : array-like of shape (n_samples,)
        sample_weight : array-like of shape (n_samples,), default=None
            Scaled to a mean of 1 in each call.

        Returns
        -------
        self : GradientDescentRegressor
        """
        return self._more(X, y, sample_weight)

    def predict(self, X):
        """Predict the targets.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features)

        Returns
        -------
        y : ndarray of shape (n_samples,)
            For "poisson", "gamma" and "tweedie" the exponential of the linear prediction.
        """
        if not hasattr(self, "coef_"):
            check_is_fitted(self)
        kinds = {"accept_sparse": list(SPARSE), "dtype": "numeric"}
        X = read_X(self, X, order=None, finite=False, **kinds)
        raw = linear_map(X, self.coef_, self.intercept_, self)
        return np.exp(raw) if TRAITS[self.loss].link == "log" else raw

    @property
    def _n_outputs(self):
        return 1

    def _loss_traits(self):
        """Return what is known of the loss."""
        return loss_traits(self.loss, self._kernel_loss().parameter)

    def _kernel_loss(self):
        """Return the loss as kernels take it."""
        traits = TRAITS[self.loss]
        return Loss(traits.code, float(getattr(self, traits.parameter, 0.0)))

    def _read(self, X, y, *, reset, whole):
        """Return the rows and their targets, (n,), float64."""
        X, y = validate_data(
            self,
            X,
            y,
            reset=reset,
            accept_sparse="csr",
            dtype=FLOATS,
            order="C",
            y_numeric=True,
        )
        y = column_or_1d(y, warn=True).astype(np.float64)
        traits = self._loss_traits()
        if not in_domain(traits, y):
            raise ValueError(
                f"Some value(s) of y are out of the valid range of the loss {self.loss!r}: "
                f"{'[' if traits.closed[0] else '('}{traits.domain[0]}, {traits.domain[1]})."
            )
        return X, y

    def _targets(self, y):
        return y[:, np.newaxis]

    def _first_intercept(self, data):
        """Return 0, where the loss is defined there."""
        if self.loss != "tweedie_identity" or self.power <= 0:
            return np.zeros(1)
        if not self.fit_intercept:
            raise ValueError(
                "loss='tweedie_identity' has no value for predictions of 0, where a descent "
                "without an intercept begins: use fit_intercept=True, or give coef_init."
            )
        return np.array([best_constant(self.loss, data.values[:, 0], data.weights, self.power)])

    def _shaped(self, W, b):
        """Return `coef_` and `intercept_`."""
        return W[0], b[0]
