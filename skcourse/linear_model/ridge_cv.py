"""Ridge regression that chooses its penalty by cross-validation.

Problem     Of some penalties find that whose model predicts best what it has not seen.
Solution    Leave-one-out: every sample is predicted by the model fitted to all the others. This
            takes one decomposition, see `ridge_loo`, and not n fits per penalty. Or any other
            scheme of cross-validation, by scikit-learn's grid search over `Ridge`.
Reference   R. Rifkin, R. Lippert, Notes on regularized least squares, MIT, 2007.
"""

import warnings
from numbers import Real
from typing import NamedTuple

import numpy as np
from scipy import sparse
from sklearn.base import BaseEstimator, RegressorMixin
from sklearn.metrics import check_scoring, get_scorer, get_scorer_names
from sklearn.model_selection import GridSearchCV
from sklearn.utils import check_scalar
from sklearn.utils.metadata_routing import MetadataRouter, MethodMapping, process_routing

from skcourse.core.chunks import one_blas_thread
from skcourse.core.validation import (
    Interval,
    StrOptions,
    check_routed,
    check_weights,
    fit_context,
    read_Xy,
    routing_enabled,
)
from skcourse.linear_model.base import SPARSE, LinearRegressor, as_columns
from skcourse.linear_model.ridge import Ridge
from skcourse.linear_model.ridge_loo import leave_one_out
from skcourse.linear_model.ridge_problem import Problem, Solution, as_rows

AT_ONCE = 2**20  # predictions kept for a scorer, if X itself has fewer entries


class Choice(NamedTuple):
    """What cross-validation found."""

    alpha: float | np.ndarray  # or one per target
    score: float | np.ndarray
    solution: Solution
    table: np.ndarray | None  # (n, t, a), squared errors or predictions


