"""Trees that split categories: brute force over sets, one-hot columns, missing and unseen ones."""

import itertools

import numpy as np
import pandas as pd
import pytest

from skcourse.tree import (
    DecisionTreeClassifier,
    DecisionTreeRegressor,
    ExtraTreeClassifier,
    ExtraTreeRegressor,
)

CASES = [
    (DecisionTreeClassifier, "gini", 2),
    (DecisionTreeClassifier, "entropy", 3),
    (DecisionTreeRegressor, "squared_error", 0),
    (DecisionTreeRegressor, "poisson", 0),
]


def example(seed, n_classes, *, n=60, n_categories=6, missing=0.1):
    """Return a column of names, some missing, and a target that depends on them."""
    rng = np.random.default_rng(seed)
    codes = rng.integers(0, n_categories, n)
    effect = rng.permutation(n_categories)[codes] + rng.normal(size=n)
    names = np.array([f"name {c}" for c in range(n_categories)], dtype=object)[codes]
    names[rng.random(n) < missing] = None
    y = np.digitize(effect, np.quantile(effect, np.arange(1, n_classes) / n_classes))
    return names[:, np.newaxis], y if n_classes else np.exp(effect / 4)


def goes_left(tree, X):
    """Tell which rows are in the left child of the root."""
    return tree.decision_path(X)[:, [tree.tree_.children_left[0]]].toarray()[:, 0] == 1


def impurity_of_sides(tree, y, left, weights, **parameters):
    """Return the weighted impurity of both sides, each taken by a tree that is only a root."""
    total = 0.0
    for side in (left, ~left):
        leaf = type(tree)(criterion=tree.criterion, max_depth=1, **parameters)
        leaf.fit(np.zeros((side.sum(), 1)), y[side], sample_weight=weights[side])
        total += leaf.tree_.impurity[0] * leaf.tree_.weighted_n_node_samples[0]
    return total


@pytest.mark.parametrize(("cls", "criterion", "n_classes"), CASES)
def test_split_is_the_best_of_all_sets(cls, criterion, n_classes):
    for seed in range(3):
        X, y = example(seed, n_classes)
        weights = np.random.default_rng(seed).integers(1, 4, len(y)).astype(float)
        tree = cls(criterion=criterion, max_depth=1, categorical_features=[0])
        tree.fit(X, y, sample_weight=weights)
        groups = [*sorted({name for name in X[:, 0] if name is not None}), None]
        number = np.array([groups.index(name) for name in X[:, 0]])
        subsets = itertools.product([0, 1], repeat=len(groups) - 1)
        best = min(
            impurity_of_sides(tree, y, np.array([*s, 0])[number] == 1, weights)
            for s in subsets
            if any(s)
        )
        nodes = tree.tree_
        found = nodes.impurity[1:] @ nodes.weighted_n_node_samples[1:]
        assert found == pytest.approx(best, rel=1e-9)
        left = goes_left(tree, X)
        assert impurity_of_sides(tree, y, left, weights) == pytest.approx(best, rel=1e-9)


@pytest.mark.parametrize(("cls", "criterion", "n_classes"), CASES)
def test_one_hot_columns_are_never_better_at_depth_one(cls, criterion, n_classes):
    X, y = example(1, n_classes, n=200, n_categories=20, missing=0.0)
    one_hot = pd.get_dummies(X[:, 0]).to_numpy(float)
    by_set = cls(criterion=criterion, max_depth=1, categorical_features=[0]).fit(X, y).tree_
    by_column = cls(criterion=criterion, max_depth=1).fit(one_hot, y).tree_
    sides = [t.impurity[1:] @ t.weighted_n_node_samples[1:] for t in (by_set, by_column)]
    assert sides[0] < sides[1]


@pytest.mark.parametrize("best_first", [False, True])
def test_deep_tree_tells_every_category_apart(best_first):
    rng = np.random.default_rng(0)
    codes = rng.integers(0, 150, 4000)  # three words of 64 bits
    X = np.column_stack([codes, rng.normal(size=4000)])
    y = rng.permutation(150)[codes].astype(float)
    parameters = {"max_leaf_nodes": 150} if best_first else {}
    tree = DecisionTreeRegressor(categorical_features=[0], **parameters).fit(X, y)
    np.testing.assert_array_equal(tree.predict(X), y)
    assert tree.get_n_leaves() == len(np.unique(codes))
    assert set(tree.tree_.feature) == {0, -2}


