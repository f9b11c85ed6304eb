"""Trees to walk and to explain: scikit-learn's own, and small ones with everything in them."""

import numpy as np

from skcourse.tree.nodes import LEAF, UNDEFINED, Nodes


def nodes_of(tree):
    """Return a `tree_` of scikit-learn's as Nodes."""
    fields = {name: getattr(tree, name) for name in Nodes._fields[:9]}
    none = np.full(tree.node_count, -1)
    return Nodes(
        **fields, category_set=none, set_start=np.zeros(1, int), set_words=np.zeros(0, np.uint64)
    )


def grown_at_random(rng, *, n_features, n_values=1, depth=4, n_categories=0):
    """Return a tree of random splits; its first feature is one of categories, if there are any."""
    rows = {name: [] for name in ("left", "right", "feature", "threshold", "missing", "set")}
    weights, sets = [], []

    def add(weight, level):
        node = len(weights)
        weights.append(weight)
        for row in rows.values():
            row.append(LEAF)
        rows["missing"][node] = 0
        if level == depth or (level and rng.random() < 0.2):
            rows["feature"][node] = rows["threshold"][node] = UNDEFINED
            return node
        feature = rows["feature"][node] = int(rng.integers(n_features))
        rows["missing"][node] = int(rng.integers(2))
        rows["threshold"][node] = float(rng.normal())
        if feature == 0 and n_categories:
            rows["threshold"][node], rows["set"][node] = np.nan, len(sets)
            sets.append(rng.integers(0, 2**63, -(-n_categories // 64), dtype=np.uint64))
        share = rng.uniform(0.1, 0.9)
        rows["left"][node] = add(weight * share, level + 1)
        rows["right"][node] = add(weight * (1 - share), level + 1)
        return node

    add(100.0, 0)
    n = len(weights)
    return Nodes(
        children_left=np.array(rows["left"]),
        children_right=np.array(rows["right"]),
        feature=np.array(rows["feature"]),
        threshold=np.array(rows["threshold"], float),
        missing_go_to_left=np.array(rows["missing"], np.uint8),
        value=rng.normal(size=(n, 1, n_values)),
        impurity=np.zeros(n),
        n_node_samples=np.ones(n, int),
        weighted_n_node_samples=np.array(weights),
        category_set=np.array(rows["set"]),
        set_start=np.concatenate([[0], np.cumsum([len(s) for s in sets])]).astype(int),
        set_words=np.concatenate([np.zeros(0, np.uint64), *sets]),
    )


def mixed_rows(rng, n, n_features, n_categories=0, dtype=np.float32):
    """Return rows with missing values; the first feature holds codes, some of them unknown."""
    X = rng.normal(size=(n, n_features)).astype(dtype)
    if n_categories:
        X[:, 0] = rng.integers(-1, 64 * -(-n_categories // 64) + 2, n)
    X[rng.random(X.shape) < 0.15] = np.nan
    return X


def side(tree, node, x):
    """Return the child of `node` that takes x, a row, as `skcourse.tree.nodes` tells it."""
    value, s = x[tree.feature[node]], tree.category_set[node]
    left = value <= tree.threshold[node]
    missing = np.isnan(value)
    if s >= 0:
        words = tree.set_words[tree.set_start[s] : tree.set_start[s + 1]]
        missing = not 0 <= value < 64 * len(words)
        left = not missing and int(words[int(value) // 64]) >> int(value) % 64 & 1
    if missing:
        left = tree.missing_go_to_left[node]
    return (tree.children_left if left else tree.children_right)[node]


def path(tree, x):
    """Return the nodes that x passes."""
    nodes = [0]
    while tree.children_left[nodes[-1]] != LEAF:
        nodes.append(side(tree, nodes[-1], x))
    return nodes
