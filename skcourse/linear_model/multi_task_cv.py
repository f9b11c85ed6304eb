"""Lasso and elastic net for several targets, their penalties chosen by cross-validation."""

from skcourse.linear_model.elastic_net_cv import ElasticNetCV
from skcourse.linear_model.lasso_choice import LassoChoice
from skcourse.linear_model.lasso_path import enet_path, lasso_path
from skcourse.linear_model.multi_task import MultiTaskElasticNet, MultiTaskLasso


class MultiTaskElasticNetCV(LassoChoice):
    """Elastic net for several targets that share their features, chosen by cross-validation.

    Parameters
    ----------
    l1_ratio : float or array-like, default=0.5
        1 is the lasso; several are tried. 0 needs `alphas` to be given.
    eps : float, default=1e-3
        The smallest alpha over the largest, if the grid is made.
    alphas : int or array-like, default=100
        The penalties, or how many.
    fit_intercept : bool, default=True
        False if the plane must pass through the origin.
    max_iter : int, default=1000
        Bound on the sweeps over the coefficients.
    tol : float, default=1e-4
        When to stop; see `MultiTaskElasticNet`.
    cv : int, cross-validation generator or iterable, default=None
        None: 5 folds.
    copy_X : bool, default=True
        Of no effect: X is never overwritten.
    verbose : bool or int, default=0
        joblib's, for the folds.
    n_jobs : int or None, default=None
        Folds at once. The result does not depend on it.
    random_state : int, RandomState instance or None, default=None
        Draws the coordinates if `selection` is "random".
    selection : {"cyclic", "random"}, default="cyclic"
        The order in which a sweep goes over the coefficients.

    Attributes
    ----------
    alpha_ : float, the penalty chosen
    l1_ratio_ : float, the share chosen
    coef_ : ndarray of shape (n_targets, n_features), dtype of X
    intercept_ : ndarray of shape (n_targets,); 0.0 without an intercept
    mse_path_ : ndarray of shape (n_alphas, n_folds) or (n_l1_ratios, n_alphas, n_folds)
        Mean squared errors on the rows left out, in the squared units of y.
    alphas_ : ndarray of shape (n_alphas,) or (n_l1_ratios, n_alphas), falling
    dual_gap_ : float, of the last fit
    n_iter_ : int, sweeps of the last fit
    n_features_in_ : int
    feature_names_in_ : ndarray of shape (n_features_in_,)
        Only if X has names.

    See Also
    --------
    MultiTaskElasticNet : With given penalties.
    ElasticNetCV : For one target.

    Examples
    --------
    >>> import numpy as np
    >>> from skcourse.linear_model import MultiTaskElasticNetCV
    >>> rng = np.random.default_rng(0)
    >>> X = rng.standard_normal((60, 5))
    >>> y = X @ [[1.0, 0], [0, 0], [0, 0], [-2.0, 1.0], [0, 0]] + rng.standard_normal((60, 2)) / 10
    >>> MultiTaskElasticNetCV(cv=3).fit(X, y).coef_.round(1) + 0.0
    array([[ 1.,  0.,  0., -2.,  0.],
           [ 0.,  0.,  0.,  1.,  0.]])
    """

    _parameter_constraints: dict = {
        name: constraint
        for name, constraint in ElasticNetCV._parameter_constraints.items()
        if name not in ("precompute", "positive")
    }
    _single = MultiTaskElasticNet
    _multi_task = True
    path = staticmethod(enet_path)

    def __init__(
        self,
        *,
        l1_ratio=0.5,
        eps=1e-3,
        alphas=100,
        fit_intercept=True,
        max_iter=1000,
        tol=1e-4,
        cv=None,
        copy_X=True,
        verbose=0,
        n_jobs=None,
        random_state=None,
        selection="cyclic",
    ):
        self.l1_ratio = l1_ratio
        self.eps = eps
        self.alphas = alphas
        self.fit_intercept = fit_intercept
        self.max_iter = max_iter
        self.tol = tol
        self.cv = cv
        self.copy_X = copy_X
        self.verbose = verbose
        self.n_jobs = n_jobs
        self.random_state = random_state
        self.selection = selection


class MultiTaskLassoCV(LassoChoice):
    """Lasso for several targets that share their features, its penalty chosen by cross-validation.

    Parameters
    ----------
    eps : float, default=1e-3
        The smallest alpha over the largest, if the grid is made.
    alphas : int or array-like, default=100
        The penalties, or how many.
    fit_intercept : bool, default=True
        False if the plane must pass through the origin.
    max_iter : int, default=1000
        Bound on the sweeps over the coefficients.
    tol : float, default=1e-4
        When to stop; see `MultiTaskLasso`.
    copy_X : bool, default=True
        Of no effect: X is never overwritten.
    cv : int, cross-validation generator or iterable, default=None
        None: 5 folds.
    verbose : bool or int, default=False
        joblib's, for the folds.
    n_jobs : int or None, default=None
        Folds at once. The result does not depend on it.
    random_state : int, RandomState instance or None, default=None
        Draws the coordinates if `selection` is "random".
    selection : {"cyclic", "random"}, default="cyclic"
        The order in which a sweep goes over the coefficients.

    Attributes
    ----------
    alpha_ : float, the penalty chosen
    coef_ : ndarray of shape (n_targets, n_features), dtype of X
    intercept_ : ndarray of shape (n_targets,); 0.0 without an intercept
    mse_path_ : ndarray of shape (n_alphas, n_folds)
        Mean squared errors on the rows left out, in the squared units of y.
    alphas_ : ndarray of shape (n_alphas,), falling
    dual_gap_ : float, of the last fit
    n_iter_ : int, sweeps of the last fit
    n_features_in_ : int
    feature_names_in_ : ndarray of shape (n_features_in_,)
        Only if X has names.

    See Also
    --------
    MultiTaskLasso : With a given penalty.
    LassoCV : For one target.

    Examples
    --------
    >>> import numpy as np
    >>> from skcourse.linear_model import MultiTaskLassoCV
    >>> rng = np.random.default_rng(0)
    >>> X = rng.standard_normal((60, 5))
    >>> y = X @ [[1.0, 0], [0, 0], [0, 0], [-2.0, 1.0], [0, 0]] + rng.standard_normal((60, 2)) / 10
    >>> MultiTaskLassoCV(cv=3).fit(X, y).coef_.round(1) + 0.0
    array([[ 1.,  0.,  0., -2.,  0.],
           [ 0.,  0.,  0.,  1.,  0.]])
    """

    _parameter_constraints: dict = {
        name: constraint
        for name, constraint in LassoChoice._parameter_constraints.items()
        if name not in ("precompute", "positive")
    }
    _single = MultiTaskLasso
    _multi_task = True
    path = staticmethod(lasso_path)

    def __init__(
        self,
        *,
        eps=1e-3,
        alphas=100,
        fit_intercept=True,
        max_iter=1000,
        tol=1e-4,
        copy_X=True,
        cv=None,
        verbose=False,
        n_jobs=None,
        random_state=None,
        selection="cyclic",
    ):
        self.eps = eps
        self.alphas = alphas
        self.fit_intercept = fit_intercept
        self.max_iter = max_iter
        self.tol = tol
        self.copy_X = copy_X
        self.cv = cv
        self.verbose = verbose
        self.n_jobs = n_jobs
        self.random_state = random_state
        self.selection = selection
