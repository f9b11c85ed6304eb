"""What regression and classification by any loss and penalty share; see `generalized_linear`."""

from numbers import Integral, Real

import numpy as np
from sklearn.base import BaseEstimator
from sklearn.callback import CallbackSupportMixin

from skcourse.core.history import warn_not_converged
from skcourse.core.penalties import PENALTIES
from skcourse.core.validation import Interval, StrOptions, check_finite_sums
from skcourse.linear_model.centred_rows import far_origin
from skcourse.linear_model.generalized_linear import (
    NEEDS,
    WIDEST,
    Penalties,
    Samples,
    choose_solver,
    minimise,
    not_minimal,
)
from skcourse.linear_model.penalty_terms import layout_of, penalty_of


class GeneralizedLinear(CallbackSupportMixin, BaseEstimator):
    """Base class: the parameters, and a fit of one risk."""

    _parameter_constraints: dict = {
        "penalty": [StrOptions(set(PENALTIES) - {"none"}), None],
        "alpha": [Interval(Real, 0, None, closed="left")],
        "l1_ratio": [Interval(Real, 0, 1, closed="both")],
        "gamma": [Interval(Real, 0, None, closed="neither"), None],
        "groups": ["array-like", None],
        "penalty_weights": ["array-like", None],
        "fit_intercept": ["boolean"],
        "solver": [StrOptions({"auto", *NEEDS})],
        "max_iter": [Interval(Integral, 1, None, closed="left")],
        "tol": [Interval(Real, 0, None, closed="neither")],
        "warm_start": ["boolean"],
        "verbose": ["verbose"],
    }

    def _find(self, samples, start, task, attributes):
        """Return the Minimum for Samples, its theta for all features, and the solver.

        Parameters
        ----------
        samples : Samples
        start : array of shape (p + 1, K), where to begin
        task : Task
        attributes : callable, from theta of shape (p + 1, K) to fitted attributes
        """
        p = samples.X.shape[1]
        name = self.penalty or "none"
        layout = layout_of(name, self.groups, self.penalty_weights, p)
        held = name == "l2" and self.alpha > 0 and layout.weights.min() > 0
        solver = choose_solver(
            self.solver,
            samples.loss,
            samples.parameter,
            name,
            layout.weights.size * samples.n_classes if held else WIDEST,
        )
        penalties = Penalties(name, penalty_of(self), layout.weights, layout.edges)
        X, origin = samples.X, far_origin(samples.X) if samples.fit_intercept else None
        if origin is not None:  # a shift of X is one of the intercept, which has no penalty
            X, start = X - origin, np.vstack([start[:-1], start[-1:] + origin @ start[:-1]])

        def whole(theta):
            columns = np.reshape(theta, (-1, samples.n_classes))
            coef = layout.put_back(columns[:-1].T, p).T
            return np.vstack([coef, columns[-1:] - (0.0 if origin is None else origin @ coef)])

        theta0 = np.vstack([layout.take_coef(start[:-1].T).T, start[-1:]]).ravel()
        with np.errstate(over="ignore", invalid="ignore", divide="ignore"):
            found = minimise(
                samples._replace(X=layout.take(X)),
                penalties,
                theta0,
                solver,
                tol=self.tol,
                max_iter=self.max_iter,
                task=task,
                attributes=lambda theta: attributes(whole(theta)),
                verbose=self.verbose,
            )
        if warning := not_minimal(found, solver, self.max_iter):
            warn_not_converged(warning)
        return found._replace(theta=whole(found.theta))

    def _check_finite(self, theta, X):
        """Raise ValueError unless theta is finite."""
        if not np.isfinite(theta).all():
            check_finite_sums(np.nan, X, estimator=self)
            raise ValueError(
                "The fit left the range of numbers. Scale the columns of X, e.g. by a "
                "StandardScaler, or raise alpha."
            )

    def _warm(self, shape):
        """Return (W; b) of the last fit, of `shape` (p + 1, K), or None if there is none to use.

        Raises
        ------
        ValueError
            If it is of another shape, or not finite.
        """
        if not (self.warm_start and hasattr(self, "coef_")):
            return None
        theta = np.vstack([np.atleast_2d(self.coef_).T, np.atleast_1d(self.intercept_)])
        if theta.shape != shape:
            raise ValueError(
                f"warm_start begins at the last fit, of {len(theta) - 1} features and "
                f"{theta.shape[1]} score(s), but now there are {shape[0] - 1} and {shape[1]}; set "
                "warm_start=False."
            )
        if not np.isfinite(theta).all():
            raise ValueError(
                "warm_start begins at the coefficients of the last fit, which are not finite; "
                "set warm_start=False, or coef_ and intercept_ to finite numbers."
            )
        return theta.astype(np.float64)

    def _samples(self, X, y, weights, loss, parameter=0.0, n_classes=1):
        """Return Samples."""
        return Samples(X, y, weights, loss, float(parameter), n_classes, self.fit_intercept)

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.input_tags.sparse = True
        return tags
