"""Patterns of missing values: every row is in the pattern of its mask, and in no other."""

import numpy as np
import pytest

from skcourse.core.missing import any_missing, check_columns_seen, groups, patterns


@pytest.mark.parametrize("d", [1, 3, 8, 17])
def test_patterns_partition_the_rows_by_their_masks(d):
    rng = np.random.default_rng(0)
    X = rng.normal(size=(60, d))
    X[rng.random(X.shape) < 0.3] = np.nan
    found = patterns(X)
    assert sorted(np.concatenate([p.rows for p in found])) == list(range(60))
    for p in found:
        assert np.all(np.diff(p.rows) > 0)
        assert np.array_equal(np.isnan(X[p.rows]), np.tile(~p.seen, (len(p.rows), 1)))
    masks = {tuple(p.seen) for p in found}
    assert len(masks) == len(found) == len(np.unique(np.isnan(X), axis=0))


@pytest.mark.parametrize("share", [0.0, 0.3, 1.0])
def test_groups_are_the_patterns(share):
    rng = np.random.default_rng(0)
    X = rng.normal(size=(40, 9))
    X[rng.random(X.shape) < share] = np.nan
    found, expected = groups(X), patterns(X)
    assert len(found.starts) == len(expected) + 1
    for p, pattern in enumerate(expected):
        assert np.array_equal(found.order[found.pattern == p], pattern.rows)
        lacking = found.lacking[found.starts[p] : found.starts[p + 1]]
        assert np.array_equal(lacking, np.flatnonzero(~pattern.seen)[::-1])


def test_complete_rows_are_one_pattern():
    (only,) = patterns(np.zeros((5, 2)))
    assert only.seen.all()
    assert list(only.rows) == [0, 1, 2, 3, 4]


def test_a_column_without_any_value_is_named():
    X = np.ones((3, 4))
    X[:, 2] = np.nan
    X[0, 0] = np.nan
    with pytest.raises(ValueError, match=r"only NaN in column\(s\) 2\."):
        check_columns_seen(X, object())
    check_columns_seen(X[:, :2], object())


def test_any_missing():
    X = np.ones((3, 4))
    assert not any_missing(X)
    X[1, 2] = np.inf
    assert not any_missing(X)
    X[2, 1] = np.nan
    assert any_missing(X)
    assert not any_missing(np.repeat([[1e308, -1e308]], 1000, axis=0).T)  # sums to inf - inf
