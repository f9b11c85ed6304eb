"""Regression by any loss and any penalty; the problem and the solvers are in `generalized_linear`.

Losses          squared_error, huber, epsilon_insensitive, squared_epsilon_insensitive and pinball
                of the residual; poisson, gamma and tweedie, whose raw prediction is the logarithm
                of the mean; tweedie_identity, where it is the mean.
"""

from numbers import Real

import numpy as np

from skcourse.core.history import fit_task
from skcourse.core.loss_traits import TRAITS, in_domain, loss_traits
from skcourse.core.validation import Interval, StrOptions, check_weights, fit_context, read_Xy
from skcourse.linear_model.generalized_linear_base import GeneralizedLinear
from skcourse.linear_model.glm import LinkedRegressor, first_intercept

LOSSES = {
    name for name, traits in TRAITS.items() if traits.task == "regression" and name != "gaussian"
}  # that has an estimator of its own, MeanVarianceRegressor


class GeneralizedLinearRegressor(GeneralizedLinear, LinkedRegressor):
    """Linear regression by any loss and any penalty, to a minimum that is certified.

    Parameters
    ----------
    loss : {"squared_error", "huber", "epsilon_insensitive", "squared_epsilon_insensitive", \
            "pinball", "poisson", "gamma", "tweedie", "tweedie_identity"}, default="squared_error"
        See `skcourse.core.losses` for the formulas. "poisson", "gamma" and "tweedie" predict the
        exponential of the linear prediction. Those with kinks, "pinball" and
        "epsilon_insensitive", go with the penalties None, "l2", "l1" and "elasticnet".
    penalty : {"l2", "l1", "elasticnet", "group", "mcp", "scad", "l0"} or None, default="l2"
        On the coefficients, not on the intercept; see `skcourse.core.penalties` for the formulas.
    alpha : float, default=1e-4
        Strength of the penalty; the loss is a mean over the samples.
    l1_ratio : float, default=0.15
        Share of l1 in "elasticnet".
    gamma : float, default=None
        From how many times alpha on "mcp" and "scad" leave a coefficient alone. None is 3 for
        "mcp", where it must be above 1, and 3.7 for "scad", where it must be above 2.
    groups : array-like of shape (n_features,), default=None
        For "group", the label of the group that each feature belongs to.
    penalty_weights : array-like of shape (n_features,), default=None
        Multiples of the penalty, feature by feature: 0 leaves a feature unpenalised, infinity
        leaves it out. Within a group they are the same. None is 1 for all.
    epsilon : float, default=0.1
        Where "huber" becomes straight, or up to where the epsilon-insensitive losses are 0.
    quantile : float, default=0.5
        Of "pinball".
    power : float, default=1.5
        Of the mean in the variance, for "tweedie" and "tweedie_identity".
    fit_intercept : bool, default=True
    solver : {"auto", "lbfgs", "newton-cholesky", "proximal-newton", "proximal-gradient", \
            "interior-point"}, default="auto"
        What each needs of loss and penalty is in `skcourse.linear_model.generalized_linear`; it
        refuses what it cannot do. "auto" chooses by that.
    max_iter : int, default=1000
    tol : float, default=1e-6
        The fit ends where no entry of the gradient, or of what takes its place where the penalty
        has kinks, is larger; for losses with kinks, where the duality gap is at most this share of
        the objective (or of 1, if that is larger).
    warm_start : bool, default=False
        Begin at the coefficients of the last fit.
    verbose : int, default=0
        Whether to print a line for each iteration.

    Attributes
    ----------
    coef_ : ndarray of shape (n_features,), dtype of X
    intercept_ : float
    n_iter_ : int
    solver_ : str
        The one that was chosen.
    history_ : dict of arrays of shape (n_iter_,)
        After each iteration "loss", which is the objective, and "gradient", "violation" or "gap":
        what `tol` is compared with; of "proximal-newton" also "n_active", how many coefficients
        are not 0.
    n_features_in_ : int
    feature_names_in_ : ndarray of shape (n_features_in_,)
        Only if X has names.

    See Also
    --------
    GradientDescentRegressor : The same objectives by plain descent.
    GeneralizedLinearClassifier : The same for classes.

    Examples
    --------
    The adaptive lasso: a ridge tells which features to penalise.

    >>> import numpy as np
    >>> from skcourse.linear_model import GeneralizedLinearRegressor, Ridge
    >>> X = np.random.default_rng(0).normal(size=(100, 4))
    >>> y = 2 * X[:, 0] - X[:, 1] + np.random.default_rng(1).normal(size=100)
    >>> weights = 1 / np.abs(Ridge().fit(X, y).coef_)
    >>> model = GeneralizedLinearRegressor(penalty="l1", alpha=0.05, penalty_weights=weights)
    >>> model.fit(X, y).coef_.round(1)
    array([ 2. , -0.7,  0. ,  0. ])
    """

    _parameter_constraints: dict = GeneralizedLinear._parameter_constraints | {
        "loss": [StrOptions(LOSSES)],
        "epsilon": [Interval(Real, 0, None, closed="left")],
        "quantile": [Interval(Real, 0, 1, closed="both")],
        "power": [Interval(Real, None, None, closed="neither")],
    }

    def __init__(
        self,
        loss="squared_error",
        *,
        penalty="l2",
        alpha=1e-4,
        l1_ratio=0.15,
        gamma=None,
        groups=None,
        penalty_weights=None,
        epsilon=0.1,
        quantile=0.5,
        power=1.5,
        fit_intercept=True,
        solver="auto",
        max_iter=1000,
        tol=1e-6,
        warm_start=False,
        verbose=0,
    ):
        self.loss = loss
        self.penalty = penalty
        self.alpha = alpha
        self.l1_ratio = l1_ratio
        self.gamma = gamma
        self.groups = groups
        self.penalty_weights = penalty_weights
        self.epsilon = epsilon
        self.quantile = quantile
        self.power = power
        self.fit_intercept = fit_intercept
        self.solver = solver
        self.max_iter = max_iter
        self.tol = tol
        self.warm_start = warm_start
        self.verbose = verbose

    @fit_context
    def fit(self, X, y, sample_weight=None):
        """Find the coefficients and the intercept.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features)
        y : array-like of shape (n_samples,)
        sample_weight : float or array-like of shape (n_samples,), default=None
            Not negative; a weight of 2 is a row given twice.

        Returns
        -------
        self : GeneralizedLinearRegressor

        Raises
        ------
        ValueError
            If y is outside the domain of the loss; if no solver, or not the one that is asked for,
            has what loss and penalty need; if a warm start is not finite.

        Warns
        -----
        ConvergenceWarning
            If the fit did not get to where `tol` is met, with the cause and the remedy.
        """
        X, y = read_Xy(self, X, y, accept_sparse=["csr"], multi_output=False)
        y = np.asarray(y, np.float64)
        name, parameter = self._loss_name()
        traits = loss_traits(name, parameter)
        if not in_domain(traits, y):
            raise ValueError(
                f"Some value(s) of y are out of the valid range of the loss {name!r}: y must be "
                f"{'>=' if traits.closed[0] else '>'} 0."
            )
        weights = check_weights(sample_weight, X)
        start = self._begin(X, y, weights)
        task = fit_task(self, X, y, sample_weight, max_subtasks=self.max_iter)
        found = self._find(
            self._samples(X, y, weights, name, parameter),
            start,
            task,
            lambda theta: self._attributes(theta, X.dtype),
        )
        self._check_finite(found.theta, X)
        vars(self).update(self._attributes(found.theta, X.dtype))
        self.n_iter_, self.history_, self.solver_ = found.n_iter, found.history, found.solver
        task.end()
        return self

    def _begin(self, X, y, weights):
        """Return the theta to begin at, (p + 1, 1)."""
        start = self._warm((X.shape[1] + 1, 1))
        if start is not None:
            return start
        start = np.zeros((X.shape[1] + 1, 1))
        if self.fit_intercept:
            start[-1] = first_intercept(*self._loss_name(), y, weights, X.dtype)
        elif self.loss == "tweedie_identity" and self.power != 0:
            raise ValueError(
                "loss='tweedie_identity' has no value for predictions of 0, where a fit without "
                "an intercept begins: use fit_intercept=True, or loss='tweedie'."
            )
        return start

    def _attributes(self, theta, dtype):
        """Return what a fit that ends at theta leaves behind."""
        intercept = dtype.type(theta[-1, 0]) if self.fit_intercept else 0.0
        return {"coef_": (theta[:-1, 0] + 0.0).astype(dtype), "intercept_": intercept}

    def _loss_name(self):
        """Return the name of the loss, and the number in its formula."""
        return self.loss, float(getattr(self, TRAITS[self.loss].parameter, 0.0))
