"""Elastic net and lasso for several targets that share their features.

Problem     (1) of `lasso_problem` for all targets at once, |B_j| the length of the coefficients of
            feature j: it is 0 for all targets, or for none.
Method      The same coordinate descent, with a vector of coefficients for each feature.
Reference   G. Obozinski, B. Taskar, M. Jordan, Joint covariate selection and joint subspace
            selection for multiple classification problems, Statistics and Computing, 2010.
"""

import numpy as np
from scipy import sparse

from skcourse.core.chunks import one_blas_thread
from skcourse.core.validation import fit_context, read_Xy
from skcourse.linear_model.elastic_net import ElasticNet, FewFeatures
from skcourse.linear_model.lasso_problem import (
    as_read,
    check_coefficients,
    problem_of,
    read_weights,
    settings_of,
    warn_unconverged,
)
from skcourse.linear_model.working_set import Descent


class MultiTaskElasticNet(FewFeatures):
    """Elastic net for several targets, with the same features for all of them.

    Minimises, with weights w_i whose sum is W, ::

        sum_i w_i |y_i - B x_i - b_0|^2 / (2 W)
            + alpha (l1_ratio sum_j |B_j| + (1 - l1_ratio) |B|^2 / 2)

    where |B_j| is the length of column j of B.

    Parameters
    ----------
    alpha : float, default=1.0
        The strength of the penalty, not negative.
    l1_ratio : float, default=0.5
        1 is the lasso, 0 ridge regression.
    fit_intercept : bool, default=True
        False if the plane must pass through the origin.
    copy_X : bool, default=True
        Of no effect: X is never overwritten.
    max_iter : int or None, default=1000
        Bound on the sweeps over the features; None is 1000.
    tol : float, default=1e-4
        It ends when no coefficient changes in a sweep by more than `tol` times the largest, and
        the duality gap is at most `tol` times the mean square of the targets, summed over them.
    warm_start : bool, default=False
        Start at the coefficients of the last fit.
    random_state : int, RandomState instance or None, default=None
        Draws the features if `selection` is "random".
    selection : {"cyclic", "random"}, default="cyclic"
        The order in which a sweep goes over the features.

    Attributes
    ----------
    coef_ : ndarray of shape (n_targets, n_features), dtype of X
    sparse_coef_ : sparse matrix of shape (n_targets, n_features)
    intercept_ : ndarray of shape (n_targets,); 0.0 without an intercept
    n_iter_ : int, sweeps
    dual_gap_ : float
        Nothing is more than this below the objective of the coefficients found.
    eps_ : float, the bound on the gap that `tol` makes, times the number of samples
    n_features_in_ : int
    feature_names_in_ : ndarray of shape (n_features_in_,)
        Only if X has names.

    See Also
    --------
    MultiTaskElasticNetCV : Chooses alpha and l1_ratio by cross-validation.
    ElasticNet : Each target by itself.

    Examples
    --------
    >>> from skcourse.linear_model import MultiTaskElasticNet
    >>> model = MultiTaskElasticNet(alpha=0.1).fit([[0.0], [1.0], [2.0]], [[0, 2], [1, 1], [2, 0]])
    >>> model.coef_.round(3)
    array([[ 0.881],
           [-0.881]])
    """

    _parameter_constraints: dict = {
        name: constraint
        for name, constraint in ElasticNet._parameter_constraints.items()
        if name not in ("precompute", "positive")
    }

    def __init__(
        self,
        alpha=1.0,
        *,
        l1_ratio=0.5,
        fit_intercept=True,
        copy_X=True,
        max_iter=1000,
        tol=1e-4,
        warm_start=False,
        random_state=None,
        selection="cyclic",
    ):
        self.alpha = alpha
        self.l1_ratio = l1_ratio
        self.fit_intercept = fit_intercept
        self.max_iter = max_iter
        self.copy_X = copy_X
        self.tol = tol
        self.warm_start = warm_start
        self.random_state = random_state
        self.selection = selection

    @fit_context
    def fit(self, X, y, sample_weight=None):
        """Find the coefficients and the intercepts.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features)
            Rows or columns in one piece are read as they lie; sparse X as CSC.
        y : array-like of shape (n_samples, n_targets)
        sample_weight : float or array-like of shape (n_samples,), default=None
            Not negative. Only their proportions matter.

        Returns
        -------
        self : MultiTaskElasticNet

        Raises
        ------
        ValueError
            If X, y or the weights are not finite or do not match, if y has one dimension, or if
            numbers are too large for their products.

        Warns
        -----
        ConvergenceWarning
            If `max_iter` ended it.
        """
        finite = sparse.issparse(X)
        X, y = read_Xy(self, X, y, finite=finite, order=None, accept_sparse="csc")
        if y.ndim == 1:
            name = type(self).__name__.removeprefix("MultiTask")
            raise ValueError(f"For mono-task outputs, use {name}")
        weights, X = read_weights(sample_weight, X), as_read(X)
        with one_blas_thread(), np.errstate(over="ignore", invalid="ignore"):
            problem = problem_of(X, y, weights, centre=self.fit_intercept, estimator=self)
            net = problem.net(self.alpha, self.l1_ratio)
            descent = Descent(problem.columns, problem.Y, settings_of(self))
            if self.warm_start and hasattr(self, "coef_"):
                descent.start(self.coef_)
            n_iter, done = descent.solve(net)
            descent.round_to(X.dtype, net)
        weight = problem.weight
        coef = np.asfortranarray(descent.w, dtype=X.dtype)
        intercept = self._intercept(problem, coef, flat=False)
        check_coefficients(coef, intercept)
        if not done:
            warn_unconverged(descent.gap / weight, descent.target / weight, net.l1)
        self.coef_, self.intercept_ = coef, intercept
        self.dual_gap_ = descent.gap / weight
        self.eps_ = descent.target
        self.n_iter_ = int(n_iter)
        return self

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.target_tags.multi_output = True
        tags.target_tags.single_output = False
        return tags


