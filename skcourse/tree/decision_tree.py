"""Decision trees: questions about one feature at a time, until the answers are pure.

Problem     Cut the space into boxes along the axes, in each of which the answer is constant:
            the shares of the classes, or the mean. A node t of weight w_t has impurity H(t):
                gini            1 - sum_k p_k^2                                                (1)
                entropy         - sum_k p_k log2 p_k      (log_loss is the same)               (2)
                squared_error   mean (y - mean y)^2                                            (3)
                absolute_error  mean |y - median y|                                            (4)
                poisson         mean (y log(y / mean y) - y + mean y)                          (5)
Iteration   From the root on, take the split, of all features and thresholds, that lowers most
                w_t H(t) - w_left H(left) - w_right H(right)                                   (6)
            until a node is pure or some limit is met. Where max_leaf_nodes is given, the node of
            the greatest (6) is split next, else the left child.
Cost        O(n d log n) for a balanced tree: every level looks once at every sorted column.
Reference   Breiman, Friedman, Olshen and Stone, Classification and regression trees, 1984.

The engine is `skcourse.tree.grower`; a price per leaf (`ccp_alpha`) is for `skcourse.tree.pruning`.
"""

import numpy as np
from sklearn.base import ClassifierMixin, RegressorMixin
from sklearn.utils.metadata_routing import UNUSED

from skcourse.core.history import warn_user
from skcourse.core.kinship import counts_as_namesake
from skcourse.core.validation import StrOptions
from skcourse.tree.base import TreeModel
from skcourse.tree.partial_dependence import mean_responses


