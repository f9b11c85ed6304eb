"""Trees on a sparse X are those on the same X made dense, and never make it dense."""

import tracemalloc

import numpy as np
import pytest
import scipy.sparse as sp
import sklearn.tree
from numpy.testing import assert_allclose, assert_array_equal

from skcourse import tree
from skcourse.ensemble import BaggingClassifier, IsolationForest, RandomForestClassifier
from skcourse.tree import DecisionTreeClassifier, columns, sparse_columns
from skcourse.tree.columns import rank_columns, some_columns
from skcourse.tree.grower import Growth, grow
from skcourse.tree.nodes import Nodes
from skcourse.tree.sparse_columns import SparseColumns, rank_sparse
from skcourse.tree.sparse_walk import narrowed
from skcourse.tree.targets import class_targets, number_targets

OPTIONS = {
    "all": {},
    "some features": {"max_features": 3},
    "leaves of three": {"min_samples_leaf": 3, "min_samples_split": 8},
    "heavy leaves": {"min_weight_leaf": 6.0, "max_depth": 5},
}


def table(n, d, seed=0):
    """Return columns of both signs with ties, all negative, all positive, without zeros, empty."""
    rng = np.random.default_rng(seed)
    X = rng.integers(-3, 4, size=(n, d)) * (rng.random((n, d)) < rng.choice([0.03, 0.4], size=d))
    X = X.astype(np.float32)
    X[:, 0], X[:, 1] = -np.abs(X[:, 0]), np.abs(X[:, 1])
    X[:, 2] = rng.choice([-2, -1, 1, 2], size=n)
    X[:, 3], X[:, 4] = 0, 5
    X[:, 5] = rng.normal(size=n)
    return X, *rng.integers(0, [[4], [2]], size=(2, n))


def with_stored_zeros(X):
    """Return X as CSC that stores some of the zeros."""
    stored = sp.csc_array(X + 1000 * (X == 0) * (np.arange(len(X)) % 3 == 0)[:, np.newaxis])
    stored.data[stored.data == 1000] = 0
    assert_array_equal(stored.toarray(), X)
    assert stored.nnz > np.count_nonzero(X)
    return stored


def texts(n, d, per_row=20):
    """Return rows of few words, and classes."""
    rng = np.random.default_rng(0)
    rows = np.repeat(np.arange(n, dtype=np.int32), per_row)
    words = rng.integers(0, d, size=len(rows), dtype=np.int32)
    X = sp.csr_array((np.ones(len(rows), np.float32), (rows, words)), shape=(n, d))
    X.sum_duplicates()
    return X, rng.integers(0, 5, size=n)


@pytest.mark.parametrize("options", OPTIONS.values(), ids=list(OPTIONS))
@pytest.mark.parametrize("splitter", ["best", "random"])
@pytest.mark.parametrize("criterion", ["gini", "squared_error"])
def test_the_tree_is_that_of_the_dense_table(criterion, splitter, options):
    X, y, numbers = table(300, 12)
    both = rank_columns(X), rank_sparse(with_stored_zeros(X))
    gini = criterion == "gini"
    targets = class_targets(y, [4]) if gini else number_targets(numbers.astype(float))
    growth = Growth(criterion, splitter=splitter, max_features=12)._replace(**options)
    for weights in (None, np.random.default_rng(1).integers(0, 3, size=300).astype(float)):
        leaves = np.empty((2, 300), np.int64)
        dense, sparse = (
            grow(columns, targets, growth, seed=7, weights=weights, leaves=own)
            for columns, own in zip(both, leaves, strict=True)
        )
        assert len(dense.feature) > 10
        for name in Nodes._fields:  # sums of whole numbers are exact, in whatever order
            assert_array_equal(getattr(sparse, name), getattr(dense, name), err_msg=name)
        assert_array_equal(*leaves)


@pytest.mark.parametrize(
    "name",
    ["DecisionTreeClassifier", "DecisionTreeRegressor", "ExtraTreeClassifier"],
)
def test_the_tree_is_scikit_learns(name):
    X, y = texts(400, 300)
    ours, theirs = (
        getattr(module, name)(random_state=3, max_features=0.5, max_depth=8).fit(X, y).tree_
        for module in (tree, sklearn.tree)
    )
    for field in ("feature", "threshold", "children_left", "children_right", "n_node_samples"):
        assert_array_equal(getattr(ours, field), getattr(theirs, field), err_msg=field)
    # sums of 400 whole numbers
    assert_allclose(ours.value, theirs.value, rtol=1e-12)
    assert_allclose(ours.impurity, theirs.impurity, rtol=1e-12, atol=1e-12)


def test_a_walk_needs_only_the_features_that_splits_ask_for():
    X, y = texts(300, 3000)
    tree = DecisionTreeClassifier(max_depth=6, min_samples_leaf=3).fit(X, y)
    assert narrowed(tree.tree_.walk, X)[1].shape[1] <= tree.tree_.node_count
    assert_array_equal(tree.predict_proba(X), tree.predict_proba(X.toarray()))
    assert_array_equal(tree.apply(X), tree.apply(X.toarray()))


def test_some_features_of_sparse_columns():
    X = table(50, 8)[0]
    some = some_columns(rank_sparse(sp.csc_array(X)), np.array([5, 2, 2]))
    assert_array_equal(some.X.toarray(), X[:, [5, 2, 2]])
    assert some.shape == (3, 50)


def test_what_is_hardly_sparse_or_misses_values_is_made_dense():
    X = texts(60, 400)[0].tocsc()
    assert isinstance(rank_columns(X), SparseColumns)
    assert not isinstance(rank_columns(sp.csc_array(X.toarray() + 1)), SparseColumns)
    X.data[7] = np.nan
    assert not isinstance(rank_columns(X), SparseColumns)


@pytest.mark.parametrize(
    "model",
    [
        RandomForestClassifier(2, max_depth=4, oob_score=True, random_state=0),
        BaggingClassifier(DecisionTreeClassifier(max_depth=3), 2, max_features=0.5),
        IsolationForest(n_estimators=2, contamination=0.1, random_state=0),
    ],
    ids=lambda model: type(model).__name__,
)
@pytest.mark.filterwarnings("ignore:Some inputs do not have OOB scores")
def test_memory_does_not_grow_with_rows_times_features(model):
    X, y = texts(2000, 30_000)
    model.fit(X[:300], y[:300])  # what is compiled is not counted
    tracemalloc.start()
    model.fit(X, y)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < X.shape[0] * X.shape[1]  # a quarter of a dense float32 table


def test_what_needs_a_dense_table_makes_it_once_or_says_that_there_is_no_room(monkeypatch):
    X, y = texts(60, 400)
    ranked, asked = rank_columns(X.tocsc()), []
    monkeypatch.setattr(columns, "dense_rows", lambda X: asked.append(1) or X.toarray())
    targets, growth = class_targets(y, [5]), Growth("entropy", max_features=400)
    sparse = [grow(ranked, targets, growth, seed=s) for s in (1, 2)]
    assert len(asked) == 1
    dense = grow(rank_columns(X.toarray()), targets, growth, seed=2)
    assert_array_equal(sparse[1].feature, dense.feature)
    monkeypatch.undo()
    monkeypatch.setattr(sparse_columns, "memory", lambda: 1e5)
    for parameters in ({"criterion": "entropy"}, {"max_leaf_nodes": 5}):
        with pytest.raises(ValueError, match=r"needs it dense.*TruncatedSVD"):
            DecisionTreeClassifier(**parameters).fit(X, y)
    DecisionTreeClassifier().fit(X, y)