class RidgeSearch:
    """What `RidgeCV` and `RidgeClassifierCV` share."""

    _parameter_constraints: dict = {
        "alphas": ["array-like", Interval(Real, 0, None, closed="neither")],
        "fit_intercept": ["boolean"],
        "scoring": [StrOptions(set(get_scorer_names())), callable, None],
        "cv": ["cv_object"],
        "store_cv_results": ["boolean"],
    }
    _default_score = "r2"
    gcv_mode = None  # unless it is a parameter
    alpha_per_target = False

    def _search_folds(self, X, y, sample_weight, params, model):
        """Choose alpha by grid search over `model`, and take over what the best one has."""
        for name in ("store_cv_results", "alpha_per_target"):
            if getattr(self, name):
                raise ValueError(f"cv!=None and {name}=True are incompatible")
        if routing_enabled():
            model.set_fit_request(sample_weight=True)
        if sample_weight is not None:
            params = params | {"sample_weight": sample_weight}
        grid = {"alpha": self._alphas(positive=False)}
        search = GridSearchCV(model, grid, cv=self.cv, scoring=self._scorer())
        best = search.fit(X, y, **params).best_estimator_
        self.alpha_, self.best_score_ = best.alpha, search.best_score_
        self.coef_, self.intercept_ = best.coef_, best.intercept_
        self.n_features_in_ = best.n_features_in_
        vars(self).pop("feature_names_in_", None)
        if hasattr(best, "feature_names_in_"):
            self.feature_names_in_ = best.feature_names_in_
        vars(self).pop("cv_results_", None)  # of an earlier fit

    def _search_samples(self, X, Y, weights, score, *, per_target=False):
        """Choose alpha by leave-one-out errors.

        Parameters
        ----------
        X : C-contiguous array or sparse matrix
        Y : array of shape (n, t), float64
        weights : array of shape (n,) or None
        score : callable, from predictions of shape (n, t) to a score or one per target, or None
            for the mean squared error
        per_target : bool, default=False

        Returns
        -------
        choice : Choice
        """
        alphas = self._alphas(positive=True)
        if self.gcv_mode == "svd" and sparse.issparse(X):
            warnings.warn(
                "The 'svd' mode is not supported for sparse X: 'eigen' is used instead. As in "
                "scikit-learn, this will become an error; pass `gcv_mode='eigen'` or leave it out.",
                FutureWarning,
                stacklevel=4,
            )
        problem = Problem(as_rows(X), Y, weights, alphas, self.fit_intercept, self)
        loo = leave_one_out(problem, alphas, orthogonal=self.gcv_mode == "svd")
        table = np.empty((*Y.shape, len(alphas))) if self.store_cv_results else None
        if score is None:
            scores = -loo.errors(alphas, table).T / len(Y)  # (a, t)
            scores = scores if per_target else scores.mean(axis=1)
        else:
            at_once = max(AT_ONCE, X.shape[0] * X.shape[1]) // Y.size
            scores = np.array(list(scored(loo, Y.shape, alphas, score, table, max(1, at_once))))
        best = first_largest(scores)
        coef = loo.coefficients(np.broadcast_to(alphas[best], Y.shape[1:]))
        solution = Solution(coef, loo.x_mean, loo.y_mean, "svd", None)
        if not per_target:
            return Choice(float(alphas[best]), scores[best], solution, table)
        alpha = alphas[best] if len(best) > 1 else float(alphas[best[0]])
        return Choice(alpha, scores[best, np.arange(len(best))], solution, table)

    def _alphas(self, *, positive):
        """Return the penalties as an array of shape (a,); raise if one is out of range."""
        alphas = self.alphas
        listed = alphas if isinstance(alphas, list | tuple) else np.atleast_1d(alphas)
        for i, alpha in enumerate(listed):
            check_scalar(
                alpha,
                "alphas" if len(listed) == 1 else f"alphas[{i}]",
                Real,
                min_val=0.0,
                include_boundaries="neither" if positive else "left",
            )
        if len(listed) == 0:
            raise ValueError("alphas must hold at least one penalty.")
        return np.array(listed, dtype=np.float64)

    def _score_params(self, sample_weight, params):
        """Return what the scorer is to be given besides predictions and targets."""
        check_routed(self, params)
        given = {} if sample_weight is None else {"sample_weight": sample_weight}
        if routing_enabled():
            return process_routing(self, "fit", **params, **given).scorer.score
        return given

    def _scorer(self):
        """Return the scorer; the default one asks for the weights if metadata are routed."""
        if routing_enabled() and self.scoring is None:
            return get_scorer(self._default_score).set_score_request(sample_weight=True)
        return check_scoring(estimator=self, scoring=self.scoring, allow_none=True)

    def _keep(self, choice, *, flat, dtype):
        """Set the attributes; the last thing that a fit does."""
        self.coef_, self.intercept_ = choice.solution.attributes(
            centre=self.fit_intercept, flat=flat, dtype=dtype
        )
        self.alpha_, self.best_score_ = choice.alpha, choice.score
        if choice.table is not None:
            table = choice.table[:, 0] if flat else choice.table
            self.cv_results_ = table.astype(dtype, copy=False)
        elif hasattr(self, "cv_results_"):
            del self.cv_results_

    def get_metadata_routing(self):
        """Return where metadata given to `fit` go: to the scorer and to the splitter.

        Returns
        -------
        routing : MetadataRouter
        """
        scoring = MethodMapping().add(caller="fit", callee="score")
        splitting = MethodMapping().add(caller="fit", callee="split")
        router = MetadataRouter(owner=self).add_self_request(self)
        router = router.add(scorer=self._scorer(), method_mapping=scoring)
        return router.add(splitter=self.cv, method_mapping=splitting)


def first_largest(scores):
    """Return the index of the first largest score along the first axis; NaN is never larger."""
    best = np.zeros(scores.shape[1:], dtype=np.intp)
    largest = np.array(scores[0])
    for i, score in enumerate(scores):
        better = score > largest
        best = np.where(better, i, best)
        largest = np.where(better, score, largest)
    return best if scores.ndim > 1 else int(best)


def scored(loo, shape, alphas, score, table, at_once):
    """Yield the score of each penalty's leave-one-out predictions, `at_once` penalties at a time.

    `table`, if not None, (n, t, a), is overwritten with the predictions.
    """
    for first in range(0, len(alphas), at_once):
        some = alphas[first : first + at_once]
        predictions = np.empty((*shape, len(some)))
        loo.errors(some, predictions, predictions=True)
        if table is not None:
            table[:, :, first : first + at_once] = predictions
        for i in range(len(some)):
            yield score(np.ascontiguousarray(predictions[:, :, i]))


class Predicted(RegressorMixin, BaseEstimator):
    """What a scorer takes for a regressor: its predictions are made already."""

    def predict(self, X):
        """Return X."""
        return X


