"""Extremely randomised trees: thresholds are drawn too, and only the feature is chosen.

Problem     As in a random forest, trees with little bias whose errors are not alike; and a cheap
            split.
Iteration   At each node, draw m of the d features, and for each a threshold, uniformly between the
            least and the greatest value in the node; take the best of these m splits.
Cost        O(n) per level and feature drawn: nothing is sorted.
Reference   P. Geurts, D. Ernst, L. Wehenkel, Extremely randomized trees, Machine Learning, 2006.
"""

from skcourse.core.validation import StrOptions
from skcourse.ensemble.forest_classifier import ForestClassifier
from skcourse.ensemble.forest_regressor import ForestRegressor
from skcourse.tree import ExtraTreeClassifier, ExtraTreeRegressor
from skcourse.tree.decision_tree import current_name


class ExtraTreesClassifier(ForestClassifier):
    """Vote of trees whose thresholds are drawn at random.

    Parameters
    ----------
    n_estimators : int, default=100
        Trees.
    criterion : {"gini", "entropy", "log_loss"}, default="gini"
        The impurity that splits lower: Gini's, or the entropy, which "log_loss" is too.
    max_depth : int, default=None
        Levels of splits; None for as many as it takes.
    min_samples_split : int or float, default=2
        Rows that a node has at least if it is split; a float is a share of `n_samples`.
    min_samples_leaf : int or float, default=1
        Rows that each side of a split has at least; a float is a share of `n_samples`.
    min_weight_fraction_leaf : float, default=0.0
        The share of the weight that each side of a split has at least.
    max_features : {"sqrt", "log2"}, int, float or None, default="sqrt"
        How many features are drawn for each split: a number, a share, or a function of
        `n_features`; None for all of them. The search goes on until a split is found.
    max_leaf_nodes : int, default=None
        Grow the best split first, up to so many leaves. None: depth first, without a limit.
    min_impurity_decrease : float, default=0.0
        By how much a split lowers the impurity at least, times the share of the weight in the
        node.
    bootstrap : bool, default=False
        Whether each tree has a sample of the rows, drawn with replacement; else all of them.
    oob_score : bool or callable, default=False
        Whether to judge each row by the trees that have not seen it: by the share of right
        answers, or by ``callable(y_true, y_pred)``. Only with `bootstrap`.
    n_jobs : int, default=None
        Threads, of `fit` over trees, of predictions over rows: None is 1 unless a joblib context
        says otherwise, -1 all cores. The trees do not depend on it.
    random_state : int, RandomState instance or None, default=None
        Drives the samples of rows, and the features and thresholds drawn for the splits: the same
        trees as scikit-learn's for the same number.
    verbose : int, default=0
        2 or more: tell of each tree.
    warm_start : bool, default=False
        Keep the trees of the last fit and grow only what `n_estimators` has more.
    class_weight : {"balanced", "balanced_subsample"}, dict or list of dict, default=None
        Weights of the classes, a dict per output; "balanced" gives all classes the same weight,
        among all rows or among those drawn for a tree.
    ccp_alpha : float, default=0.0
        The price of a leaf in minimal cost-complexity pruning.
    max_samples : int or float, default=None
        With `bootstrap`, how many rows are drawn for a tree: None for `n_samples`; a float is a
        share of `n_samples`, or of the sum of `sample_weight`.
    monotonic_cst : array-like of shape (n_features,) or dict, default=None
        1, -1 or 0 for features with which the probability of the second class rises, falls, or
        does either; a dict goes by names.
    categorical_features : "from_dtype", array-like or None, default=None
        Which columns hold categories: a mask, indices or names; or all of a categorical dtype.
        Categories not seen in `fit` count as missing.
    interaction_cst : "pairwise", "no_interactions", or sequence of sequences of int, default=None
        Sets of features; those on the way to a leaf must all lie in one of them.

    Attributes
    ----------
    estimators_ : list of ExtraTreeClassifier
    estimator_ : ExtraTreeClassifier
        What the trees are made like.
    classes_ : ndarray of shape (n_classes,), or list of them, one per output
    n_classes_ : int, or list of int
    n_outputs_ : int
    feature_importances_ : ndarray of shape (n_features,)
        The impurity that the splits of a feature take away, the mean over the trees; sum 1.
    estimators_samples_ : list of ndarray
        The rows drawn for each tree, as often as they are.
    oob_score_ : float
        Only if `oob_score`.
    oob_decision_function_ : ndarray of shape (n_samples, n_classes) or \
            (n_samples, n_classes, n_outputs)
        Shares of the classes by the trees that have not seen the row, 0 where all have. Only if
        `oob_score`.
    history_ : dict of str to ndarray
        After "n_trees" trees: "n_leaves" so far and, with `oob_score`, the "oob_score" of the rows
        that have one by then. An entry per tree; ten, if `oob_score` is a callable.
    n_features_in_ : int
    feature_names_in_ : ndarray of shape (n_features_in_,)
        Only if X has feature names that are all strings.

    Notes
    -----
    Columns are sorted, and targets made ready, once for all trees, which then grow on threads, each
    from a seed of its own: the same forest for any number of threads. NaN in X, if it is not
    sparse, is a missing value: each split learns the side that it goes to.

    References
    ----------
    P. Geurts, D. Ernst, L. Wehenkel, Extremely randomized trees, Machine Learning, 2006.

    Examples
    --------
    >>> from sklearn.datasets import load_iris
    >>> from skcourse.ensemble import ExtraTreesClassifier
    >>> X, y = load_iris(return_X_y=True)
    >>> forest = ExtraTreesClassifier(n_estimators=20, random_state=0).fit(X, y)
    >>> forest.predict(X[::50])
    array([0, 1, 2])
    """

    _parameter_constraints: dict = {
        **ForestClassifier._parameter_constraints,
        "criterion": [StrOptions({"gini", "entropy", "log_loss"})],
    }
    estimator = ExtraTreeClassifier()

    def __init__(
        self,
        n_estimators=100,
        *,
        criterion="gini",
        max_depth=None,
        min_samples_split=2,
        min_samples_leaf=1,
        min_weight_fraction_leaf=0.0,
        max_features="sqrt",
        max_leaf_nodes=None,
        min_impurity_decrease=0.0,
        bootstrap=False,
        oob_score=False,
        n_jobs=None,
        random_state=None,
        verbose=0,
        warm_start=False,
        class_weight=None,
        ccp_alpha=0.0,
        max_samples=None,
        monotonic_cst=None,
        categorical_features=None,
        interaction_cst=None,
    ):
        self.n_estimators = n_estimators
        self.criterion = criterion
        self.max_depth = max_depth
        self.min_samples_split = min_samples_split
        self.min_samples_leaf = min_samples_leaf
        self.min_weight_fraction_leaf = min_weight_fraction_leaf
        self.max_features = max_features
        self.max_leaf_nodes = max_leaf_nodes
        self.min_impurity_decrease = min_impurity_decrease
        self.bootstrap = bootstrap
        self.oob_score = oob_score
        self.n_jobs = n_jobs
        self.random_state = random_state
        self.verbose = verbose
        self.warm_start = warm_start
        self.class_weight = class_weight
        self.ccp_alpha = ccp_alpha
        self.max_samples = max_samples
        self.monotonic_cst = monotonic_cst
        self.categorical_features = categorical_features
        self.interaction_cst = interaction_cst


