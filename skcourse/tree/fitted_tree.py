"""A grown tree as scikit-learn shows it: what `tree_` is.

Nodes are numbered from the root, 0, children after parents. What is asked of a sample x at an inner
node, and where x goes where a value is missing, is told in `skcourse.tree.nodes`. The importance of
a feature is the impurity that its splits take away, node t holding the share w_t / w_0 of weight:

    I_f = sum over inner t on f of (w_t H_t - w_l H_l - w_r H_r) / w_0,   l, r children of t    (1)

Reference   Breiman, Friedman, Olshen and Stone, Classification and regression trees, 1984.
"""

import numpy as np
from scipy.sparse import issparse

from skcourse.core.kernel import kernel
from skcourse.tree.nodes import LEAF, Nodes
from skcourse.tree.partial_dependence import add_partial_dependence
from skcourse.tree.paths import node_paths
from skcourse.tree.walk import leaves, pack, read_only

NODE = np.dtype(  # a node of scikit-learn's pickles
    [
        ("left_child", np.int64),
        ("right_child", np.int64),
        ("feature", np.int64),
        ("threshold", np.float64),
        ("impurity", np.float64),
        ("n_node_samples", np.int64),
        ("weighted_n_node_samples", np.float64),
        ("missing_go_to_left", np.uint8),
    ],
    align=True,
)
FIELDS = (
    dict(zip(Nodes._fields, NODE.names[:4], strict=False))
    | {  # ours: theirs
        name: name for name in NODE.names[4:]
    }
)
SETS = ("category_set", "set_start", "set_words")


@kernel
def count_levels(children_left, children_right, levels):
    """Write how many nodes lead to each, itself included; 0 if none, as `levels`, int64, is now."""
    levels[0] = 1
    for t in range(len(levels)):
        if children_left[t] != LEAF and levels[t] > 0:
            levels[children_left[t]] = levels[t] + 1
            levels[children_right[t]] = levels[t] + 1


def shown(name, doc):
    """Return a property that gives out an array by which samples find their way.

    Who has it may write to it: from then on no packed copy of the tree is kept.
    """

    def give(self):
        self._walk, self._given_out = None, True
        return getattr(self.nodes, name)

    return property(give, doc=doc)


def told(name, doc):
    """Return a property that gives out another array of the nodes."""
    return property(lambda self: getattr(self.nodes, name), doc=doc)