class MultiTaskLasso(MultiTaskElasticNet):
    """Lasso for several targets, with the same features for all of them.

    Minimises, with weights w_i whose sum is W, ::

        sum_i w_i |y_i - B x_i - b_0|^2 / (2 W) + alpha sum_j |B_j|

    where |B_j| is the length of column j of B.

    Parameters
    ----------
    alpha : float, default=1.0
        The strength of the penalty, not negative.
    fit_intercept : bool, default=True
        False if the plane must pass through the origin.
    copy_X : bool, default=True
        Of no effect: X is never overwritten.
    max_iter : int or None, default=1000
        Bound on the sweeps over the features; None is 1000.
    tol : float, default=1e-4
        It ends when no coefficient changes in a sweep by more than `tol` times the largest, and
        the duality gap is at most `tol` times the mean square of the targets, summed over them.
    warm_start : bool, default=False
        Start at the coefficients of the last fit.
    random_state : int, RandomState instance or None, default=None
        Draws the features if `selection` is "random".
    selection : {"cyclic", "random"}, default="cyclic"
        The order in which a sweep goes over the features.

    Attributes
    ----------
    coef_ : ndarray of shape (n_targets, n_features), dtype of X
    sparse_coef_ : sparse matrix of shape (n_targets, n_features)
    intercept_ : ndarray of shape (n_targets,); 0.0 without an intercept
    n_iter_ : int, sweeps
    dual_gap_ : float
        Nothing is more than this below the objective of the coefficients found.
    eps_ : float, the bound on the gap that `tol` makes, times the number of samples
    n_features_in_ : int
    feature_names_in_ : ndarray of shape (n_features_in_,)
        Only if X has names.

    See Also
    --------
    MultiTaskLassoCV : Chooses alpha by cross-validation.
    Lasso : Each target by itself.

    Examples
    --------
    >>> from skcourse.linear_model import MultiTaskLasso
    >>> model = MultiTaskLasso(alpha=0.1).fit([[0.0], [1.0], [2.0]], [[0, 2], [1, 1], [2, 0]])
    >>> model.coef_.round(3)
    array([[ 0.894],
           [-0.894]])
    """

    _parameter_constraints: dict = {
        name: constraint
        for name, constraint in MultiTaskElasticNet._parameter_constraints.items()
        if name != "l1_ratio"
    }

    def __init__(
        self,
        alpha=1.0,
        *,
        fit_intercept=True,
        copy_X=True,
        max_iter=1000,
        tol=1e-4,
        warm_start=False,
        random_state=None,
        selection="cyclic",
    ):
        super().__init__(
            alpha,
            l1_ratio=1.0,
            fit_intercept=fit_intercept,
            copy_X=copy_X,
            max_iter=max_iter,
            tol=tol,
            warm_start=warm_start,
            random_state=random_state,
            selection=selection,
        )
