"""Linear quantile regression.

Problem     Find the plane below which a share q of the targets lies: for the pinball loss
                rho(r) = q r where r > 0,   (q - 1) r elsewhere,                              (1)
                min over b_0, b of  sum_i w_i rho(y_i - b_0 - <b, x_i>) / sum_i w_i
                                    + alpha |b|_1.                                            (2)
            At the optimum of b_0 neither the rows above nor those below are heavier than q allows:
                weight of {r_i < 0} <= q sum_i w_i <= weight of {r_i <= 0}.                   (3)
Solution    (2) is a linear program; `vertex_descent` walks over its vertices to an optimum, and
            proves it one; `quantile_rows` lets only rows near the plane take part.
Ties        Where several planes are optimal, the one is found that q' -> q leads to, from above for
            q <= 1/2 and from below otherwise: towards the median.
Cost        Three passes over X for many rows, and some k^2 (k n)^(1/2) products, k = p + 1.
Reference   R. Koenker, G. Bassett, Regression Quantiles, Econometrica, 1978.
"""

import warnings
from numbers import Real

import numpy as np
from sklearn.exceptions import ConvergenceWarning

from skcourse.core.chunks import one_blas_thread
from skcourse.core.loss_traits import weighted_quantile
from skcourse.core.validation import Interval, StrOptions, check_weights, fit_context, read_Xy
from skcourse.linear_model.base import SPARSE, LinearRegressor
from skcourse.linear_model.quantile_program import HIGHS, solve_dual, solve_primal
from skcourse.linear_model.quantile_rows import Quantile, solve

WIDE = 1000  # columns, beyond which a dense basis takes too much time and memory
REASONS = {
    1: "Iteration limit reached.",
    2: "Problem appears to be infeasible.",
    3: "Problem appears to be unbounded.",
    4: "Numerical difficulties encountered.",
}


class QuantileRegressor(LinearRegressor):
    """Linear regression for a quantile of the targets, with an L1 penalty.

    Minimises the mean pinball loss, which outliers in y hardly move, plus ``alpha |b|_1``.

    Parameters
    ----------
    quantile : float, default=0.5
        The share of targets that is to lie below the prediction, between 0 and 1.
    alpha : float, default=1.0
        The penalty, not negative; it has the unit of y times that of X. 0 is none.
    fit_intercept : bool, default=True
        False if the plane must pass through the origin.
    solver : {"highs", "highs-ds", "highs-ipm", "interior-point", "revised simplex"}, \
            default="highs"
        "highs" is descent over vertices, exact and quickest, as long as X has at most 1000
        columns and there are no `solver_options`; beyond, and by the other names, the linear
        program goes to `scipy.optimize.linprog`. "interior-point" is no longer in SciPy.
    solver_options : dict, default=None
        Options of `scipy.optimize.linprog`.

    Attributes
    ----------
    coef_ : ndarray of shape (n_features,), dtype of X, in units of y per unit of the feature
    intercept_ : float, in the units of y; 0.0 without an intercept
    n_iter_ : int
        Vertices passed, or iterations of the solver in SciPy.
    n_features_in_ : int
    feature_names_in_ : ndarray of shape (n_features_in_,)
        Only if X has names that are strings.

    See Also
    --------
    HuberRegressor : Robust too, for the middle of the targets.

    Examples
    --------
    >>> from skcourse.linear_model import QuantileRegressor
    >>> X, y = [[0.0], [1.0], [2.0], [3.0], [4.0]], [0.0, 1.0, 2.0, 3.0, 100.0]
    >>> model = QuantileRegressor(alpha=0.0).fit(X, y)
    >>> model.predict([[5.0]]).round(6)
    array([5.])
    """

    _parameter_constraints: dict = {
        "quantile": [Interval(Real, 0, 1, closed="neither")],
        "alpha": [Interval(Real, 0, None, closed="left")],
        "fit_intercept": ["boolean"],
        "solver": [StrOptions({*HIGHS, "interior-point", "revised simplex"})],
        "solver_options": [dict, None],
    }

    def __init__(
        self,
        *,
        quantile=0.5,
        alpha=1.0,
        fit_intercept=True,
        solver="highs",
        solver_options=None,
    ):
        self.quantile = quantile
        self.alpha = alpha
        self.fit_intercept = fit_intercept
        self.solver = solver
        self.solver_options = solver_options

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
        self : QuantileRegressor

        Raises
        ------
        ValueError
            If X, y or the weights are not finite or do not match, or the solver is none of this
            version of SciPy, or takes no sparse X.

        Warns
        -----
        ConvergenceWarning
            If a solver of SciPy did not find the optimum.
        """
        X, y = read_Xy(self, X, y, accept_sparse=list(SPARSE), multi_output=False)
        weights = check_weights(sample_weight, X, dtype=np.float64)
        if self.solver == "interior-point":
            raise ValueError(f"Solver {self.solver} is not anymore available in SciPy >= 1.11.0.")
        is_sparse = not isinstance(X, np.ndarray)
        if is_sparse and self.solver not in HIGHS:
            raise ValueError(
                f"Solver {self.solver} does not support sparse X. Use solver 'highs' for example."
            )
        problem = self._problem(X.tocsr() if is_sparse else X, y, weights)
        with np.errstate(over="ignore", invalid="ignore"), one_blas_thread():
            coef, intercept, n_iter = self._solve(problem)
        if not (np.isfinite(coef).all() and np.isfinite(intercept)):
            raise ValueError("The numbers in X and y are too large to be added up.")
        self.coef_ = coef.astype(X.dtype)
        self.intercept_ = X.dtype.type(intercept) if self.fit_intercept else 0.0
        self.n_iter_ = int(n_iter)
        return self

    def _problem(self, X, y, weights):
        """Return (2) with weights of mean 1, without the rows whose weight is 0."""
        y = np.asarray(y, np.float64)
        if weights is None:
            weights = np.ones(len(y))
        elif not weights.all():
            some = np.flatnonzero(weights)
            X, y, weights = X[some], y[some], weights[some]
        weights = weights / weights.mean()
        return Quantile(X, y, weights, self.quantile, self.alpha, self.fit_intercept)

    def _solve(self, problem):
        """Return b, b_0 and the number of iterations."""
        if (
            self.solver == "highs"
            and not self.solver_options
            and problem.X.shape[1] <= WIDE
            and (found := solve(problem)) is not None
        ):
            return found
        solve_by = solve_dual if self.solver in HIGHS else solve_primal
        outcome = solve_by(problem, self.solver, self.solver_options)
        if not outcome.result.success:
            warn_of_failure(outcome)
        if outcome.coef is None:
            q = weighted_quantile(problem.y, problem.weights, self.quantile)
            zero = np.zeros(problem.X.shape[1])
            return zero, q if self.fit_intercept else 0.0, outcome.n_iter
        return outcome[:3]

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.target_tags.multi_output = False
        return tags


def warn_of_failure(outcome):
    """Warn that the linear program was not solved, with what the library says of it."""
    result = outcome.result
    instead = "" if outcome.coef is not None else "\nThe fit is the constant that is best."
    warnings.warn(
        "Linear programming for QuantileRegressor did not succeed.\n"
        f"Status is {result.status}: {REASONS.get(result.status, 'unknown reason')}\n"
        f"Result message of linprog:\n{result.message}{instead}\n"
        "Leave solver_options at None, or give the solver more iterations or time.",
        ConvergenceWarning,
        stacklevel=6,
    )