def test_names_of_categories_do_not_matter():
    X, y = example(2, 3, n=200, missing=0.05)
    X = np.column_stack([X, np.random.default_rng(0).normal(size=(200, 2))])
    tree = DecisionTreeClassifier(categorical_features=[0], random_state=0).fit(X, y)
    other = X.copy()
    other[:, 0] = [name and {"name 0": "z", "name 3": "a"}.get(name, name) for name in X[:, 0]]
    renamed = DecisionTreeClassifier(categorical_features=[0], random_state=0).fit(other, y)
    np.testing.assert_array_equal(tree.predict_proba(X), renamed.predict_proba(other))


@pytest.mark.parametrize("cls", [DecisionTreeRegressor, ExtraTreeRegressor])
def test_unseen_categories_are_missing_ones(cls):
    X, y = example(3, 0, n=120, missing=0.2)
    tree = cls(categorical_features=[0], random_state=0).fit(X, y)
    np.testing.assert_array_equal(tree.predict([["unseen"]]), tree.predict([[None]]))
    mean = np.mean(y[[name is None for name in X[:, 0]]])
    assert tree.predict([[None]])[0] == pytest.approx(mean)


def test_where_none_was_missing_they_go_with_the_majority():
    X = [["a"], ["a"], ["b"], ["b"], ["b"]]
    tree = DecisionTreeRegressor(categorical_features=[0]).fit(X, [0, 0, 1, 1, 1])
    np.testing.assert_array_equal(tree.predict([["unseen"], [None]]), [1, 1])
    tree = DecisionTreeRegressor(categorical_features=[0]).fit(X, [0, 0, 1, 1, 1], [9, 9, 1, 1, 1])
    np.testing.assert_array_equal(tree.predict([["a"], ["b"]]), [0, 1])


@pytest.mark.parametrize("cls", [ExtraTreeClassifier, ExtraTreeRegressor])
def test_random_sets_depend_on_the_seed_and_divide_everything(cls):
    X, y = example(4, 3, n=80, n_categories=8, missing=0.1)
    fits = [cls(categorical_features=[0], random_state=s).fit(X, y) for s in (0, 0, 1, 2)]
    roots = [tuple(goes_left(tree, X)) for tree in fits]
    assert roots[0] == roots[1]
    assert len(set(roots)) > 1 or len({t.tree_.node_count for t in fits}) > 1
    leaves = fits[0].apply(X)
    for leaf in np.unique(leaves):  # all that can be told apart is
        assert len(set(X[leaves == leaf, 0])) == 1 or len(set(y[leaves == leaf])) == 1


def test_absolute_error_orders_categories_by_their_medians():
    X, y = example(5, 0, n=100, missing=0.1)
    tree = DecisionTreeRegressor(criterion="absolute_error", categorical_features=[0]).fit(X, y)
    for name in {*X[:, 0]}:
        rows = np.array([other is name or other == name for other in X[:, 0]])
        assert tree.predict([[name]])[0] == pytest.approx(np.median(y[rows]))
    stump = DecisionTreeRegressor(
        criterion="absolute_error", categorical_features=[0], max_depth=1
    ).fit(X, y)
    left = goes_left(stump, X)
    lower, upper = sorted([np.median(y[left]), np.median(y[~left])])
    assert lower < upper


@pytest.mark.parametrize("least", [{"min_samples_leaf": 25}, {"min_weight_fraction_leaf": 0.4}])
@pytest.mark.parametrize("cls", [DecisionTreeRegressor, ExtraTreeRegressor])
def test_both_sides_are_large_enough(cls, least):
    X, y = example(6, 0, missing=0.0)
    splits = 0
    for seed in range(10):
        tree = cls(categorical_features=[0], max_depth=1, random_state=seed, **least).fit(X, y)
        splits += tree.tree_.node_count == 3
        assert min(tree.tree_.n_node_samples) >= 0.4 * len(y)
    assert splits == 10 if cls is DecisionTreeRegressor else 0 < splits < 10


def test_several_outputs():
    X, first = example(7, 2, n=100)
    y = np.column_stack([first, example(7, 2, n=100)[1][::-1]])
    tree = DecisionTreeClassifier(categorical_features=[0]).fit(X, y)
    assert tree.predict(X).shape == y.shape
    assert (
        tree.tree_.impurity[0] > tree.tree_.impurity[1:] @ tree.tree_.n_node_samples[1:] / 100 / 9
    )