@counts_as_namesake
class DecisionTreeClassifier(ClassifierMixin, TreeModel):
    """A decision tree that tells classes apart.

    Missing values (NaN) go to the side that the search finds best; where none was missing in the
    fit, to the side of more weight.

    Parameters
    ----------
    criterion : {"gini", "entropy", "log_loss"}, default="gini"
        The impurity of a node, (1) or (2).
    splitter : {"best", "random"}, default="best"
        Whether all thresholds of a feature compete, or one at random.
    max_depth : int, default=None
        The most splits on the way to a leaf. None: as many as it takes.
    min_samples_split : int or float, default=2
        The fewest samples of a node that is split; a float is a share of all.
    min_samples_leaf : int or float, default=1
        The fewest samples of a leaf; a float is a share of all.
    min_weight_fraction_leaf : float, default=0.0
        The least share of all weight in a leaf.
    max_features : int, float, {"sqrt", "log2"} or None, default=None
        How many features, drawn at random, compete for a split: a number, a share, the root or
        the logarithm of their number, or all. The draw goes on until one of them can be split.
    random_state : int, RandomState instance or None, default=None
        Drives the order of the features, by which ties are broken, and random thresholds. The
        draws are scikit-learn's.
    max_leaf_nodes : int, default=None
        Grow best first, to so many leaves.
    min_impurity_decrease : float, default=0.0
        The least (6), over the weight of all samples, of a split.
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
    feature_importances_ : ndarray of shape (n_features,), shares of (6) summed over the splits
    tree_ : Tree, the nodes; see `skcourse.tree.fitted_tree`
    n_features_in_ : int
    feature_names_in_ : ndarray of shape (n_features,), only if X has names

    Examples
    --------
    The square of XNOR, which no line divides:

    >>> from skcourse.tree import DecisionTreeClassifier
    >>> X, y = [[0, 0], [0, 1], [1, 0], [1, 1]], [1, 0, 0, 1]
    >>> tree = DecisionTreeClassifier(random_state=0).fit(X, y)
    >>> tree.predict([[0.1, 0.9], [0.8, 0.7]])
    array([0, 1])
    >>> tree.get_depth(), tree.get_n_leaves()
    (2, np.int64(4))
    """

    __metadata_request__predict_proba = {"check_input": UNUSED}

    _parameter_constraints: dict = TreeModel._parameter_constraints | {
        "criterion": [StrOptions({"gini", "entropy", "log_loss"})],
        "class_weight": [dict, list, StrOptions({"balanced"}), None],
    }

    def __init__(
        self,
        *,
        criterion="gini",
        splitter="best",
        max_depth=None,
        min_samples_split=2,
        min_samples_leaf=1,
        min_weight_fraction_leaf=0.0,
        max_features=None,
        random_state=None,
        max_leaf_nodes=None,
        min_impurity_decrease=0.0,
        class_weight=None,
        ccp_alpha=0.0,
        monotonic_cst=None,
        categorical_features=None,
        interaction_cst=None,
    ):
        self.criterion = criterion
        self.splitter = splitter
        self.max_depth = max_depth
        self.min_samples_split = min_samples_split
        self.min_samples_leaf = min_samples_leaf
        self.min_weight_fraction_leaf = min_weight_fraction_leaf
        self.max_features = max_features
        self.random_state = random_state
        self.max_leaf_nodes = max_leaf_nodes
        self.min_impurity_decrease = min_impurity_decrease
        self.class_weight = class_weight
        self.ccp_alpha = ccp_alpha
        self.monotonic_cst = monotonic_cst
        self.categorical_features = categorical_features
        self.interaction_cst = interaction_cst

    def predict(self, X, check_input=True):
        """Return the most frequent class of the leaf of each sample, the first one of equals.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features)
        check_input : bool, default=True
            False if X is a float32 array, or a CSR matrix, and known to be in order.

        Returns
        -------
        y : ndarray of shape (n_samples,) or (n_samples, n_outputs)
        """
        X = self._rows(X, check_input)
        leaves = self.tree_.apply(X)
        values = self.tree_.value
        if len(leaves) < len(values):
            codes = np.argmax(values.take(leaves, axis=0), axis=2)
        else:  # a node is asked once, not by each of its samples
            codes = np.argmax(values, axis=2).take(leaves, axis=0)
        if self.n_outputs_ == 1:
            return self.classes_.take(codes[:, 0])
        y = np.empty(codes.shape, self.classes_[0].dtype)
        for k, classes in enumerate(self.classes_):
            y[:, k] = classes.take(codes[:, k])
        return y

    def predict_proba(self, X, check_input=True):
        """Return the shares of the classes in the leaf of each sample.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features)
        check_input : bool, default=True
            False if X is a float32 array, or a CSR matrix, and known to be in order.

        Returns
        -------
        shares : ndarray of shape (n_samples, n_classes), or list of them, one per output
        """
        X = self._rows(X, check_input)
        shares = self.tree_.predict(X)
        if self.n_outputs_ == 1:
            return shares
        return [shares[:, k, : self.n_classes_[k]] for k in range(self.n_outputs_)]

    def predict_log_proba(self, X):
        """Return the logarithms of `predict_proba`; of 0, it is -inf.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features)

        Returns
        -------
        logs : ndarray of shape (n_samples, n_classes), or list of them, one per output
        """
        shares = self.predict_proba(X)
        with np.errstate(divide="ignore"):
            return np.log(shares) if self.n_outputs_ == 1 else [np.log(s) for s in shares]

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.classifier_tags.multi_label = True
        return tags


