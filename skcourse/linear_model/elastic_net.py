"""Elastic net: least squares with coefficients that are few and small.

Problem     (1) of `lasso_problem`, for each target by itself: the absolute values make some
            coefficients exactly 0, the squares keep correlated features together.
Method      `working_set` finds the features that matter, `coordinate_descent` and `gram_descent`
            their coefficients; `duality_gap` bounds what is left to gain.
Cost        A few passes over X, in whatever order it lies; it is not copied.
Reference   R. Tibshirani, Regression shrinkage and selection via the lasso, JRSS B, 1996. H. Zou,
            T. Hastie, Regularization and variable selection via the elastic net, JRSS B, 2005.
"""

import warnings
from numbers import Integral, Real

import numpy as np
from scipy import sparse
from sklearn import get_config
from sklearn.utils import metadata_routing

from skcourse.core.chunks import one_blas_thread
from skcourse.core.validation import Interval, fit_context, read_Xy
from skcourse.linear_model.base import LinearRegressor
from skcourse.linear_model.lasso_path import enet_path
from skcourse.linear_model.lasso_problem import (
    CONSTRAINTS,
    as_read,
    check_coefficients,
    checked_gram,
    problem_of,
    read_weights,
    settings_of,
    warn_unconverged,
)
from skcourse.linear_model.working_set import Descent


class FewFeatures(LinearRegressor):
    """What the regressors for one target and for several tasks share."""

    path = staticmethod(enet_path)

    def _intercept(self, problem, coef, flat):
        """Return the intercept of rounded coefficients: the plane passes through the means."""
        if not self.fit_intercept:
            return 0.0
        intercept = problem.intercept(coef).astype(coef.dtype, copy=False)
        return intercept[0] if flat else intercept

    @property
    def sparse_coef_(self):
        """`coef_` as a sparse matrix, in a row for each target."""
        modern = get_config()["sparse_interface"] == "sparray"
        return (sparse.csr_array if modern else sparse.csr_matrix)(np.atleast_2d(self.coef_))


