"""Random trees as features: a sample becomes the leaves that it comes to.

Problem     Code samples without labels so that near ones agree in many places.
Iteration   Grow trees on targets drawn at random, each node split by one feature and one threshold,
            drawn too; number the leaves, and write a one where the sample is:
                z(x) = (1[x in leaf l])  over all leaves l of all trees                   (1)
Cost        O(n) per level of each tree.
Reference   F. Moosmann, B. Triggs, F. Jurie, Fast discriminative visual codebooks using randomized
            clustering forests, NIPS 2006.
"""

import numpy as np
from scipy.sparse import issparse
from sklearn.base import OneToOneFeatureMixin, TransformerMixin
from sklearn.preprocessing import OneHotEncoder
from sklearn.utils import check_consistent_length, check_random_state
from sklearn.utils.validation import check_is_fitted, validate_data

from skcourse.core.validation import fit_context
from skcourse.ensemble.forest_base import AS_READ, BaseForest
from skcourse.ensemble.forest_labels import read_numbers
from skcourse.tree import ExtraTreeRegressor
from skcourse.tree.base import sorted_columns
from skcourse.tree.categories import read_table
from skcourse.tree.walk import leaves, pack


class RandomTreesEmbedding(TransformerMixin, BaseForest):
    """Code a sample by the leaves that it comes to in trees grown at random.

    Parameters
    ----------
    n_estimators : int, default=100
        Trees.
    max_depth : int, default=5
        Levels of splits; None for as many as it takes.
    min_samples_split : int or float, default=2
        Rows that a node has at least if it is split; a float is a share of `n_samples`.
    min_samples_leaf : int or float, default=1
        Rows that each side of a split has at least; a float is a share of `n_samples`.
    min_weight_fraction_leaf : float, default=0.0
        The share of the weight that each side of a split has at least.
    max_leaf_nodes : int, default=None
        Grow the best split first, up to so many leaves. None: depth first, without a limit.
    min_impurity_decrease : float, default=0.0
        By how much a split lowers the squared error of the random targets at least.
    sparse_output : bool, default=True
        Whether codes are a CSR matrix, or a dense array.
    n_jobs : int, default=None
        Threads: None is 1 unless a joblib context says otherwise, -1 all cores.
    random_state : int, RandomState instance or None, default=None
        Drives targets, features and thresholds: the same trees as scikit-learn's.
    verbose : int, default=0
        2 or more: tell of each tree.
    warm_start : bool, default=False
        Keep the trees of the last fit and grow only what `n_estimators` has more.
    categorical_features : "from_dtype", array-like or None, default=None
        Which columns hold categories: a mask, indices or names; or all of a categorical dtype.
    interaction_cst : "pairwise", "no_interactions", or sequence of sequences of int, default=None
        Sets of features; those on the way to a leaf must all lie in one of them.

    Attributes
    ----------
    estimators_ : list of ExtraTreeRegressor
    estimator_ : ExtraTreeRegressor
        What the trees are made like.
    history_ : dict of str to ndarray
        After "n_trees" trees: "n_leaves" so far.
    one_hot_encoder_ : OneHotEncoder
        Of the leaves.
    n_outputs_ : int, 1
    feature_importances_ : ndarray of shape (n_features,)
    estimators_samples_ : list of ndarray
        All rows, for each tree.
    n_features_in_ : int
    feature_names_in_ : ndarray of shape (n_features_in_,)
        Only if X has feature names that are all strings.

    References
    ----------
    F. Moosmann, B. Triggs, F. Jurie, Fast discriminative visual codebooks using randomized
    clustering forests, NIPS 2006.

    Examples
    --------
    >>> from skcourse.ensemble import RandomTreesEmbedding
    >>> X = [[0.0], [1.0], [9.0]]
    >>> codes = RandomTreesEmbedding(n_estimators=2, max_depth=1, random_state=0).fit_transform(X)
    >>> codes.shape
    (3, 4)
    """

    _parameter_constraints: dict = {
        **BaseForest._parameter_constraints,
        "sparse_output": ["boolean"],
    }
    for name in ("max_features", "ccp_alpha", "monotonic_cst", "bootstrap", "oob_score"):
        _parameter_constraints.pop(name)
    _parameter_constraints.pop("max_samples")
    estimator = ExtraTreeRegressor()
    estimator_params = tuple(
        name for name in BaseForest.estimator_params if name not in ("ccp_alpha", "monotonic_cst")
    )
    criterion = "squared_error"
    max_features = 1
    bootstrap = False
    oob_score = False
    max_samples = None

    def __init__(
        self,
        n_estimators=100,
        *,
        max_depth=5,
        min_samples_split=2,
        min_samples_leaf=1,
        min_weight_fraction_leaf=0.0,
        max_leaf_nodes=None,
        min_impurity_decrease=0.0,
        sparse_output=True,
        n_jobs=None,
        random_state=None,
        verbose=0,
        warm_start=False,
        categorical_features=None,
        interaction_cst=None,
    ):
        self.n_estimators = n_estimators
        self.max_depth = max_depth
        self.min_samples_split = min_samples_split
        self.min_samples_leaf = min_samples_leaf
        self.min_weight_fraction_leaf = min_weight_fraction_leaf
        self.max_leaf_nodes = max_leaf_nodes
        self.min_impurity_decrease = min_impurity_decrease
        self.sparse_output = sparse_output
        self.n_jobs = n_jobs
        self.random_state = random_state
        self.verbose = verbose
        self.warm_start = warm_start
        self.categorical_features = categorical_features
        self.interaction_cst = interaction_cst

    def _read_Xy(self, X, y, encoder):
        """Return X, and targets drawn at random."""
        check_consistent_length(X)  # says what has no length
        if self.categorical_features is None:
            X = validate_data(self, X, **AS_READ)
            X = sorted_columns(X) if issparse(X) else X
        else:
            X = read_table(self, X, reset=True, encoder=encoder)
        return X, check_random_state(self.random_state).uniform(size=X.shape[0])

    def _read_labels(self, y, sample_weight):
        """Return the targets y."""
        return read_numbers(y, self.criterion)

    def fit(self, X, y=None, sample_weight=None):
        """Grow the trees.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features)
        y : ignored, but for callbacks that score
        sample_weight : array-like of shape (n_samples,), default=None
            A sample of weight 0 is not there.

        Returns
        -------
        self : RandomTreesEmbedding
        """
        self.fit_transform(X, y, sample_weight=sample_weight)
        return self

    @fit_context
    def fit_transform(self, X, y=None, sample_weight=None):
        """Grow the trees and return the codes of `X`.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features)
        y : ignored, but for callbacks that score
        sample_weight : array-like of shape (n_samples,), default=None
            A sample of weight 0 is not there.

        Returns
        -------
        Z : CSR matrix or ndarray of shape (n_samples, n_leaves)
        """
        self._fit(X, y, sample_weight)
        encoder = OneHotEncoder(sparse_output=self.sparse_output)
        codes = encoder.fit_transform(self.apply(X))
        self.one_hot_encoder_, self._n_features_out = encoder, codes.shape[1]
        return codes

    def _so_far(self, known, trees, X):
        """Return the fitted attributes of an embedding of the trees so far, for callbacks."""
        known = super()._so_far(known, trees, X)
        walk = pack([tree.tree_.nodes for tree in trees])
        encoder = OneHotEncoder(sparse_output=self.sparse_output)
        encoder.fit(leaves(walk, X, n_jobs=self.n_jobs))
        n_out = sum(map(len, encoder.categories_))
        return known | {"one_hot_encoder_": encoder, "_n_features_out": n_out}

    def transform(self, X):
        """Return (1) of each sample.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features)

        Returns
        -------
        Z : CSR matrix or ndarray of shape (n_samples, n_leaves)
        """
        check_is_fitted(self)
        return self.one_hot_encoder_.transform(self.apply(X))

    def get_feature_names_out(self, input_features=None):
        """Return names of the leaves: "randomtreesembedding_{tree}_{node}".

        Parameters
        ----------
        input_features : array-like of str, default=None
            Must be those of `fit`.

        Returns
        -------
        names : ndarray of str objects of shape (n_leaves,)
        """
        check_is_fitted(self, "_n_features_out")
        OneToOneFeatureMixin.get_feature_names_out(self, input_features)  # looks at these
        names = [
            f"randomtreesembedding_{tree}_{leaf}"
            for tree, found in enumerate(self.one_hot_encoder_.categories_)
            for leaf in found
        ]
        return np.asarray(names, dtype=object)