class RidgeCV(RidgeSearch, LinearRegressor):
    """Ridge regression that chooses its penalty by cross-validation, by default leave-one-out.

    Parameters
    ----------
    alphas : float or array-like of shape (n_alphas,), default=(0.1, 1.0, 10.0)
        The penalties to choose from, see `Ridge`; positive, or not negative if `cv` is given.
    fit_intercept : bool, default=True
    scoring : str, callable or None, default=None
        The largest score wins, of several the first. None is the negative mean squared error for
        leave-one-out, in which the errors are weighted, and R^2 for any other `cv`.
    cv : int, cross-validation generator, iterable or None, default=None
        None is leave-one-out, at the cost of little more than one fit. Anything else is a grid
        search, one fit for each penalty and fold.
    gcv_mode : {"auto", "svd", "eigen"} or None, default=None
        For leave-one-out: "svd" goes by the singular values of X; the others, which are one, by
        the eigenvalues of X'X or X X' where these lose no digits. Sparse X always goes by these.
    store_cv_results : bool, default=False
        Keep `cv_results_`; for leave-one-out only.
    alpha_per_target : bool, default=False
        Choose a penalty for each target by itself; for leave-one-out only.

    Attributes
    ----------
    cv_results_ : ndarray of shape (n_samples, n_alphas) or (n_samples, n_targets, n_alphas)
        Only if `store_cv_results`: weighted squared errors, or with `scoring` the predictions.
    coef_ : ndarray of shape (n_features,) or (n_targets, n_features), dtype of X
    intercept_ : float or ndarray of shape (n_targets,); 0.0 without an intercept
    alpha_ : float, or ndarray of shape (n_targets,) if `alpha_per_target`
    best_score_ : float, or ndarray of shape (n_targets,) if `alpha_per_target`
    n_features_in_ : int
    feature_names_in_ : ndarray of shape (n_features_in_,)
        Only if X has names.

    See Also
    --------
    Ridge : With a penalty that is given.

    Examples
    --------
    >>> import numpy as np
    >>> from skcourse.linear_model import RidgeCV
    >>> hours = np.arange(12.0)
    >>> powers = (hours[:, np.newaxis] / 11) ** np.arange(1, 8)  # seven columns, much alike
    >>> level = hours + np.where(hours % 3 == 0, 1.0, -0.5)
    >>> RidgeCV(alphas=[1e-6, 1e-3, 0.1, 10.0]).fit(powers, level).alpha_
    0.1
    """

    _parameter_constraints: dict = RidgeSearch._parameter_constraints | {
        "gcv_mode": [StrOptions({"auto", "svd", "eigen"}), None],
        "alpha_per_target": ["boolean"],
    }

    def __init__(
        self,
        alphas=(0.1, 1.0, 10.0),
        *,
        fit_intercept=True,
        scoring=None,
        cv=None,
        gcv_mode=None,
        store_cv_results=False,
        alpha_per_target=False,
    ):
        self.alphas = alphas
        self.fit_intercept = fit_intercept
        self.scoring = scoring
        self.cv = cv
        self.gcv_mode = gcv_mode
        self.store_cv_results = store_cv_results
        self.alpha_per_target = alpha_per_target

    @fit_context
    def fit(self, X, y, sample_weight=None, **params):
        """Choose the penalty and fit the coefficients.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features)
        y : array-like of shape (n_samples,) or (n_samples, n_targets)
        sample_weight : float or array-like of shape (n_samples,), default=None
            Of samples in the fits, and, with leave-one-out, of their errors.
        **params : dict
            For the scorer and the splitter, if `enable_metadata_routing=True`.

        Returns
        -------
        self : RidgeCV

        Raises
        ------
        ValueError
            If X, y or the weights are not finite or do not match, a penalty is out of range, or
            `cv` is given with what works with leave-one-out only.
        """
        score_params = self._score_params(sample_weight, params)
        if self.cv is not None:
            model = Ridge(
                fit_intercept=self.fit_intercept,
                solver="sparse_cg" if sparse.issparse(X) else "auto",
            )
            self._search_folds(X, y, sample_weight, params, model)
            return self
        X, y = read_Xy(self, X, y, finite=sparse.issparse(X), accept_sparse=list(SPARSE))
        flat = y.ndim == 1
        per_target = self.alpha_per_target and not flat
        scorer = None if self.scoring is None else self._scorer()

        def score(predictions):
            if not per_target:
                found = predictions[:, 0] if flat else predictions
                return scorer(Predicted(), found, y, **score_params)
            pairs = zip(predictions.T, y.T, strict=True)
            return [scorer(Predicted(), found, target, **score_params) for found, target in pairs]

        weights = check_weights(sample_weight, X)
        with one_blas_thread(), np.errstate(over="ignore", invalid="ignore"):
            choice = self._search_samples(
                X,
                as_columns(y),
                weights,
                None if scorer is None else score,
                per_target=per_target,
            )
        self._keep(choice, flat=flat, dtype=X.dtype)
        return self
