"""Extremely randomised trees: thresholds at random, the best of which splits.

Problem     A forest is better the less its trees agree by accident. Where the best threshold of
            each feature follows the sample, a random one does not.
Iteration   At a node, for each of `max_features` features drawn at random, draw
                threshold ~ uniform(min x_f, max x_f)  over the samples of the node             (1)
            and take the one of the greatest fall of impurity, (6) of `decision_tree`.
Cost        O(n) per node and feature: no order is needed.
Reference   P. Geurts, D. Ernst, L. Wehenkel, Extremely randomized trees, Mach. Learn. 2006.
"""

from skcourse.core.kinship import counts_as_namesake
from skcourse.tree.decision_tree import DecisionTreeClassifier, DecisionTreeRegressor


@counts_as_namesake
class ExtraTreeClassifier(DecisionTreeClassifier):
    """A tree of random thresholds that tells classes apart: a member for forests.

    Parameters
    ----------
    criterion : {"gini", "entropy", "log_loss"}, default="gini"
        The impurity of a node.
    splitter : {"random", "best"}, default="random"
        Whether one threshold of a feature at random competes, or all.
    max_depth : int, default=None
        The most splits on the way to a leaf. None: as many as it takes.
    min_samples_split : int or float, default=2
        The fewest samples of a node that is split; a float is a share of all.
    min_samples_leaf : int or float, default=1
        The fewest samples of a leaf; a float is a share of all.
    min_weight_fraction_leaf : float, default=0.0
        The least share of all weight in a leaf.
    max_features : int, float, {"sqrt", "log2"} or None, default="sqrt"
        How many features, drawn at random, compete for a split: a number, a share, the root or
        the logarithm of their number, or all. The draw goes on until one of them can be split.
    random_state : int, RandomState instance or None, default=None
        Drives the order of the features, by which ties are broken, and random thresholds. The
        draws are scikit-learn's.
    max_leaf_nodes : int, default=None
        Grow best first, to so many leaves.
    min_impurity_decrease : float, default=0.0
        The least fall of impurity, over the weight of all samples, of a split.
    class_weight : dict, list of dict, "balanced" or None, default=None
        The weight of each class, of each output where there are several; "balanced": inversely
        proportional to its frequency.
    ccp_alpha : float, default=0.0
        The price of a leaf in minimal cost-complexity pruning.
    monotonic_cst : array-like of int of shape (n_features,) or dict, default=None
        1 where the probability of the second class may only rise with a feature, -1 where it may
        only fall, else 0; or these by feature names. For two classes.
    categorical_features : array-like, "from_dtype" or None, default=None
        Which features hold categories: a mask, indices, names, or those whose dtype says so. A
        split sends a set of categories to the left. Categories that the fit has not seen are
        missing values.
    interaction_cst : sequence of sequences of int, {"pairwise", "no_interactions"} or None, \
            default=None
        Sets of features; all splits on the way to a leaf are of features of one set.

    Attributes
    ----------
    classes_ : ndarray of shape (n_classes,), or list of them, one per output
    n_classes_ : int, or ndarray of them
    n_outputs_ : int
    max_features_ : int, how many features compete
    feature_importances_ : ndarray of shape (n_features,), shares in the fall of impurity
    tree_ : Tree, the nodes; see `skcourse.tree.fitted_tree`
    n_features_in_ : int
    feature_names_in_ : ndarray of shape (n_features,), only if X has names

    Examples
    --------
    >>> from skcourse.tree import ExtraTreeClassifier
    >>> X, y = [[0, 0], [0, 1], [1, 0], [1, 1]], [1, 0, 0, 1]
    >>> ExtraTreeClassifier(random_state=0).fit(X, y).score(X, y)
    1.0
    """

    def __init__(
        self,
        *,
        criterion="gini",
        splitter="random",
        max_depth=None,
        min_samples_split=2,
        min_samples_leaf=1,
        min_weight_fraction_leaf=0.0,
        max_features="sqrt",
        random_state=None,
        max_leaf_nodes=None,
        min_impurity_decrease=0.0,
        class_weight=None,
        ccp_alpha=0.0,
        monotonic_cst=None,
        categorical_features=None,
        interaction_cst=None,
    ):
        super().__init__(
            criterion=criterion,
            splitter=splitter,
            max_depth=max_depth,
            min_samples_split=min_samples_split,
            min_samples_leaf=min_samples_leaf,
            min_weight_fraction_leaf=min_weight_fraction_leaf,
            max_features=max_features,
            random_state=random_state,
            max_leaf_nodes=max_leaf_nodes,
            min_impurity_decrease=min_impurity_decrease,
            class_weight=class_weight,
            ccp_alpha=ccp_alpha,
            monotonic_cst=monotonic_cst,
            categorical_features=categorical_features,
            interaction_cst=interaction_cst,
        )