class ExtraTreesRegressor(ForestRegressor):
    """Mean of trees whose thresholds are drawn at random.

    Parameters
    ----------
    n_estimators : int, default=100
        Trees.
    criterion : {"squared_error", "absolute_error", "friedman_mse", "poisson"}, \
            default="squared_error"
        What splits lower: the squared error, half the Poisson deviance, or the absolute error, for
        which leaves take medians. "friedman_mse" is a name of "squared_error" that will go.
    max_depth : int, default=None
        Levels of splits; None for as many as it takes.
    min_samples_split : int or float, default=2
        Rows that a node has at least if it is split; a float is a share of `n_samples`.
    min_samples_leaf : int or float, default=1
        Rows that each side of a split has at least; a float is a share of `n_samples`.
    min_weight_fraction_leaf : float, default=0.0
        The share of the weight that each side of a split has at least.
    max_features : {"sqrt", "log2"}, int, float or None, default=1.0
        How many features are drawn for each split: a number, a share, or a function of
        `n_features`; None for all of them. The search goes on until a split is found.
    max_leaf_nodes : int, default=None
        Grow the best split first, up to so many leaves. None: depth first, without a limit.
    min_impurity_decrease : float, default=0.0
        By how much a split lowers the impurity at least, times the share of the weight in the
        node.
    bootstrap : bool, default=False
        Whether each tree has a sample of the rows, drawn with replacement; else all of them.
    oob_score : bool or callable, default=False
        Whether to judge each row by the trees that have not seen it: by R^2, or
        by ``callable(y_true, y_pred)``. Only with `bootstrap`.
    n_jobs : int, default=None
        Threads, of `fit` over trees, of predictions over rows: None is 1 unless a joblib context
        says otherwise, -1 all cores. The trees do not depend on it.
    random_state : int, RandomState instance or None, default=None
        Drives the samples of rows, and the features and thresholds drawn for the splits: the same
        trees as scikit-learn's for the same number.
    verbose : int, default=0
        2 or more: tell of each tree.
    warm_start : bool, default=False
        Keep the trees of the last fit and grow only what `n_estimators` has more.
    ccp_alpha : float, default=0.0
        The price of a leaf in minimal cost-complexity pruning.
    max_samples : int or float, default=None
        With `bootstrap`, how many rows are drawn for a tree: None for `n_samples`; a float is a
        share of `n_samples`, or of the sum of `sample_weight`.
    monotonic_cst : array-like of shape (n_features,) or dict, default=None
        1, -1 or 0 for features with which the prediction rises, falls, or does either; a dict goes
        by names.
    categorical_features : "from_dtype", array-like or None, default=None
        Which columns hold categories: a mask, indices or names; or all of a categorical dtype.
        Categories not seen in `fit` count as missing.
    interaction_cst : "pairwise", "no_interactions", or sequence of sequences of int, default=None
        Sets of features; those on the way to a leaf must all lie in one of them.

    Attributes
    ----------
    estimators_ : list of ExtraTreeRegressor
    estimator_ : ExtraTreeRegressor
        What the trees are made like.
    n_outputs_ : int
    feature_importances_ : ndarray of shape (n_features,)
        The impurity that the splits of a feature take away, the mean over the trees; sum 1.
    estimators_samples_ : list of ndarray
        The rows drawn for each tree, as often as they are.
    oob_score_ : float
        Only if `oob_score`.
    oob_prediction_ : ndarray of shape (n_samples,) or (n_samples, n_outputs)
        Means over the trees that have not seen the row, 0 where all have. Only if `oob_score`.
    history_ : dict of str to ndarray
        After "n_trees" trees: "n_leaves" so far and, with `oob_score`, the "oob_score" of the rows
        that have one by then. An entry per tree; ten, if `oob_score` is a callable.
    n_features_in_ : int
    feature_names_in_ : ndarray of shape (n_features_in_,)
        Only if X has feature names that are all strings.

    Notes
    -----
    Columns are sorted, and targets made ready, once for all trees, which then grow on threads, each
    from a seed of its own: the same forest for any number of threads. NaN in X, if it is not
    sparse, is a missing value: each split learns the side that it goes to.

    References
    ----------
    P. Geurts, D. Ernst, L. Wehenkel, Extremely randomized trees, Machine Learning, 2006.

    Examples
    --------
    >>> from sklearn.datasets import load_diabetes
    >>> from skcourse.ensemble import ExtraTreesRegressor
    >>> X, y = load_diabetes(return_X_y=True)
    >>> forest = ExtraTreesRegressor(n_estimators=20, random_state=0).fit(X, y)
    >>> len(forest), forest.score(X, y)
    (20, 1.0)
    """

    _parameter_constraints: dict = {
        **ForestRegressor._parameter_constraints,
        "criterion": [StrOptions({"squared_error", "absolute_error", "friedman_mse", "poisson"})],
    }
    estimator = ExtraTreeRegressor()

    def __init__(
        self,
        n_estimators=100,
        *,
        criterion="squared_error",
        max_depth=None,
        min_samples_split=2,
        min_samples_leaf=1,
        min_weight_fraction_leaf=0.0,
        max_features=1.0,
        max_leaf_nodes=None,
        min_impurity_decrease=0.0,
        bootstrap=False,
        oob_score=False,
        n_jobs=None,
        random_state=None,
        verbose=0,
        warm_start=False,
        ccp_alpha=0.0,
        max_samples=None,
        monotonic_cst=None,
        categorical_features=None,
        interaction_cst=None,
    ):
        self.n_estimators = n_estimators
        self.criterion = current_name(criterion)
        self.max_depth = max_depth
        self.min_samples_split = min_samples_split
        self.min_samples_leaf = min_samples_leaf
        self.min_weight_fraction_leaf = min_weight_fraction_leaf
        self.max_features = max_features
        self.max_leaf_nodes = max_leaf_nodes
        self.min_impurity_decrease = min_impurity_decrease
        self.bootstrap = bootstrap
        self.oob_score = oob_score
        self.n_jobs = n_jobs
        self.random_state = random_state
        self.verbose = verbose
        self.warm_start = warm_start
        self.ccp_alpha = ccp_alpha
        self.max_samples = max_samples
        self.monotonic_cst = monotonic_cst
        self.categorical_features = categorical_features
        self.interaction_cst = interaction_cst