class Tree:
    """One fitted tree, with the attributes and methods of scikit-learn's.

    Parameters
    ----------
    nodes : Nodes
    n_features : int
    n_classes : int64 array of shape (n_outputs,), default=None
        1 for each output of a regression, which is what None stands for.

    Attributes
    ----------
    nodes : Nodes
    n_features, n_outputs, max_n_classes, node_count, capacity, n_leaves, max_depth : int
    n_classes : int64 array of shape (n_outputs,)

    Examples
    --------
    >>> from skcourse.tree import DecisionTreeRegressor
    >>> tree = DecisionTreeRegressor().fit([[1.0], [2.0], [9.0]], [5.0, 5.0, 8.0]).tree_
    >>> tree.node_count, tree.max_depth, tree.threshold[0]
    (3, 1, np.float64(5.5))
    >>> tree.value.ravel()
    array([6., 5., 8.])
    """

    def __init__(self, nodes, n_features, n_classes=None):
        self.nodes = nodes
        self.n_features = int(n_features)
        self.n_outputs = nodes.value.shape[1]
        if n_classes is None:
            n_classes = np.ones(self.n_outputs, np.int64)
        self.n_classes = copied(np.atleast_1d(n_classes), np.int64)
        self._walk, self._given_out = None, False

    children_left = shown("children_left", "Left child of each node, -1 at leaves.")
    children_right = shown("children_right", "Right child of each node, -1 at leaves.")
    feature = shown("feature", "The feature that a node splits, -2 at leaves.")
    threshold = shown("threshold", "Up to it samples go left; NaN where categories split.")
    missing_go_to_left = shown("missing_go_to_left", "1 where missing values go left.")
    value = told("value", "Shares of classes, or means: (node_count, n_outputs, max_n_classes).")
    impurity = told("impurity", "The criterion at each node.")
    n_node_samples = told("n_node_samples", "How many samples reached each node.")
    weighted_n_node_samples = told("weighted_n_node_samples", "Their weight.")

    @property
    def node_count(self):
        """How many nodes there are."""
        return len(self.nodes.feature)

    capacity = node_count

    @property
    def max_n_classes(self):
        """The length of the values of one output."""
        return self.nodes.value.shape[2]

    @property
    def n_leaves(self):
        """How many nodes are leaves."""
        return np.sum(self.nodes.children_left == LEAF)

    @property
    def max_depth(self):
        """The number of splits on the longest way to a leaf."""
        return int(self.compute_node_depths().max()) - 1

    def compute_node_depths(self):
        """Return the number of nodes from the root to each node, itself included."""
        levels = np.zeros(self.node_count, np.int64)
        count_levels(self.nodes.children_left, self.nodes.children_right, levels)
        return levels

    def compute_feature_importances(self, normalize=True):
        """Return (1), float64 of shape (n_features,), divided by its sum if `normalize`."""
        inner = self.nodes.children_left != LEAF
        weighted = self.nodes.weighted_n_node_samples * self.nodes.impurity
        drops = (
            weighted[inner]
            - weighted[self.nodes.children_left[inner]]
            - weighted[self.nodes.children_right[inner]]
        )
        found = np.bincount(self.nodes.feature[inner], drops, minlength=self.n_features)
        found = found / self.nodes.weighted_n_node_samples[0]
        total = found.sum()
        return found / total if normalize and total > 0 else found

    def compute_partial_dependence(self, X, target_features, out):
        """Add to `out` the mean response with some features given, the others as in the fit.

        Parameters
        ----------
        X : float32 array of shape (n, n_target_features)
        target_features : int64 array of shape (n_target_features,)
        out : float64 array of shape (n,), added to
        """
        add_partial_dependence(self.nodes, X, target_features, out)

    @property
    def walk(self):
        """The tree as `skcourse.tree.walk` goes through it."""
        if self._walk is not None:
            return self._walk
        if not self._given_out:
            self._walk = pack([self.nodes])
            return self._walk
        reached = np.flatnonzero(self.compute_node_depths())
        walk = pack([subset(self.nodes, reached)])
        return walk._replace(numbers=read_only(reached.astype(np.uint32)[walk.numbers]))

    def apply(self, X):
        """Return the leaf that each row of X comes to.

        Parameters
        ----------
        X : float32 {array, CSR matrix} of shape (n, n_features), categories as codes

        Returns
        -------
        leaves : int64 array of shape (n,)
        """
        return leaves(self.walk, check_rows(X), n_jobs=-1)[:, 0]

    def predict(self, X):
        """Return the values of the leaves: (n, max_n_classes), or (n, n_outputs, max_n_classes)."""
        values = self.nodes.value.take(self.apply(X), axis=0)
        return values[:, 0] if self.n_outputs == 1 else values

    def decision_path(self, X):
        """Return which nodes each row of X passes, a CSR matrix (n, node_count) of ones."""
        return node_paths(self.walk, check_rows(X), n_nodes=self.node_count)

    def __getstate__(self):
        """Return what is pickled; of trees without categories, scikit-learn can read it too."""
        packed = np.zeros(self.node_count, NODE)
        for ours, theirs in FIELDS.items():
            packed[theirs] = getattr(self.nodes, ours)
        state = {
            "max_depth": self.max_depth,
            "node_count": self.node_count,
            "nodes": packed,
            "values": self.nodes.value,
            "n_features": self.n_features,
            "n_classes": self.n_classes,
        }
        if len(self.nodes.set_words):
            state |= {name: getattr(self.nodes, name) for name in SETS}
        return state

    def __setstate__(self, state):
        """Take the state back; the arrays become the tree's own."""
        packed = state["nodes"]
        sets = {
            "category_set": np.full(len(packed), -1),
            "set_start": np.zeros(1, np.int64),
            "set_words": np.zeros(0, np.uint64),
        }
        kept = {ours: copied(packed[name], NODE[name]) for ours, name in FIELDS.items()}
        sets = {name: copied(state.get(name, new), new.dtype) for name, new in sets.items()}
        nodes = Nodes(value=copied(state["values"], np.float64), **kept, **sets)
        self.__init__(nodes, state["n_features"], copied(state["n_classes"], np.int64))


def copied(array, dtype):
    """Return a copy, in C order, whose dtype is no copy: its pickle is then that of the first."""
    copy = np.empty(array.shape, np.dtype(dtype).type)
    copy[...] = array
    return copy


def subset(nodes, kept):
    """Return the nodes of these numbers, in ascending order, with their new numbers."""
    new = np.full(len(nodes.feature), LEAF)
    new[kept] = np.arange(len(kept))
    fields = {name: getattr(nodes, name)[kept] for name in Nodes._fields[2:10]}
    left, right = (
        np.where(side[kept] == LEAF, LEAF, new[side[kept]])
        for side in (nodes.children_left, nodes.children_right)
    )
    return nodes._replace(children_left=left, children_right=right, **fields)


def check_rows(X):
    """Return X, C-contiguous; raise ValueError, scikit-learn's, unless it is float32 or CSR."""
    if issparse(X):
        if X.format != "csr":
            raise ValueError(f"X should be in CSR sparse format, got {type(X)}")
    elif not isinstance(X, np.ndarray):
        raise ValueError(f"X should be in np.ndarray format, got {type(X)}")
    if X.dtype != np.float32:
        raise ValueError(f"X.dtype should be np.float32, got {X.dtype}")
    return X if issparse(X) else np.ascontiguousarray(X)
