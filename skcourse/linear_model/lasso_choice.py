"""A penalty chosen by cross-validation: what the lasso's and the elastic net's share.

Problem     Of a grid of alphas, and perhaps of l1_ratios, take those whose mean squared error on
            rows left out is the least on average over the folds; then fit all rows.
Method      A path for each fold: see `lasso_folds`.
"""

import warnings
from numbers import Integral, Real

import numpy as np
from joblib import effective_n_jobs
from scipy import sparse
from sklearn.model_selection import check_cv
from sklearn.utils import check_scalar, column_or_1d
from sklearn.utils.metadata_routing import MetadataRouter, MethodMapping, process_routing
from sklearn.utils.parallel import Parallel, delayed

from skcourse.core.chunks import one_blas_thread
from skcourse.core.history import warn_not_converged
from skcourse.core.interrupts import held
from skcourse.core.validation import (
    Interval,
    StrOptions,
    check_folds,
    check_routed,
    fit_context,
    read_Xy,
    routing_enabled,
)
from skcourse.linear_model.base import LinearRegressor, as_columns
from skcourse.linear_model.lasso_folds import Asked, all_sums, fold_errors
from skcourse.linear_model.lasso_problem import (
    CONSTRAINTS,
    alpha_grid,
    as_read,
    problem_of,
    read_weights,
    settings_of,
)
from skcourse.linear_model.working_set import ALL_WORK


