"""Linear regression by Huber's loss, whose scale is fitted too.

Problem     Squares for residuals up to e times the scale c, straight lines beyond: with weights
            s_i, min over w, b and c > 0 of
                sum_i s_i (c + c H((y_i - <x_i, w> - b) / c)) + alpha |w|^2,                  (1)
                H(u) = u^2 where |u| <= e,   2 e |u| - e^2 elsewhere.
            An outlier pulls with the force of 2 e, however far away it is.
Iteration   `huber_risk` finds the best c for each plane. What remains is smooth and convex in
            (w, b); Newton's method begins at least squares, where no row is an outlier, and ends
            in a few steps, once it is settled which rows are. L-BFGS takes over where the Hessian
            is singular, and where X is sparse or wide.
Cost        n p^2 products once, and some 8 n p per step.
Reference   P. Huber, Robust estimation of a location parameter, Ann. Math. Statist., 1964.
            A. Owen, A robust hybrid of lasso and ridge regression, Contemp. Math., 2007.
"""

from numbers import Integral, Real

import numpy as np
from sklearn.callback import CallbackSupportMixin

from skcourse.core.chunks import one_blas_thread
from skcourse.core.history import fit_task, warn_not_converged
from skcourse.core.validation import Interval, check_weights, fit_context, read_Xy
from skcourse.linear_model.base import LinearRegressor
from skcourse.linear_model.centred_rows import far_origin
from skcourse.linear_model.huber_risk import HuberProblem, HuberRisk
from skcourse.linear_model.huber_stages import least_squares_start, minimise
from skcourse.linear_model.penalised_risk import MAX_ITER, STOPPED


