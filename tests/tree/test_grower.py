"""The grower against scikit-learn's trees: the same nodes for the same seed, whatever the options.

Targets and weights are small integers, so that all sums are exact and ties fall by rule, not by
rounding.
"""

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from sklearn.tree import DecisionTreeClassifier, DecisionTreeRegressor

from skcourse.tree.columns import rank_columns
from skcourse.tree.grower import Growth, grow
from skcourse.tree.targets import class_targets, number_targets

CRITERIA = ["gini", "entropy", "squared_error", "poisson"]
OPTIONS = {
    "full": {},
    "few features": {"max_features": 2},
    "shallow": {"max_depth": 3},
    "leaves": {"min_samples_leaf": 5, "min_weight_leaf": 8.0},
    "splits": {"min_samples_split": 12, "min_impurity_decrease": 0.01},
    "best first": {"max_leaf_nodes": 9},
}


def make(criterion, *, n=150, d=5, ties=True, missing=False, seed=0):
    """Return X and a target of few values."""
    rng = np.random.default_rng(seed)
    X = rng.integers(0, 8, (n, d)) if ties else rng.standard_normal((n, d))
    X = X.astype(np.float32)
    y = (X[:, 0] > X[:, 1]) + (X[:, 2] > 0) + rng.integers(0, 2, n)
    if missing:
        X[rng.random(X.shape) < 0.15] = np.nan
    return X, y if criterion in ("gini", "entropy") else y.astype(float)


def targets_of(criterion, y):
    """Return y as the grower takes it."""
    if criterion in ("gini", "entropy"):
        return class_targets(y, [int(y.max()) + 1])
    return number_targets(y)


def grown(X, y, criterion, *, weights=None, seed=0, leaves=None, n_jobs=1, **options):
    """Return our nodes."""
    state = np.random.RandomState(seed).randint(0, 2**31 - 1)
    growth = Growth(criterion, **{"max_features": X.shape[1], **options})
    columns, targets = rank_columns(X), targets_of(criterion, y)
    return grow(columns, targets, growth, seed=state, weights=weights, leaves=leaves, n_jobs=n_jobs)


def reference(X, y, criterion, *, weights=None, seed=0, **options):
    """Return scikit-learn's tree."""
    cls = DecisionTreeClassifier if criterion in ("gini", "entropy") else DecisionTreeRegressor
    total = len(X) if weights is None else weights.sum()
    options["min_weight_fraction_leaf"] = options.pop("min_weight_leaf", 0) / total
    tree = cls(criterion=criterion, random_state=seed, **options)
    return tree.fit(X, y, sample_weight=weights).tree_


def assert_same(nodes, tree):
    """The structure is equal to the bit; means and impurities to rounding (1e-12 of about 1)."""
    for name in ("children_left", "children_right", "feature", "threshold", "n_node_samples"):
        assert_array_equal(getattr(nodes, name), getattr(tree, name), err_msg=name)
    inner = nodes.feature >= 0
    assert_array_equal(nodes.missing_go_to_left[inner], tree.missing_go_to_left[inner])
    for name in ("value", "impurity", "weighted_n_node_samples"):
        assert_allclose(getattr(nodes, name), getattr(tree, name), rtol=1e-12, atol=1e-12)


@pytest.mark.parametrize("splitter", ["best", "random"])
@pytest.mark.parametrize("option", OPTIONS)
@pytest.mark.parametrize("criterion", CRITERIA)
def test_the_same_tree_as_scikit_learn(criterion, option, splitter):
    options = {**OPTIONS[option], "splitter": splitter}
    for seed, weighted in ((0, False), (1, True)):
        X, y = make(criterion, ties=weighted, missing=weighted, seed=seed)
        weights = np.random.default_rng(seed).integers(0, 4, len(X)).astype(float)
        options["weights"] = weights if weighted else None
        assert_same(grown(X, y, criterion, **options), reference(X, y, criterion, **options))