class LassoChoice(LinearRegressor):
    """What the four estimators share: the grid, the folds, the choice, the last fit."""

    _parameter_constraints: dict = CONSTRAINTS | {
        "eps": [Interval(Real, 0, None, closed="neither")],
        "alphas": [Interval(Integral, 1, None, closed="left"), "array-like"],
        "precompute": [StrOptions({"auto"}), "array-like", "boolean"],
        "cv": ["cv_object"],
        "verbose": ["verbose"],
        "n_jobs": [Integral, None],
        "positive": ["boolean"],
    }
    _single: type = None  # the estimator for one penalty
    _multi_task = False

    @fit_context
    def fit(self, X, y, sample_weight=None, **params):
        """Choose the penalty and fit all rows with it.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features)
        y : array-like of shape (n_samples,), of several tasks (n_samples, n_targets)
        sample_weight : float or array-like of shape (n_samples,), default=None
            For the fits, and for the mean of a fold's squared errors; each fold counts the same.
        **params : dict
            For the splitter, if `enable_metadata_routing=True`.

        Returns
        -------
        self : estimator

        Raises
        ------
        ValueError
            If X, y or the weights are not finite or do not match, or if y has the wrong number of
            dimensions.

        Warns
        -----
        ConvergenceWarning
            If `max_iter` ended a fit.
        """
        check_routed(self, params)
        X, y = read_Xy(self, X, y, order=None, accept_sparse="csc")
        y, weights, X = self._targets(y), read_weights(sample_weight, X), as_read(X)
        folds = self._folds(X, y, sample_weight, params)
        l1_ratios = np.atleast_1d(getattr(self, "l1_ratio", 1.0))
        with one_blas_thread():
            alphas = self._grids(X, y, weights, l1_ratios)
        errors, n_early = self._errors(X, y, weights, folds, (list(l1_ratios), alphas))
        if n_early:
            self._warn(n_early, errors.size)
        best, choice = np.inf, None
        for i, mean in enumerate(errors.mean(axis=1)):
            if (least := np.min(mean)) < best:
                best, choice = least, (l1_ratios[i], alphas[i][np.argmin(mean)])
        if choice is None:
            raise ValueError("No penalty has a finite error on the rows that were left out.")
        model = self._refit(X, y, sample_weight, *choice)
        self.alpha_ = choice[1]
        if hasattr(self, "l1_ratio"):
            self.l1_ratio_ = choice[0]
        several = len(alphas) > 1 and isinstance(self.alphas, Integral)
        self.alphas_ = np.asarray(alphas) if several else alphas[0]
        self.mse_path_ = np.squeeze(np.moveaxis(errors, 2, 1))
        for name in ("coef_", "intercept_", "dual_gap_", "n_iter_"):
            setattr(self, name, getattr(model, name))
        return self

    def _targets(self, y):
        """Return y with the dimensions that this estimator takes."""
        name = type(self).__name__
        if self._multi_task:
            if y.ndim == 1:
                raise ValueError(f"For mono-task outputs, use {name.removeprefix('MultiTask')}")
            return y
        if y.ndim > 1 and y.shape[1] > 1:
            raise ValueError(f"For multi-task outputs, use MultiTask{name}")
        return column_or_1d(y, warn=True)

    def _folds(self, X, y, sample_weight, params):
        """Return the folds as pairs of index arrays."""
        given = {}
        if routing_enabled():
            routed = process_routing(self, "fit", sample_weight=sample_weight, **params)
            given = routed.splitter.split
        rows = np.arange(X.shape[0])
        return [(rows[train], rows[test]) for train, test in check_cv(self.cv).split(X, y, **given)]

    def _grids(self, X, y, weights, l1_ratios):
        """Return the alphas for each l1_ratio, falling."""
        if not isinstance(self.alphas, Integral):
            for i, alpha in enumerate(self.alphas):
                check_scalar(alpha, f"alphas[{i}]", Real, min_val=0.0, include_boundaries="left")
            return [np.sort(self.alphas)[::-1]] * len(l1_ratios)
        problem = problem_of(X, y, weights, centre=self.fit_intercept)
        slopes = problem.columns.products(problem.Y)
        options = {"eps": self.eps, "n_alphas": self.alphas}
        options["positive"] = getattr(self, "positive", False)
        return [
            alpha_grid(slopes, problem.weight, l1_ratio=l1_ratio, **options)
            for l1_ratio in l1_ratios
        ]

    def _errors(self, X, y, weights, folds, grid):
        """Return the errors, (n_l1_ratios, n_folds, n_alphas), and how many fits ended early."""
        positive = getattr(self, "positive", False)
        check_folds(folds, weights)
        asked = Asked(*grid, self.fit_intercept, bool(positive), settings_of(self))
        Y, sums = as_columns(y), [None] * len(folds)
        precompute = getattr(self, "precompute", "auto")
        if sparse.issparse(X):
            X = X.tocsr()
        elif precompute is not False:
            n, p = min(len(train) for train, _ in folds), X.shape[1]
            if n > p or n * p * p <= ALL_WORK or not isinstance(precompute, str):
                sums = all_sums(X, Y, weights, folds, self.fit_intercept)
        with held.released(effective_n_jobs(self.n_jobs) > 1):
            found = Parallel(n_jobs=self.n_jobs, verbose=self.verbose, prefer="threads")(
                delayed(fold_errors)(X, Y, weights, fold, of_fold, asked)
                for fold, of_fold in zip(folds, sums, strict=True)
            )
        return np.stack([errors for errors, _ in found], axis=1), sum(n for _, n in found)

    def _warn(self, n_early, n_fits):
        """Warn that paths did not converge, and what can be done."""
        warn_not_converged(
            "Objective did not converge. You might want to increase the number of iterations "
            "(max_iter), check the scale of the features or consider increasing regularisation. "
            f"{n_early} of {n_fits} fits on the folds ended too early.",
        )

    def _refit(self, X, y, sample_weight, l1_ratio, alpha):
        """Return the model of all rows."""
        names = self._single._get_param_names()
        common = {name: value for name, value in self.get_params().items() if name in names}
        if isinstance(common.get("precompute"), str):
            common["precompute"] = False
        if "l1_ratio" in common:
            common["l1_ratio"] = l1_ratio
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            model = self._single(**common | {"alpha": alpha}).fit(X, y, sample_weight)
        for warning in caught:  # as if they were ours: they point at the caller
            warnings.warn(warning.message, stacklevel=5)
        return model

    def get_metadata_routing(self):
        """Return where metadata given to `fit` go: to the splitter.

        Returns
        -------
        routing : MetadataRouter
        """
        splitting = MethodMapping().add(caller="fit", callee="split")
        router = MetadataRouter(owner=self).add_self_request(self)
        return router.add(splitter=check_cv(self.cv), method_mapping=splitting)

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.target_tags.single_output = not self._multi_task
        tags.target_tags.multi_output = self._multi_task
        return tags