class ElasticNet(FewFeatures):
    """Least squares with a penalty on the absolute values and the squares of the coefficients.

    Minimises, for each target by itself, with weights w_i whose sum is W, ::

        sum_i w_i (y_i - <b, x_i> - b_0)^2 / (2 W)
            + alpha (l1_ratio |b|_1 + (1 - l1_ratio) |b|^2 / 2)

    Parameters
    ----------
    alpha : float, default=1.0
        The strength of the penalty, not negative. 0 is least squares, which `LinearRegression`
        does better.
    l1_ratio : float, default=0.5
        1 is the lasso, 0 ridge regression.
    fit_intercept : bool, default=True
        False if the plane must pass through the origin.
    precompute : bool or array-like of shape (n_features, n_features), default=False
        True works on all features at once, through X'X, which may be given for centred and
        weighted X; False looks for the features that matter first. The result is the same.
    max_iter : int or None, default=1000
        Bound on the sweeps over the coefficients; None is 1000.
    copy_X : bool, default=True
        Of no effect: X is never overwritten.
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
    ElasticNetCV : Chooses alpha and l1_ratio by cross-validation.
    MultiTaskElasticNet : Targets that share their features.
    enet_path : Many penalties at once.

    Examples
    --------
    >>> from skcourse.linear_model import ElasticNet
    >>> model = ElasticNet(alpha=0.1).fit([[0.0, 1.0], [1.0, 0.0], [2.0, 1.0]], [0.0, 1.0, 2.0])
    >>> model.coef_.round(3), round(float(model.intercept_), 3)
    (array([0.86, 0.  ]), 0.14)
    """

    # scikit-learn's routing leaves `check_input` alone: it is no metadata
    __metadata_request__fit = {"check_input": metadata_routing.UNUSED}

    _parameter_constraints: dict = CONSTRAINTS | {
        "alpha": [Interval(Real, 0, None, closed="left")],
        "l1_ratio": [Interval(Real, 0, 1, closed="both")],
        "precompute": ["boolean", "array-like"],
        "max_iter": [Interval(Integral, 1, None, closed="left"), None],
        "warm_start": ["boolean"],
        "positive": ["boolean"],
    }

    def __init__(
        self,
        alpha=1.0,
        *,
        l1_ratio=0.5,
        fit_intercept=True,
        precompute=False,
        max_iter=1000,
        copy_X=True,
        tol=1e-4,
        warm_start=False,
        positive=False,
        random_state=None,
        selection="cyclic",
    ):
        self.alpha = alpha
        self.l1_ratio = l1_ratio
        self.fit_intercept = fit_intercept
        self.precompute = precompute
        self.max_iter = max_iter
        self.copy_X = copy_X
        self.tol = tol
        self.warm_start = warm_start
        self.positive = positive
        self.random_state = random_state
        self.selection = selection

    @fit_context
    def fit(self, X, y, sample_weight=None, check_input=True):
        """Find the coefficients and the intercept.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features)
            Rows or columns in one piece are read as they lie; sparse X as CSC.
        y : array-like of shape (n_samples,) or (n_samples, n_targets)
        sample_weight : float or array-like of shape (n_samples,), default=None
            Not negative. Only their proportions matter.
        check_input : bool, default=True
            False trusts X and y to be floats of the right shape.

        Returns
        -------
        self : ElasticNet

        Raises
        ------
        ValueError
            If X, y or the weights are not finite or do not match, if the matrix given as
            `precompute` is not X'X, or if numbers are too large for their products.

        Warns
        -----
        ConvergenceWarning
            If `max_iter` ended it.
        """
        if self.alpha == 0:
            warnings.warn(
                "With alpha=0, this algorithm does not converge well. You are advised to use the "
                "LinearRegression estimator",
                stacklevel=4,
            )
        if check_input:
            finite = sparse.issparse(X)
            X, y = read_Xy(self, X, y, finite=finite, order=None, accept_sparse="csc")
        else:
            y = np.asarray(y)
        weights = read_weights(sample_weight, X)
        X = as_read(X)
        with one_blas_thread(), np.errstate(over="ignore", invalid="ignore"):
            problem = problem_of(X, y, weights, centre=self.fit_intercept, estimator=self)
            descents, n_iter = self._descend(problem, self._gram(problem, y.dtype, check_input))
        coef = np.concatenate([descent.w for descent in descents]).astype(X.dtype, copy=False)
        intercept = self._intercept(problem, coef, y.ndim == 1)
        check_coefficients(coef, intercept)
        gaps = np.array([descent.gap for descent in descents]) / problem.weight
        single = len(coef) == 1
        self.coef_, self.intercept_ = coef[0] if single else coef, intercept
        self.dual_gap_ = gaps[0] if single else gaps
        self.n_iter_ = n_iter[0] if single else n_iter
        return self

    def _gram(self, problem, y_dtype, check_input):
        """Return the Gram matrix that was given, if it is that of the centred columns."""
        if isinstance(self.precompute, (bool, np.bool_)) or problem.columns.is_sparse:
            return None
        if self.fit_intercept and not np.allclose(problem.columns.means, 0, atol=1e-7):
            warnings.warn(
                "Gram matrix was provided but X was centered to fit intercept: recomputing Gram "
                "matrix.",
                UserWarning,
                stacklevel=5,
            )
            return None
        if not check_input:
            return np.asarray(self.precompute)
        return checked_gram(self.precompute, problem.columns, y_dtype)

    def _descend(self, problem, gram):
        """Return a Descent for each target, ended, and the sweeps of each."""
        settings = settings_of(self, whole=self.precompute is not False)
        net = problem.net(self.alpha, self.l1_ratio, positive=self.positive)
        descents, n_iter, at_hand = [], [], None
        for k in range(len(problem.Y)):
            descent = Descent(problem.columns, problem.Y[k : k + 1], settings, at_hand)
            if gram is not None and k == 0:
                descent.at_hand.give_gram(gram)
            if self.warm_start and hasattr(self, "coef_"):
                descent.start(np.atleast_2d(self.coef_)[k])
            n, done = descent.solve(net)
            at_hand = descent.at_hand if descent.at_hand.worth_sharing() else None
            if not done:
                scale = problem.weight
                warn_unconverged(descent.gap / scale, descent.target / scale, net.l1)
            descent.round_to(problem.columns.X.dtype, net)
            descents.append(descent)
            n_iter.append(int(n))
        return descents, n_iter
