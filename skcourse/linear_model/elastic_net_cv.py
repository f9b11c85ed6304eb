"""Elastic net with its penalties chosen by cross-validation: see `lasso_choice`."""

from numbers import Real

from skcourse.core.validation import Interval
from skcourse.linear_model.elastic_net import ElasticNet
from skcourse.linear_model.lasso_choice import LassoChoice
from skcourse.linear_model.lasso_path import enet_path


class ElasticNetCV(LassoChoice):
    """Elastic net whose penalties are chosen by cross-validation.

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
    precompute : "auto", bool or array-like of shape (n_features, n_features), default="auto"
        Whether paths work on X'X; "auto": if there are more rows than columns, or few of
        both. A matrix is for the last fit; that of a fold is another one.
    max_iter : int, default=1000
        Bound on the sweeps over the coefficients.
    tol : float, default=1e-4
        When to stop; see `ElasticNet`.
    cv : int, cross-validation generator or iterable, default=None
        None: 5 folds.
    copy_X : bool, default=True
        Of no effect: X is never overwritten.
    verbose : bool or int, default=0
        joblib's, for the folds.
    n_jobs : int or None, default=None
        Folds at once. The result does not depend on it.
    positive : bool, default=False
        Keep the coefficients from being negative.
    random_state : int, RandomState instance or None, default=None
        Draws the coordinates if `selection` is "random".
    selection : {"cyclic", "random"}, default="cyclic"
        The order in which a sweep goes over the coefficients.

    Attributes
    ----------
    alpha_ : float, the penalty chosen
    l1_ratio_ : float, the share chosen
    coef_ : ndarray of shape (n_features,), dtype of X
    intercept_ : float; 0.0 without an intercept
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
    ElasticNet : With given penalties.
    enet_path : All penalties at once.

    Examples
    --------
    >>> import numpy as np
    >>> from skcourse.linear_model import ElasticNetCV
    >>> rng = np.random.default_rng(0)
    >>> X = rng.standard_normal((60, 5))
    >>> y = X @ [1.0, 0, 0, -2.0, 0] + rng.standard_normal(60) / 10
    >>> ElasticNetCV(cv=3).fit(X, y).coef_.round(1)
    array([ 1.,  0.,  0., -2.,  0.])
    """

    _parameter_constraints: dict = LassoChoice._parameter_constraints | {
        "l1_ratio": [Interval(Real, 0, 1, closed="both"), "array-like"]
    }
    _single = ElasticNet
    path = staticmethod(enet_path)

    def __init__(
        self,
        *,
        l1_ratio=0.5,
        eps=1e-3,
        alphas=100,
        fit_intercept=True,
        precompute="auto",
        max_iter=1000,
        tol=1e-4,
        cv=None,
        copy_X=True,
        verbose=0,
        n_jobs=None,
        positive=False,
        random_state=None,
        selection="cyclic",
    ):
        self.l1_ratio = l1_ratio
        self.eps = eps
        self.alphas = alphas
        self.fit_intercept = fit_intercept
        self.precompute = precompute
        self.max_iter = max_iter
        self.tol = tol
        self.cv = cv
        self.copy_X = copy_X
        self.verbose = verbose
        self.n_jobs = n_jobs
        self.positive = positive
        self.random_state = random_state
        self.selection = selection
