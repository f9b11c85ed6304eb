"""Trees on histograms: scikit-learn's, node by node; and what must not matter."""

import numpy as np
import pytest
from sklearn.ensemble import HistGradientBoostingRegressor as Reference
from threadpoolctl import threadpool_limits

from skcourse.tree import histogram_grower
from skcourse.tree.binning import Binner
from skcourse.tree.histogram_grower import BinnedGrowth, grow_binned

N = 3000


def table(n=N, missing=True):
    """Return numbers of many values and of few, missing values, categories; and y."""
    rng = np.random.default_rng(0)
    X = rng.normal(size=(n, 10))
    X[:, 1] = np.round(X[:, 1])
    X[:, 8] = rng.integers(0, 12, n)
    X[:, 9] = rng.integers(0, 40, n)
    y = X[:, 0] + X[:, 1] * X[:, 2] + np.sin(X[:, 8]) + (X[:, 9] % 3) + 0.3 * rng.normal(size=n)
    if missing:
        X[rng.random(n) < 0.2, 2] = np.nan
        X[rng.random(n) < 0.1, 9] = np.nan
        y += np.isnan(X[:, 2])
    return X, y


CATEGORICAL = np.arange(10) >= 8


def tree_of(X, y, growth, *, weights=None, categorical=CATEGORICAL, seed=None, n_jobs=-1):
    """Grow the first tree of boosting the squared error from the mean."""
    binner = Binner(n_subsample=None).fit(X, categorical, weights)
    mean = np.average(y, weights=weights)
    gradients, hessians = mean - y, np.ones(1)
    if weights is not None:
        gradients, hessians = weights * gradients, weights
    return grow_binned(
        binner.transform(X), gradients, hessians, growth, seed=seed, binner=binner, n_jobs=n_jobs
    )


def reference(X, y, weights=None, categorical=CATEGORICAL, **params):
    """Return scikit-learn's first tree."""
    model = Reference(
        max_iter=1,
        learning_rate=1.0,
        early_stopping=False,
        random_state=0,
        categorical_features=categorical,
        **params,
    )
    with threadpool_limits(1, "openmp"):  # its threads spin
        model.fit(X, y, sample_weight=weights)
    return model._predictors[0][0].nodes


def assert_same_tree(nodes, expected, permutation):
    """Compare structure, splits and values; scikit-learn puts categorical features first."""
    leaf = expected["is_leaf"] == 1
    np.testing.assert_array_equal(nodes.children_left < 0, leaf)
    np.testing.assert_array_equal(nodes.children_left[~leaf], expected["left"][~leaf])
    np.testing.assert_array_equal(nodes.children_right[~leaf], expected["right"][~leaf])
    feature = permutation[expected["feature_idx"]]
    np.testing.assert_array_equal(nodes.feature[~leaf], feature[~leaf])
    numeric = ~leaf & (expected["is_categorical"] == 0)
    np.testing.assert_array_equal(nodes.threshold[numeric], expected["num_threshold"][numeric])
    assert np.isnan(nodes.threshold[~leaf & ~numeric]).all()
    np.testing.assert_array_equal(
        nodes.missing_go_to_left[~leaf], expected["missing_go_to_left"][~leaf]
    )
    np.testing.assert_array_equal(nodes.n_node_samples, expected["count"])
    # scikit-learn's gradients are float32
    np.testing.assert_allclose(nodes.value[leaf, 0, 0], expected["value"][leaf], atol=2e-6)
    np.testing.assert_allclose(nodes.impurity[~leaf], expected["gain"][~leaf], rtol=1e-5, atol=1e-4)


ORDER = np.argsort(~CATEGORICAL, kind="stable")  # in which scikit-learn has the features


@pytest.mark.parametrize(
    ("ours", "theirs"),
    [
        ({}, {}),
        (
            {"max_leaf_nodes": -1, "min_samples_leaf": 10},
            {"max_leaf_nodes": None, "min_samples_leaf": 10},
        ),
        ({"max_depth": 3}, {"max_depth": 3}),
        ({"min_samples_leaf": 150, "l2": 7.0}, {"min_samples_leaf": 150, "l2_regularization": 7.0}),
        ({"max_leaf_nodes": 6}, {"max_leaf_nodes": 6}),
    ],
)
@pytest.mark.parametrize("weighted", [False, True])
def test_the_tree_is_that_of_scikit_learn(ours, theirs, weighted):
    X, y = table()
    weights = np.random.default_rng(1).integers(1, 4, N).astype(float) if weighted else None
    expected = reference(X, y, weights, **theirs)
    nodes, leaf = tree_of(X, y, BinnedGrowth(**ours), weights=weights)
    assert_same_tree(nodes, expected, ORDER)
    np.testing.assert_array_equal(
        np.bincount(leaf, minlength=len(nodes.feature))[nodes.children_left < 0],
        nodes.n_node_samples[nodes.children_left < 0],
    )