@counts_as_namesake
class ExtraTreeRegressor(DecisionTreeRegressor):
    """A tree of random thresholds that predicts numbers: a member for forests.

    Parameters
    ----------
    criterion : {"squared_error", "absolute_error", "poisson"}, default="squared_error"
        The impurity of a node. Leaves answer with the mean; with the median if it
        is the absolute error.
    splitter : {"random", "best"}, default="random"
        Whether one threshold of a feature at random competes, or all.
    max_depth : int, default=None
        The most splits on the way to a leaf. None: as many as it takes.
    min_samples_split : int or float, default=2
        The fewest samples of a node that is split; a float is a share of all.
    min_samples_leaf : int or float, default=1
        The fewest samples of a leaf; a float is a share of all.
    min_weight_fraction_leaf : float, default=0.0
        The least share of all weight in a leaf.
    max_features : int, float, {"sqrt", "log2"} or None, default=1.0
        How many features, drawn at random, compete for a split: a number, a share, the root or
        the logarithm of their number, or all. The draw goes on until one of them can be split.
    random_state : int, RandomState instance or None, default=None
        Drives the order of the features, by which ties are broken, and random thresholds. The
        draws are scikit-learn's.
    min_impurity_decrease : float, default=0.0
        The least fall of impurity, over the weight of all samples, of a split.
    max_leaf_nodes : int, default=None
        Grow best first, to so many leaves.
    ccp_alpha : float, default=0.0
        The price of a leaf in minimal cost-complexity pruning.
    monotonic_cst : array-like of int of shape (n_features,) or dict, default=None
        1 where the prediction may only rise with a feature, -1 where it may only fall, else 0; or
        these by feature names. For one output.
    categorical_features : array-like, "from_dtype" or None, default=None
        Which features hold categories: a mask, indices, names, or those whose dtype says so. A
        split sends a set of categories to the left. Categories that the fit has not seen are
        missing values.
    interaction_cst : sequence of sequences of int, {"pairwise", "no_interactions"} or None, \
            default=None
        Sets of features; all splits on the way to a leaf are of features of one set.

    Attributes
    ----------
    n_outputs_ : int
    max_features_ : int, how many features compete
    feature_importances_ : ndarray of shape (n_features,), shares in the fall of impurity
    tree_ : Tree, the nodes; see `skcourse.tree.fitted_tree`
    n_features_in_ : int
    feature_names_in_ : ndarray of shape (n_features,), only if X has names

    Examples
    --------
    >>> from skcourse.tree import ExtraTreeRegressor
    >>> X, y = [[1.0], [2.0], [8.0], [9.0]], [0.0, 1.0, 5.0, 7.0]
    >>> ExtraTreeRegressor(max_depth=1, random_state=0).fit(X, y).get_n_leaves()
    np.int64(2)
    """

    def __init__(
        self,
        *,
        criterion="squared_error",
        splitter="random",
        max_depth=None,
        min_samples_split=2,
        min_samples_leaf=1,
        min_weight_fraction_leaf=0.0,
        max_features=1.0,
        random_state=None,
        min_impurity_decrease=0.0,
        max_leaf_nodes=None,
        ccp_alpha=0.0,
        monotonic_cst=None,
        categorical_features=None,
        interaction_cst=None,
    ):
        super().__init__(
            criterion=criterion,
            splitter=splitter,
            max_depth=max_depth,
            min_samples_split=min_samples_split,
            min_samples_leaf=min_samples_leaf,
            min_weight_fraction_leaf=min_weight_fraction_leaf,
            max_features=max_features,
            random_state=random_state,
            min_impurity_decrease=min_impurity_decrease,
            max_leaf_nodes=max_leaf_nodes,
            ccp_alpha=ccp_alpha,
            monotonic_cst=monotonic_cst,
            categorical_features=categorical_features,
            interaction_cst=interaction_cst,
        )