@counts_as_namesake
class DecisionTreeRegressor(RegressorMixin, TreeModel):
    """A decision tree that predicts numbers.

    Missing values (NaN) go to the side that the search finds best; where none was missing in the
    fit, to the side of more weight.

    Parameters
    ----------
    criterion : {"squared_error", "absolute_error", "poisson"}, default="squared_error"
        The impurity of a node, (3), (4) or (5). Leaves answer with the mean; with the median if it
        is the absolute error.
    splitter : {"best", "random"}, default="best"
        Whether all thresholds of a feature compete, or one at random.
    max_depth : int, default=None
        The most splits on the way to a leaf. None: as many as it takes.
    min_samples_split : int or float, default=2
        The fewest samples of a node that is split; a float is a share of all.
    min_samples_leaf : int or float, default=1
        The fewest samples of a leaf; a float is a share of all.
    min_weight_fraction_leaf : float, default=0.0
        The least share of all weight in a leaf.
    max_features : int, float, {"sqrt", "log2"} or None, default=None
        How many features, drawn at random, compete for a split: a number, a share, the root or
        the logarithm of their number, or all. The draw goes on until one of them can be split.
    random_state : int, RandomState instance or None, default=None
        Drives the order of the features, by which ties are broken, and random thresholds. The
        draws are scikit-learn's.
    max_leaf_nodes : int, default=None
        Grow best first, to so many leaves.
    min_impurity_decrease : float, default=0.0
        The least (6), over the weight of all samples, of a split.
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
    feature_importances_ : ndarray of shape (n_features,), shares of (6) summed over the splits
    tree_ : Tree, the nodes; see `skcourse.tree.fitted_tree`
    n_features_in_ : int
    feature_names_in_ : ndarray of shape (n_features,), only if X has names

    Examples
    --------
    >>> from skcourse.tree import DecisionTreeRegressor
    >>> X, y = [[1.0], [2.0], [8.0], [9.0]], [0.0, 1.0, 5.0, 7.0]
    >>> tree = DecisionTreeRegressor(max_depth=1).fit(X, y)
    >>> tree.predict([[0.0], [6.0]])
    array([0.5, 6. ])
    >>> tree.cost_complexity_pruning_path(X, y).ccp_alphas
    array([0.   , 7.5625])
    """

    _parameter_constraints: dict = TreeModel._parameter_constraints | {
        "criterion": [StrOptions({"squared_error", "absolute_error", "poisson"})],
    }

    def __init__(
        self,
        *,
        criterion="squared_error",
        splitter="best",
        max_depth=None,
        min_samples_split=2,
        min_samples_leaf=1,
        min_weight_fraction_leaf=0.0,
        max_features=None,
        random_state=None,
        max_leaf_nodes=None,
        min_impurity_decrease=0.0,
        ccp_alpha=0.0,
        monotonic_cst=None,
        categorical_features=None,
        interaction_cst=None,
    ):
        self.criterion = current_name(criterion)
        self.splitter = splitter
        self.max_depth = max_depth
        self.min_samples_split = min_samples_split
        self.min_samples_leaf = min_samples_leaf
        self.min_weight_fraction_leaf = min_weight_fraction_leaf
        self.max_features = max_features
        self.random_state = random_state
        self.max_leaf_nodes = max_leaf_nodes
        self.min_impurity_decrease = min_impurity_decrease
        self.ccp_alpha = ccp_alpha
        self.monotonic_cst = monotonic_cst
        self.categorical_features = categorical_features
        self.interaction_cst = interaction_cst

    def predict(self, X, check_input=True):
        """Return the mean, or median, of the leaf of each sample.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features)
        check_input : bool, default=True
            False if X is a float32 array, or a CSR matrix, and known to be in order.

        Returns
        -------
        y : ndarray of shape (n_samples,) or (n_samples, n_outputs), float64
        """
        X = self._rows(X, check_input)
        return self.tree_.predict(X)[..., 0]

    def _compute_partial_dependence_recursion(self, grid, target_features):
        """Answer scikit-learn's `partial_dependence(method="recursion")`."""
        return mean_responses(self.tree_.nodes, grid, target_features)


def current_name(criterion):
    """Return the criterion by the name that stays; a comparison of arrays never reaches here."""
    if not (isinstance(criterion, str) and criterion == "friedman_mse"):
        return criterion
    warn_user(
        'Value `"friedman_mse"` for `criterion` is deprecated and will be removed in 1.11. It maps '
        'to `"squared_error"` as both were always equivalent. Use `criterion="squared_error"` to '
        "remove this warning.",
        FutureWarning,
    )
    return "squared_error"
