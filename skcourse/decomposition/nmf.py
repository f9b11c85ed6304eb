"""Non-negative matrix factorisation: the estimator.

Problem     Of X, (n, p), with no entry below 0, find W, (n, k), and H, (k, p), with none either:
            min D(X | W H) + n_features alpha_W (l1_ratio |W|_1 + (1 - l1_ratio) |W|^2 / 2)
                           + n_samples  alpha_H (l1_ratio |H|_1 + (1 - l1_ratio) |H|^2 / 2)     (1)
            Rows of X are sums of parts, the rows of H; nothing is ever taken away. D is
            |X - W H|^2 / 2 or another divergence, see `nmf_losses`.
Iteration   W and H are improved in turns: "cd" by `nmf_descent`, "mu" by `nmf_multiplicative`.
            (1) is not convex: where they begin, `nmf_start`, decides where they end.
Cost        One pass over X an iteration, see `nmf_rows`.
Reference   D. Lee, H. S. Seung, Learning the parts of objects by non-negative matrix
            factorization, Nature, 1999.
"""

from numbers import Integral, Real

from sklearn.base import BaseEstimator, ClassNamePrefixFeaturesOutMixin, TransformerMixin
from sklearn.callback import CallbackSupportMixin
from sklearn.utils.validation import check_is_fitted

from skcourse.core.history import fit_task
from skcourse.core.validation import Interval, StrOptions, fit_context, read_X
from skcourse.decomposition.nmf_problem import factorise, solve_for


