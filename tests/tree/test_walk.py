"""The walk through many trees: leaves, sums and paths, one node at a time as the reference."""

import numpy as np
import pytest
from scipy import sparse
from sklearn.datasets import make_classification
from sklearn.ensemble import RandomForestClassifier

from skcourse.tree.paths import node_paths
from skcourse.tree.walk import (
    BLOCK_ROWS,
    FEW_ROWS,
    FEW_VALUES,
    LANES,
    add_values,
    leaves,
    mean_values,
    pack,
    rounded_down,
)
from tests.tree.given_trees import grown_at_random, mixed_rows, nodes_of, path


@pytest.fixture(scope="module")
def trees():
    """Trees of different depths, with missing values and categories."""
    rng = np.random.default_rng(0)
    return [
        grown_at_random(rng, n_features=4, n_values=2, depth=t, n_categories=70) for t in range(7)
    ]


def rows(dtype=np.float32, n=60):
    """Rows for these trees."""
    return mixed_rows(np.random.default_rng(1), n, 4, 70, dtype)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("n", [1, 60])
def test_every_row_ends_where_the_splits_lead_it(trees, n, dtype):
    X, walk = rows(dtype, n), pack(trees, dtype=dtype)
    paths = [[path(tree, x) for tree in trees] for x in X]
    expected = np.array([[nodes[-1] for nodes in row] for row in paths])
    assert np.array_equal(leaves(walk, X), expected)
    total = np.zeros((n, 2))
    for t, tree in enumerate(trees):
        total += tree.value[expected[:, t], 0]
    assert np.array_equal(add_values(walk, X, np.zeros((n, 2))), total)
    passed = node_paths(walk, X)
    flat = [walk.roots[t] + node for row in paths for t in range(len(trees)) for node in row[t]]
    assert np.array_equal(passed.indices, flat)
    assert np.array_equal(np.diff(passed.indptr), [sum(map(len, row)) for row in paths])


def test_a_forest_answers_as_scikit_learns():
    X, y = make_classification(3000, 12, n_informative=6, n_classes=3, random_state=0)
    X = X.astype(np.float32)
    forest = RandomForestClassifier(10, random_state=0).fit(X, y)
    walk = pack([nodes_of(tree.tree_) for tree in forest.estimators_])
    assert np.array_equal(mean_values(walk, X), forest.predict_proba(X))
    assert np.array_equal(leaves(walk, X), forest.apply(X))


def test_neither_threads_nor_company_change_a_bit(trees):
    X, walk = np.tile(rows(), (50, 1)), pack(trees, scale=np.arange(1, 8) / 3)
    assert len(X) * len(trees) > 2**14  # enough for threads
    expected = add_values(walk, X, np.zeros((len(X), 2)), n_jobs=1)
    assert np.array_equal(add_values(walk, X, np.zeros((len(X), 2)), n_jobs=2), expected)
    for i in range(60):
        assert np.array_equal(add_values(walk, X[i : i + 1], np.zeros((1, 2)))[0], expected[i])


def test_some_trees_other_values_and_columns(trees):
    X = rows()
    ends = leaves(pack(trees), X)
    values = [tree.n_node_samples + np.arange(len(tree.feature)) * 0.5 for tree in trees]
    walk = pack(trees, values=values, scale=2.0, columns=np.arange(7) % 3)
    out = add_values(walk, X, np.ones((60, 3)), trees=(2, 6))
    expected = np.ones((60, 3))
    for t in range(2, 6):
        expected[:, t % 3] += 2 * values[t][ends[:, t]]
    assert np.array_equal(out, expected)
    assert np.array_equal(add_values(walk, X[:3], np.ones((3, 3)), trees=(2, 6)), expected[:3])


def test_sparse_rows_are_dense_ones_and_no_rows_are_none(trees):
    walk = pack(trees)
    X = sparse.random(BLOCK_ROWS + 5, 4, 0.5, format="csr", dtype=np.float32, random_state=0)
    assert np.array_equal(leaves(walk, X), leaves(walk, X.toarray()))
    assert leaves(walk, np.zeros((0, 4), np.float32)).shape == (0, 7)
    assert mean_values(walk, np.zeros((0, 4), np.float32)).shape == (0, 2)


def test_thresholds_for_fine_rows_meet_coarse_ones_too(trees):
    X, walk = rows(np.float32), pack(trees, dtype=np.float64)
    assert np.array_equal(leaves(walk, X), leaves(pack(trees), X))
    with pytest.raises(TypeError, match="float32 rows"):
        leaves(pack(trees), X.astype(float))


@pytest.mark.parametrize("n_values", [FEW_VALUES - 1, FEW_VALUES])
def test_leaves_of_many_values(n_values):
    rng = np.random.default_rng(2)
    trees = [grown_at_random(rng, n_features=4, n_values=n_values, depth=5) for _ in range(3)]
    X, walk = rng.normal(size=(LANES + 3, 4)).astype(np.float32), pack(trees)
    ends, expected = leaves(walk, X), np.zeros((LANES + 3, n_values))
    for t, tree in enumerate(trees):
        expected += tree.value[ends[:, t], 0]
    assert np.array_equal(add_values(walk, X, np.zeros((LANES + 3, n_values))), expected)
    few = add_values(walk, X[:FEW_ROWS], np.zeros((FEW_ROWS, n_values)))
    assert np.array_equal(few, expected[:FEW_ROWS])


def test_a_narrow_threshold_asks_the_same():
    rng = np.random.default_rng(0)
    wide = np.concatenate([rng.normal(size=1000) * 10.0 ** rng.integers(-50, 50, 1000)])
    wide = np.concatenate([wide, [np.inf, -np.inf, 1e39, -1e39, 0.0]])
    with np.errstate(over="ignore"):
        near = np.concatenate([np.float32(wide), np.nextafter(np.float32(wide), np.float32(0))])
    narrow = rounded_down(wide)
    assert narrow.dtype == np.float32
    for x in near[:: len(near) // 50]:
        assert np.array_equal(np.float64(x) > wide, x > narrow)
    same = np.concatenate([wide, wide])
    assert np.array_equal(near > same, near > np.concatenate([narrow, narrow]))