class HuberRegressor(CallbackSupportMixin, LinearRegressor):
    """Linear regression that outliers in y pull at, but not in proportion, with an L2 penalty.

    Parameters
    ----------
    epsilon : float, default=1.35
        From which residual on, in units of the scale, a row is an outlier; at least 1. With 1.35
        and normal noise, 95% as precise as least squares.
    max_iter : int, default=100
    alpha : float, default=0.0001
        Times ``|coef_|^2``, beside a sum over the rows; not negative.
    warm_start : bool, default=False
        Begin at the last fit instead of at least squares.
    fit_intercept : bool, default=True
        False if the plane must pass through the origin.
    tol : float, default=1e-5
        Bound on the entries of the gradient of the sum that is minimised. With `epsilon=1`, where
        there are kinks, on what the sum may be above its minimum, in units of the mean absolute
        residual of least squares.

    Attributes
    ----------
    coef_ : ndarray of shape (n_features,), dtype of X, in units of y per unit of the feature
    intercept_ : float, in the units of y; 0.0 without an intercept
    scale_ : float, c, in the units of y
    n_iter_ : int
    outliers_ : ndarray of shape (n_samples,), bool
        Where the residual is more than `epsilon` times the scale.
    history_ : dict of arrays of shape (n_iter_,)
        "loss", what is minimised over the sum of the weights; "gradient", its largest entry;
        with `epsilon=1` "gap" instead, what the loss is above its minimum at the most.
    n_features_in_ : int
    feature_names_in_ : ndarray of shape (n_features_in_,)
        Only if X has names that are strings.

    See Also
    --------
    QuantileRegressor : The median is more robust still.

    Examples
    --------
    >>> from skcourse.linear_model import HuberRegressor
    >>> X, y = [[0.0], [1.0], [2.0], [3.0], [4.0], [5.0]], [0.1, 1.0, 1.9, 3.1, 4.0, 50.0]
    >>> model = HuberRegressor().fit(X, y)
    >>> model.coef_.round(1)
    array([1.])
    >>> model.outliers_
    array([False, False, False, False, False,  True])
    """

    _parameter_constraints: dict = {
        "epsilon": [Interval(Real, 1.0, None, closed="left")],
        "max_iter": [Interval(Integral, 0, None, closed="left")],
        "alpha": [Interval(Real, 0, None, closed="left")],
        "warm_start": ["boolean"],
        "fit_intercept": ["boolean"],
        "tol": [Interval(Real, 0.0, None, closed="left")],
    }

    def __init__(
        self,
        *,
        epsilon=1.35,
        max_iter=100,
        alpha=0.0001,
        warm_start=False,
        fit_intercept=True,
        tol=1e-5,
    ):
        self.epsilon = epsilon
        self.max_iter = max_iter
        self.alpha = alpha
        self.warm_start = warm_start
        self.fit_intercept = fit_intercept
        self.tol = tol

    @fit_context
    def fit(self, X, y, sample_weight=None):
        """Find the coefficients, the intercept and the scale.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features)
        y : array-like of shape (n_samples,)
        sample_weight : float or array-like of shape (n_samples,), default=None
            Not negative; a weight of 2 is a row given twice.

        Returns
        -------
        self : HuberRegressor

        Raises
        ------
        ValueError
            If X, y, the weights or a warm start are not finite or do not match.

        Warns
        -----
        ConvergenceWarning
            If `max_iter` is reached.
        """
        X, y = read_Xy(self, X, y, accept_sparse=["csr"], multi_output=False)
        weights = check_weights(sample_weight, X, dtype=np.float64)
        task = fit_task(self, X, y, sample_weight, max_subtasks=self.max_iter)
        with np.errstate(over="ignore", invalid="ignore", divide="ignore"), one_blas_thread():
            origin = far_origin(X) if self.fit_intercept else None
            rows = X if origin is None else X - origin
            risk = HuberRisk(rows, y, self.epsilon, weights, fit_intercept=self.fit_intercept)
            problem = HuberProblem(risk, self.alpha)
            start = self._last_fit(X, origin) if self.warm_start else None
            start = least_squares_start(problem) if start is None else start
            found = minimise(
                problem,
                start,
                tol=self.tol / risk.total,
                max_iter=self.max_iter,
                task=task,
                attributes=lambda theta: self._attributes(theta, risk, X.dtype, origin),
            )
            if not np.isfinite(found.theta).all():
                raise ValueError(
                    "HuberRegressor convergence failed: the numbers in X and y are too large to be "
                    "added up. Scale them."
                )
            attributes = self._attributes(found.theta, risk, X.dtype, origin)
        if not found.converged and found.reason != STOPPED:
            warn_not_converged(why_not(found, self.max_iter, risk.total))
        vars(self).update(attributes, n_iter_=int(found.n_iter), history_=found.history)
        task.end()
        return self

    def _last_fit(self, X, origin):
        """Return the theta of the last fit for rows about `origin`, or None."""
        if not hasattr(self, "coef_"):
            return None
        theta = np.append(self.coef_, self.intercept_).astype(np.float64)
        if len(theta) != X.shape[1] + 1 or not np.isfinite(theta).all():
            raise ValueError(
                f"warm_start begins at the {len(theta) - 1} coefficients of the last fit, which "
                f"are not as many finite numbers as X has features, {X.shape[1]}; set "
                "warm_start=False."
            )
        theta[-1] += 0.0 if origin is None else origin @ theta[:-1]
        return theta

    def _attributes(self, theta, risk, dtype, origin):
        """Return what a fit that ends at theta, of rows about `origin`, leaves behind."""
        risk.value_and_gradient(theta)
        residuals = risk.targets.values - risk.slopes.raw
        intercept = theta[-1] - (0.0 if origin is None else origin @ theta[:-1])
        return {
            "coef_": theta[:-1].astype(dtype),
            "intercept_": dtype.type(intercept) if self.fit_intercept else 0.0,
            "scale_": np.float64(risk.scale),
            "outliers_": np.abs(residuals) > risk.scale * self.epsilon,
        }

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.target_tags.multi_output = False
        return tags


def why_not(found, max_iter, total):
    """Return the warning for a Minimum that is none."""
    measure = "gap" if "gap" in found.history else "gradient"
    gradient = found.history[measure][-1] * total if found.n_iter else np.nan
    if found.reason != MAX_ITER:
        return (
            f"HuberRegressor failed to converge: it found no lower point after {found.n_iter} "
            f"iterations, and yet the gradient is {gradient:.3g}. The residuals are near 0, where "
            "the loss has a kink, or rounding is in its way. Remove columns that depend on "
            "others, scale the columns of X (e.g. by a StandardScaler), or raise alpha or tol."
        )
    return (
        f"HuberRegressor failed to converge after max_iter={max_iter} iterations: the {measure} "
        f"still is {gradient:.3g}. Increase max_iter, scale the columns of X (e.g. by a "
        "StandardScaler), or raise tol."
    )
