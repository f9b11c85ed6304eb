"""Lasso: least squares with few coefficients, the elastic net without squares."""

from skcourse.linear_model.elastic_net import ElasticNet
from skcourse.linear_model.lasso_path import enet_path


class Lasso(ElasticNet):
    """Least squares with a penalty on the absolute values of the coefficients.

    Minimises, for each target by itself, with weights w_i whose sum is W, ::

        sum_i w_i (y_i - <b, x_i> - b_0)^2 / (2 W) + alpha |b|_1

    Parameters
    ----------
    alpha : float, default=1.0
        The strength of the penalty, not negative: coefficients vanish one after the other as it
        grows. 0 is least squares, which `LinearRegression` does better.
    fit_intercept : bool, default=True
        False if the plane must pass through the origin.
    precompute : bool or array-like of shape (n_features, n_features), default=False
        True works on all features at once, through X'X, which may be given for centred and
        weighted X; False looks for the features that matter first. The result is the same.
    copy_X : bool, default=True
        Of no effect: X is never overwritten.
    max_iter : int or None, default=1000
        Bound on the sweeps over the coefficients; None is 1000.
    tol : float, default=1e-4
        It ends when no coefficient changes in a sweep by more than `tol` times the largest, and
        the duality gap is at most `tol` times the mean square of the targets.
    warm_start : bool, default=False
        Start at the coefficients of the last fit.
    positive : bool, default=False
        Keep the coefficients from being negative.
    random_state : int, RandomState instance or None, default=None
        Draws the coordinates if `selection` is "random".
    selection : {"cyclic", "random"}, default="cyclic"
        The order in which a sweep goes over the coefficients.

    Attributes
    ----------
    coef_ : ndarray of shape (n_features,) or (n_targets, n_features), dtype of X
    sparse_coef_ : sparse matrix of shape (1, n_features) or (n_targets, n_features)
    intercept_ : float or ndarray of shape (n_targets,); 0.0 without an intercept
    n_iter_ : int or list of int, sweeps for each target
    dual_gap_ : float or ndarray of shape (n_targets,)
        Nothing is more than this below the objective of the coefficients found; in its units, the
        squares of those of y.
    n_features_in_ : int
    feature_names_in_ : ndarray of shape (n_features_in_,)
        Only if X has names.

    See Also
    --------
    LassoCV : Chooses alpha by cross-validation.
    MultiTaskLasso : Targets that share their features.
    lasso_path : Many penalties at once.

    Examples
    --------
    >>> from skcourse.linear_model import Lasso
    >>> model = Lasso(alpha=0.1).fit([[0.0, 1.0], [1.0, 0.0], [2.0, 1.0]], [0.0, 1.0, 2.0])
    >>> model.coef_.round(3), round(float(model.intercept_), 3)
    (array([0.85, 0.  ]), 0.15)
    """

    _parameter_constraints: dict = {
        name: constraint
        for name, constraint in ElasticNet._parameter_constraints.items()
        if name != "l1_ratio"
    }

    path = staticmethod(enet_path)

    def __init__(
        self,
        alpha=1.0,
        *,
        fit_intercept=True,
        precompute=False,
        copy_X=True,
        max_iter=1000,
        tol=1e-4,
        warm_start=False,
        positive=False,
        random_state=None,
        selection="cyclic",
    ):
        super().__init__(
            alpha,
            l1_ratio=1.0,
            fit_intercept=fit_intercept,
            precompute=precompute,
            max_iter=max_iter,
            copy_X=copy_X,
            tol=tol,
            warm_start=warm_start,
            positive=positive,
            random_state=random_state,
            selection=selection,
        )