class NMF(CallbackSupportMixin, ClassNamePrefixFeaturesOutMixin, TransformerMixin, BaseEstimator):
    """Write a matrix without negative entries as a product of two such matrices.

    Parameters
    ----------
    n_components : int, "auto" or None, default="auto"
        k; None is the number of features, and so is "auto", unless W and H are given.
    init : {"random", "nndsvd", "nndsvda", "nndsvdar", "custom"} or None, default=None
        The first W and H: by chance; from singular vectors, whose zeros stay, become the mean of X,
        or small numbers by chance; or those given to `fit`. None is "nndsvda" if k is at most
        n_samples and n_features, else "random".
    solver : {"cd", "mu"}, default="cd"
        Coordinate descent, for the Frobenius loss; or multiplicative updates, for any.
    beta_loss : float or {"frobenius", "kullback-leibler", "itakura-saito"}, default="frobenius"
        The divergence: 2, 1 and 0 by name, or any other number. From 0 down, X cannot have zeros.
    tol : float, default=1e-4
        "cd" ends when the violation of the conditions of optimality is `tol` of what it was at
        first; "mu" when the error falls by less than `tol` of the first one in ten iterations.
    max_iter : int, default=200
    random_state : int, RandomState instance or None, default=None
        Drives "random" and "nndsvdar", the search for singular vectors, and `shuffle`, by
        scikit-learn's draws.
    alpha_W : float, default=0.0
    alpha_H : float or "same", default="same"
        The penalties of W and of H; "same" is `alpha_W`.
    l1_ratio : float, default=0.0
        How much of a penalty is that of the absolute values, in [0, 1].
    verbose : int, default=0
        Whether to print the violation, or the error.
    shuffle : bool, default=False
        Whether "cd" takes the components in another order each time.

    Attributes
    ----------
    components_ : ndarray of shape (n_components_, n_features_in_)
        H, in the dtype of X.
    n_components_ : int
    reconstruction_err_ : float
        sqrt(2 D) of X and W H; for the Frobenius loss |X - W H|.
    n_iter_ : int
    history_ : dict of str to ndarray of shape (n_iter_,)
        "loss", the objective after each iteration, penalties included, which never rises; and with
        "cd" "violation", by which it ends. Rounding covers what is less than a few eps of |X|^2:
        1e-15 of it, and 1e-6 if X is float32.
    n_features_in_ : int
    feature_names_in_ : ndarray of shape (n_features_in_,)
        Only if X has feature names that are all strings.

    Notes
    -----
    `transform` with "cd" solves each row for itself, to `tol` of its own violation, so that a row
    gets the same answer in any company; scikit-learn ends all rows together. Components of which
    the data say nothing may differ.

    Numbers whose squares would overflow or vanish are factorised in another unit. A fit uses all
    cores that the process may use (``OMP_NUM_THREADS`` is respected); its bits do not depend on
    their number. Dense X is copied only if its rows are not contiguous; of sparse X, a transpose is
    made.

    References
    ----------
    A. Cichocki, A.-H. Phan, Fast local algorithms for large scale nonnegative matrix and tensor
    factorizations, IEICE Trans. Fundamentals, 2009.
    C. Fevotte, J. Idier, Algorithms for nonnegative matrix factorization with the
    beta-divergence, Neural Computation, 2011.

    Examples
    --------
    Three baskets, of two kinds of purchase:

    >>> import numpy as np
    >>> from skcourse.decomposition import NMF
    >>> baskets = np.array([[2.0, 1.0, 0.0], [0.0, 3.0, 6.0], [2.0, 4.0, 6.0]])
    >>> model = NMF(n_components=2, random_state=0, tol=1e-8, max_iter=1000).fit(baskets)
    >>> parts = model.components_ / model.components_.max(axis=1, keepdims=True)
    >>> parts.round(2) + 0
    array([[1. , 0.5, 0. ],
           [0. , 0.5, 1. ]])
    >>> print(f"{model.reconstruction_err_:.2f}")
    0.00
    """

    _parameter_constraints: dict = {
        "n_components": [
            Interval(Integral, 1, None, closed="left"),
            None,
            StrOptions({"auto"}),
        ],
        "init": [
            StrOptions({"random", "nndsvd", "nndsvda", "nndsvdar", "custom"}),
            None,
        ],
        "solver": [StrOptions({"mu", "cd"})],
        "beta_loss": [
            StrOptions({"frobenius", "kullback-leibler", "itakura-saito"}),
            Real,
        ],
        "tol": [Interval(Real, 0, None, closed="left")],
        "max_iter": [Interval(Integral, 1, None, closed="left")],
        "random_state": ["random_state"],
        "alpha_W": [Interval(Real, 0, None, closed="left")],
        "alpha_H": [Interval(Real, 0, None, closed="left"), StrOptions({"same"})],
        "l1_ratio": [Interval(Real, 0, 1, closed="both")],
        "verbose": ["verbose"],
        "shuffle": ["boolean"],
    }

    def __init__(
        self,
        n_components="auto",
        *,
        init=None,
        solver="cd",
        beta_loss="frobenius",
        tol=1e-4,
        max_iter=200,
        random_state=None,
        alpha_W=0.0,
        alpha_H="same",
        l1_ratio=0.0,
        verbose=0,
        shuffle=False,
    ):
        self.n_components = n_components
        self.init = init
        self.solver = solver
        self.beta_loss = beta_loss
        self.tol = tol
        self.max_iter = max_iter
        self.random_state = random_state
        self.alpha_W = alpha_W
        self.alpha_H = alpha_H
        self.l1_ratio = l1_ratio
        self.verbose = verbose
        self.shuffle = shuffle

    def fit(self, X, y=None, **params):
        """Find the components.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features), with no negative entry
        y : ignored
        **params : W and H, see `fit_transform`

        Returns
        -------
        self : NMF
        """
        self.fit_transform(X, y, **params)
        return self

    @fit_context
    def fit_transform(self, X, y=None, W=None, H=None):
        """Find the components, and return what of each is in each row.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features), with no negative entry
        y : ignored
        W : array-like of shape (n_samples, n_components), default=None
        H : array-like of shape (n_components, n_features), default=None
            Where to begin, with `init="custom"`; in the dtype of X.

        Returns
        -------
        W : ndarray of shape (n_samples, n_components)

        Raises
        ------
        ValueError
            If X has a negative entry, or is not finite; if parameters do not fit together.

        Warns
        -----
        ConvergenceWarning
            If `max_iter` iterations were not enough.
        """
        X = read_X(self, X, reset=True, accept_sparse=("csr", "csc"))
        task = fit_task(self, X, y, max_subtasks=self.max_iter)
        found = factorise(self, X, W, H, task=task)
        self._n_components = self.n_components_ = found.H.shape[0]
        self.components_, self.n_iter_ = found.H, found.n_iter
        self.reconstruction_err_, self.history_ = found.error, found.history
        task.end()
        return found.W

    def transform(self, X):
        """Return what of each component is in each row.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features), with no negative entry

        Returns
        -------
        W : ndarray of shape (n_samples, n_components)
        """
        check_is_fitted(self)
        X = read_X(self, X, accept_sparse=("csr", "csc"))
        return solve_for(self, X, self.components_)

    def inverse_transform(self, X):
        """Return the rows W H.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_components), W

        Returns
        -------
        X_original : ndarray of shape (n_samples, n_features)
        """
        check_is_fitted(self)
        return X @ self.components_

    @property
    def _n_features_out(self):
        return len(self.components_)

    def __sklearn_tags__(self):
        """X is sparse or dense, and not negative."""
        tags = super().__sklearn_tags__()
        tags.input_tags.positive_only = True
        tags.input_tags.sparse = True
        tags.transformer_tags.preserves_dtype = ["float64", "float32"]
        return tags