def test_half_of_the_features_are_those_that_scikit_learn_draws():
    X, y = table()
    expected = reference(X, y, max_features=0.5)
    random_state = np.random.RandomState(0)
    seeds = [random_state.randint(np.iinfo(np.uint32).max, dtype="u8") for _ in range(2)]
    rng, growth = np.random.default_rng(seeds[1]), BinnedGrowth(max_features=0.5)
    nodes, _ = tree_of(X, y, growth, seed=rng)
    assert_same_tree(nodes, expected, ORDER)
    second, _ = tree_of(X, y, growth, seed=rng)  # the generator moved on
    assert not np.array_equal(second.feature, nodes.feature)


@pytest.mark.parametrize("sign", [1, -1])
def test_monotonic_trees_are_those_of_scikit_learn(sign):
    X, y = table()
    monotonic = np.array([sign, -1, 1, 0, 0, 0, 0, 0, 0, 0], np.int8)
    expected = reference(X, y, monotonic_cst=monotonic)
    nodes, _ = tree_of(X, y, BinnedGrowth(monotonic=monotonic))
    assert_same_tree(nodes, expected, ORDER)
    free, _ = tree_of(X, y, BinnedGrowth())
    assert not np.array_equal(free.feature, nodes.feature)


@pytest.mark.parametrize("max_features", [1.0, 0.5])
def test_features_that_do_not_interact_share_no_path(max_features):
    X, y = table()
    none = np.zeros(10, bool)
    sets = [{0, 1}, {1, 2, 3}, {4, 5, 6, 7, 8, 9}]
    growth = BinnedGrowth(interaction=sets, max_features=max_features)
    nodes, _ = tree_of(X, y, growth, categorical=none, seed=0)
    if max_features == 1.0:
        expected = reference(X, y, categorical=None, interaction_cst=sets)
        assert_same_tree(nodes, expected, np.arange(10))
    below = {0: set()}
    for i in np.flatnonzero(nodes.children_left >= 0):
        path = below[i] | {int(nodes.feature[i])}
        assert any(path <= s for s in sets)
        below[nodes.children_left[i]] = below[nodes.children_right[i]] = path


def walk(nodes, X):
    """Return the leaf of each row, one row and one node at a time."""
    found = []
    for x in X:
        i = 0
        while nodes.children_left[i] >= 0:
            value = x[nodes.feature[i]]
            if np.isnan(value):
                left = nodes.missing_go_to_left[i] == 1
            elif nodes.category_set[i] >= 0:
                word = nodes.set_start[nodes.category_set[i]] + int(value) // 64
                left = int(nodes.set_words[word]) >> (int(value) % 64) & 1
            else:
                left = value <= nodes.threshold[i]
            i = nodes.children_left[i] if left else nodes.children_right[i]
        found.append(i)
    return found


@pytest.mark.parametrize("n_categories", [40, 300])
def test_values_lead_to_the_leaf_that_codes_led_to(n_categories):
    X, y = table()
    X[:, 9] = np.random.default_rng(3).integers(0, n_categories, N)  # 300: more than bins
    y = y + (X[:, 9] % 7)
    nodes, leaf = tree_of(X, y, BinnedGrowth())
    assert (nodes.category_set >= 0).any()
    np.testing.assert_array_equal(walk(nodes, X[:500]), leaf[:500])


def assert_same_bits(first, second):
    """Compare two trees field by field."""
    for a, b in zip(first, second, strict=True):
        np.testing.assert_array_equal(a, b)


@pytest.mark.parametrize("weighted", [False, True])
def test_threads_change_no_bit(weighted):
    X, y = table(30_000)
    weights = np.random.default_rng(0).random(len(X)) if weighted else None
    nodes, leaf = tree_of(X, y, BinnedGrowth(), weights=weights, n_jobs=1)
    for n_jobs in (2, 5):
        again, same_leaf = tree_of(X, y, BinnedGrowth(), weights=weights, n_jobs=n_jobs)
        assert_same_bits(nodes, again)
        np.testing.assert_array_equal(leaf, same_leaf)


def grown(bins, binner, gradients, hessians, growth, n_jobs=-1):
    """Grow a tree for given gradients."""
    return grow_binned(bins, gradients, hessians, growth, binner=binner, n_jobs=n_jobs)