@pytest.mark.parametrize("criterion", ["gini", "squared_error"])
def test_monotonic_constraints(criterion):
    X, y = make(criterion)
    y = np.minimum(y, 1)
    signs = np.array([1, -1, 0, 1, 0], np.int8)
    ours = grown(X, y, criterion, monotonic=-signs if criterion == "gini" else signs)
    assert_same(ours, reference(X, y, criterion, monotonic_cst=signs))


def test_several_outputs():
    X, y = make("squared_error")
    y = np.column_stack([y, X[:, 3]])
    assert_same(grown(X, y, "squared_error"), reference(X, y, "squared_error"))


def test_splits_keep_to_interaction_groups():
    X, y = make("squared_error", n=300, ties=False)
    groups = [{0, 1}, {2, 3, 4}]
    for max_leaf_nodes in (-1, 30):
        nodes = grown(X, y, "squared_error", interaction=groups, max_leaf_nodes=max_leaf_nodes)
        used = [set() for _ in nodes.feature]
        for i, f in enumerate(nodes.feature):
            if f >= 0:
                for child in (nodes.children_left[i], nodes.children_right[i]):
                    used[child] = used[i] | {int(f)}
        assert all(any(path <= group for group in groups) for path in used)
        assert len(nodes.feature) > 9


@pytest.mark.parametrize("criterion", ["gini", "squared_error"])
def test_first_cut_is_the_best_by_brute_force(criterion):
    X, y = make(criterion, n=12, d=3, ties=False)
    nodes = grown(X, y, criterion, max_depth=1)
    values = np.eye(y.max() + 1)[y] if criterion == "gini" else y[:, np.newaxis]

    def cost(side):
        return np.sum((values[side] - values[side].mean(axis=0)) ** 2)

    def both(left):
        return cost(left) + cost(~left)

    costs = [both(X[:, f] <= x) for f in range(3) for x in np.sort(X[:, f])[:-1]]
    found = both(X[:, nodes.feature[0]] <= nodes.threshold[0])
    assert found == pytest.approx(min(costs), rel=1e-12)


@pytest.mark.parametrize("criterion", ["gini", "squared_error"])
def test_whole_weights_repeat_rows_in_any_order(criterion):
    X, y = make(criterion, ties=False)
    y = y if criterion == "gini" else y + np.random.default_rng(1).standard_normal(len(y))
    weights = np.random.default_rng(0).integers(0, 3, len(X)).astype(float)
    weighted = grown(X, y, criterion, weights=weights)
    order = np.random.default_rng(2).permutation(np.repeat(np.arange(len(X)), weights.astype(int)))
    repeated = grown(X[order], y[order], criterion)
    for name in ("feature", "threshold", "children_left"):
        assert_array_equal(getattr(weighted, name), getattr(repeated, name))


@pytest.mark.parametrize("criterion", ["gini", "squared_error"])
def test_threads_change_no_bit(criterion, monkeypatch):
    X, y = make(criterion, n=400, missing=True)
    alone = grown(X, y, criterion)
    monkeypatch.setattr("skcourse.tree.grower.HANDS", 50)
    for one, other in zip(alone, grown(X, y, criterion, n_jobs=2), strict=True):
        assert_array_equal(one, other)


def test_weights_that_are_no_integers():
    X, y = make("gini", ties=False)
    weights = np.random.default_rng(0).integers(1, 9, len(X)) / 8  # sums are exact
    ours = grown(X, y, "gini", weights=weights)
    assert_same(ours, reference(X, y, "gini", weights=weights))


def test_leaves_are_those_that_rows_fall_into():
    X, y = make("gini")
    weights = np.random.default_rng(0).integers(0, 3, len(X)).astype(float)
    leaves = np.empty(len(X), np.int64)
    grown(X, y, "gini", weights=weights, leaves=leaves)
    there = weights > 0
    assert_array_equal(leaves[~there], -1)
    assert_array_equal(leaves[there], reference(X, y, "gini", weights=weights).apply(X)[there])
