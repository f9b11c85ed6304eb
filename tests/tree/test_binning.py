"""Bins: scikit-learn's edges, whatever the weights; every value in its interval."""

import numpy as np
import pytest
import scipy.sparse as sp
from sklearn.ensemble import HistGradientBoostingRegressor as Reference
from threadpoolctl import threadpool_limits

from skcourse.tree.binning import Binner, pack_set

MISSING = 255


def table(n=600, seed=0):
    """Return columns of many values, of few, with ties, with missing values, with infinities."""
    rng = np.random.default_rng(seed)
    X = rng.normal(size=(n, 5))
    X[:, 1] = rng.integers(0, 7, n)
    X[:, 2] = np.round(X[:, 2], 1)
    X[rng.random(n) < 0.2, 3] = np.nan
    X[:5, 4], X[5:9, 4] = np.inf, -np.inf
    return X


def reference_edges(X, max_bins, weights=None):
    """Return the edges of scikit-learn."""
    model = Reference(max_iter=1, max_bins=max_bins, early_stopping=False, random_state=0)
    with threadpool_limits(1, "openmp"):  # its threads spin
        model.fit(X, np.arange(len(X)), sample_weight=weights)
    return model._bin_mapper.bin_thresholds_


@pytest.mark.parametrize("max_bins", [3, 64, 255])
@pytest.mark.parametrize("weighted", [False, True])
def test_edges_are_those_of_scikit_learn(max_bins, weighted):
    X = table()[:, :4]
    weights = np.random.default_rng(1).integers(0, 4, len(X)).astype(float) if weighted else None
    binner = Binner(max_bins).fit(X, weights=weights)
    for ours, theirs in zip(binner.edges_, reference_edges(X, max_bins, weights), strict=True):
        np.testing.assert_array_equal(ours, theirs)


@pytest.mark.parametrize("max_bins", [16, 255])
def test_infinities_are_the_smallest_and_the_largest(max_bins):
    X = table()[:, 4:]
    binner = Binner(max_bins).fit(X)
    assert not np.isnan(binner.edges_[0]).any()
    assert (np.diff(binner.edges_[0]) > 0).all()
    codes = binner.transform(np.array([[-np.inf], [0.0], [np.inf]])).codes[0]
    assert codes[0] == 0
    assert 0 < codes[1] < codes[2] == len(binner.edges_[0])


def test_many_rows_are_drawn_by_weight():
    X, rng = np.arange(1000.0).reshape(-1, 1), np.random.default_rng(0)
    weights = (X[:, 0] < 500) * rng.random(1000)
    few = Binner(n_subsample=100, random_state=0).fit(X, weights=weights).edges_[0]
    again = Binner(n_subsample=100, random_state=0).fit(X, weights=weights).edges_[0]
    assert len(few) < 100
    assert few.max() < 500
    np.testing.assert_array_equal(few, again)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_codes_count_the_edges_below(dtype):
    X = table().astype(dtype)
    binner = Binner(64).fit(X)
    bins = binner.transform(X)
    for f, edges in enumerate(binner.edges_):
        x = X[:, f].astype(np.float64)
        expected = np.where(np.isnan(x), MISSING, np.searchsorted(edges, x, side="left"))
        np.testing.assert_array_equal(bins.codes[f], expected)
    np.testing.assert_array_equal(bins.has_missing, [False, False, False, True, False])
    np.testing.assert_array_equal(bins.n_bins, [len(edges) + 1 for edges in binner.edges_])


def test_a_value_on_an_edge_lies_below_it():
    binner = Binner(4).fit(np.array([[0.0], [1.0], [3.0]]))
    np.testing.assert_array_equal(binner.edges_[0], [0.5, 2.0])
    codes = binner.transform(np.array([[0.5], [np.nextafter(0.5, 1)], [2.0], [9.0]])).codes
    np.testing.assert_array_equal(codes, [[0, 1, 1, 2]])


def test_words_hold_the_codes_of_eight_features():
    X = np.random.default_rng(0).normal(size=(50, 11))
    bins = Binner().fit(X).transform(X)
    parts = [(bins.words[f // 8] >> np.uint64(8 * (f % 8))) & np.uint64(255) for f in range(11)]
    np.testing.assert_array_equal(np.array(parts, np.uint8), bins.codes)


def test_sparse_rows_layouts_and_threads_make_no_difference():
    X = table()
    X[np.random.default_rng(0).random(X.shape) < 0.5] = 0
    expected = Binner(16, n_jobs=1).fit(X).transform(X)
    for same in (np.asfortranarray(X), sp.csr_array(X), sp.csc_matrix(X)):
        bins = Binner(16, n_jobs=4).fit(same).transform(same)
        for ours, theirs in zip(bins, expected, strict=True):
            np.testing.assert_array_equal(ours, theirs)


def test_categories_are_their_own_bins():
    X = np.array([[2.0], [0.0], [np.nan], [1.0], [-1.0]])
    binner = Binner().fit(X, np.array([True]))
    bins = binner.transform(np.array([[0.0], [2.0], [np.nan], [7.0]]))
    np.testing.assert_array_equal(bins.codes, [[0, 2, MISSING, MISSING]])  # 7 was never seen
    assert bins.n_bins[0] == 3


@pytest.mark.parametrize("weighted", [False, True])
def test_the_most_frequent_categories_have_a_bin(weighted):
    codes = np.repeat([0, 1, 2, 3, 4], [1, 5, 2, 4, 3]).astype(float)
    weights = np.where(codes == 0, 9.0, 1.0) if weighted else None
    binner = Binner(3).fit(codes.reshape(-1, 1), np.array([True]), weights)
    kept = [0, 1, 3] if weighted else [1, 3, 4]
    np.testing.assert_array_equal(binner.edges_[0], kept)
    found = binner.transform(np.arange(5.0).reshape(-1, 1)).codes[0]
    assert [c for c in range(5) if found[c] != MISSING] == kept


def test_splits_of_codes_are_splits_of_values():
    X = np.column_stack([np.arange(6.0), np.array([0.0, 1, 2, 3, 3, 2])])
    binner = Binner(3).fit(X, np.array([False, True]))  # of the four categories, 0 has no bin
    goes_left = np.zeros((4, 256), np.uint8)
    goes_left[0, 0] = 1  # one bin of numbers
    goes_left[1, :3] = 1  # all but the missing
    goes_left[2, [1, MISSING]] = 1  # a category, and what has no bin
    splits = binner.real_splits(np.array([0, 0, 1, -2]), goes_left)
    kept = binner.edges_[1]
    np.testing.assert_array_equal(splits.threshold, [binner.edges_[0][0], np.inf, np.nan, -2])
    np.testing.assert_array_equal(splits.category_set, [-1, -1, 0, -1])
    lost = next(c for c in range(4) if c not in kept)
    assert splits.set_words[0] == np.uint64(1 << int(kept[1]) | 1 << lost)


def test_a_set_is_a_bit_for_each_category():
    words = pack_set(np.arange(130) % 64 == 3)
    np.testing.assert_array_equal(words, np.array([8, 8, 0], np.uint64))