def test_the_order_of_rows_changes_no_bit():
    X, y = table()
    shuffled = np.random.default_rng(1).permutation(N)
    binner = Binner().fit(X, CATEGORICAL)
    h = np.random.default_rng(2).random(N)
    nodes, leaf = grown(binner.transform(X), binner, -y, h, BinnedGrowth())
    other, same = grown(
        binner.transform(X[shuffled]), binner, -y[shuffled], h[shuffled], BinnedGrowth()
    )
    assert_same_bits(nodes, other)
    np.testing.assert_array_equal(leaf[shuffled], same)


def test_without_room_for_histograms_the_tree_is_the_same(monkeypatch):
    X, y = table()
    growth = BinnedGrowth(max_leaf_nodes=-1, min_samples_leaf=5)
    nodes, _ = tree_of(X, y, growth)
    monkeypatch.setattr(histogram_grower, "POOL_BYTES", 0)
    assert_same_bits(nodes, tree_of(X, y, growth)[0])


def test_a_weight_of_two_is_the_row_twice():
    X, y = table()
    X = X[:, :8]  # what a rare category is, is counted in rows
    twice = np.random.default_rng(0).integers(1, 3, N)
    binner = Binner().fit(X)
    growth = BinnedGrowth(min_samples_leaf=1, min_hessian=40.0)
    nodes, _ = grown(binner.transform(X), binner, -y * twice, twice.astype(float), growth)
    rows = np.repeat(np.arange(N), twice)
    other, _ = grown(binner.transform(X[rows]), binner, -y[rows], np.ones(len(rows)), growth)
    np.testing.assert_array_equal(nodes.feature, other.feature)
    np.testing.assert_array_equal(nodes.threshold, other.threshold)
    np.testing.assert_allclose(nodes.value, other.value, rtol=1e-9)


def test_missing_values_go_with_the_larger_child_where_none_was_seen():
    X, y = table(missing=False)
    nodes, _ = tree_of(X, y, BinnedGrowth())
    inner = np.flatnonzero(nodes.children_left >= 0)
    n = nodes.n_node_samples
    larger = n[nodes.children_left[inner]] > n[nodes.children_right[inner]]
    np.testing.assert_array_equal(nodes.missing_go_to_left[inner], larger)


def test_a_split_by_what_is_missing_alone():
    x = np.where(np.arange(100) % 3 == 0, np.nan, 1.0).reshape(-1, 1)
    y = np.isnan(x[:, 0]).astype(float)
    nodes, _ = tree_of(x, y, BinnedGrowth(), categorical=None)
    assert nodes.threshold[0] == np.inf
    assert nodes.missing_go_to_left[0] == 0
    np.testing.assert_allclose(np.sort(nodes.value[1:, 0, 0]) + y.mean(), [0, 1], atol=1e-9)


@pytest.mark.parametrize("n", [1, 39])
def test_too_few_rows_are_one_leaf_without_a_value(n):
    X, y = table(n)
    nodes, leaf = tree_of(X, y, BinnedGrowth())
    assert len(nodes.feature) == 1
    assert nodes.value[0, 0, 0] == 0.0
    np.testing.assert_array_equal(leaf, 0)


def test_shrinkage_scales_the_values_only():
    X, y = table()
    whole, _ = tree_of(X, y, BinnedGrowth())
    tenth, _ = tree_of(X, y, BinnedGrowth(shrinkage=0.1))
    np.testing.assert_array_equal(whole.threshold, tenth.threshold)
    np.testing.assert_allclose(tenth.value, 0.1 * whole.value, rtol=1e-12)


@pytest.mark.parametrize("bad", [np.nan, np.inf])
@pytest.mark.parametrize("which", [0, 1])
def test_what_is_not_finite_is_refused(bad, which):
    X, y = table()
    binner = Binner().fit(X, CATEGORICAL)
    given = [-y, np.ones(N)]
    given[which][7] = bad
    with pytest.raises(ValueError, match="not finite"):
        grown(binner.transform(X), binner, *given, BinnedGrowth())


def test_a_gain_must_exceed_the_least():
    X, y = table()
    nodes, _ = tree_of(X, y, BinnedGrowth())
    bound = np.median(nodes.impurity[nodes.children_left >= 0])
    few, _ = tree_of(X, y, BinnedGrowth(min_gain=bound))
    kept = few.impurity[few.children_left >= 0]
    assert len(kept) < 30
    assert (kept > bound).all()
