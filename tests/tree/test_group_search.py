"""The search over groups: scikit-learn's histogram boosting and brute force find the same."""

import itertools

import numpy as np
import pytest

from skcourse.tree.category_order import principal_keys, sort_by_key
from skcourse.tree.category_search import (
    ENTROPY,
    FEW,
    POISSON,
    QUADRATIC,
    CategoryRules,
    best_categories,
    write_set,
)
from skcourse.tree.group_search import Bounds, Rules, Sums, best_threshold

FREE = Bounds(-np.inf, np.inf, 0.0)
ANY = Rules(1.0, 0.0, 0.0, -np.inf)
NONE = Sums(0.0, 0.0, 0.0)


def threshold(groups, missing=NONE, rules=ANY, bounds=FREE, parent=0.0):
    below = np.ascontiguousarray(np.cumsum(groups, axis=0).T)
    return best_threshold(below, missing, parent, rules, bounds, np.empty(len(groups)))


def value(sums, rules, bounds):
    return np.clip(sums[2] / (sums[1] + rules.l2 + 1e-15), bounds.lower, bounds.upper)


def thresholds_by_hand(groups, missing, rules, bounds):
    """Yield gain, position and side of the missing rows of all splits that are allowed."""
    missing = np.array(missing)
    whole = groups.sum(axis=0) + missing
    for missing_left in range(1 + (missing[0] > 0)):
        for b in range(len(groups)):
            left = groups[: b + 1].sum(axis=0) + missing_left * missing
            right = whole - left
            low, high = value(left, rules, bounds), value(right, rules, bounds)
            sides = np.minimum(left, right)
            if (
                sides[0] >= max(rules.min_count, 1)
                and sides[1] >= rules.min_weight
                and (high - low) * bounds.monotonic >= 0
            ):
                yield left[2] * low + right[2] * high, b, missing_left


def random_groups(seed, n_groups=9, n_sums=1):
    """Return integers, so that sums are exact in any order."""
    rng = np.random.default_rng(seed)
    counts = rng.integers(1, 9, n_groups)
    return np.column_stack(
        [counts, counts * rng.integers(1, 3, n_groups), rng.integers(-9, 9, (n_groups, n_sums))]
    ).astype(float)


@pytest.mark.parametrize("monotonic", [-1.0, 0.0, 1.0])
@pytest.mark.parametrize(
    "rules", [ANY, Rules(7.0, 0.0, 0.0, -np.inf), Rules(1.0, 11.0, 3.0, -np.inf)]
)
def test_best_threshold_is_the_best_of_all(rules, monotonic):
    for seed in range(20):
        groups = random_groups(seed)
        missing = NONE if seed % 2 else Sums(3.0, 4.0, -5.0)
        bounds = Bounds(-1.0, 0.5, monotonic) if seed % 3 else FREE._replace(monotonic=monotonic)
        found = threshold(groups, missing, rules, bounds)
        all_of_them = list(thresholds_by_hand(groups, missing, rules, bounds))
        if not all_of_them:
            assert found.gain == -np.inf
            assert found.position == -1
            continue
        gains = {(b, side): gain for gain, b, side in all_of_them}
        assert found.gain == max(gains.values())
        assert gains[found.position, int(found.missing_left)] == found.gain
        left = groups[: found.position + 1].sum(axis=0) + found.missing_left * np.array(missing)
        np.testing.assert_array_equal(found.left, left)


def test_first_threshold_wins_a_tie():
    groups = np.array([[2.0, 2.0, 1.0], [2.0, 2.0, 0.0], [2.0, 2.0, 1.0]])
    assert threshold(groups).position == 0


def test_gain_must_exceed_min_gain():
    groups = np.array([[1.0, 1.0, -2.0], [1.0, 1.0, 2.0]])  # worth 4 + 4, the node 0
    assert threshold(groups, rules=ANY._replace(min_gain=7.5)).gain == pytest.approx(8.0)
    assert threshold(groups, rules=ANY._replace(min_gain=8.5)).gain == -np.inf
    assert threshold(groups, rules=ANY._replace(min_gain=5.0), parent=4.0).gain == -np.inf


def kind(score=QUADRATIC, *, on_a_line=False, smoothing=0.0, support=0.0, lighter_left=False):
    return CategoryRules(score, on_a_line, smoothing, support, lighter_left)


def categories(groups, how, rules=ANY, bounds=FREE):
    goes_left = np.zeros(len(groups), np.uint8)
    found = best_categories(groups, 0.0, goes_left, rules, how, bounds)
    return found, goes_left


def side_worth(sums, score):
    if score == QUADRATIC:
        return np.sum(sums[2:] ** 2) / sums[1]
    if score == POISSON and np.any(sums[2:] <= 0):
        return -np.inf
    shares = sums[2:][sums[2:] > 0]
    return np.sum(shares * np.log(shares / sums[1]))


def worth_by_hand(groups, goes_left, score):
    left = groups[goes_left == 1].sum(axis=0)
    return side_worth(left, score) + side_worth(groups.sum(axis=0) - left, score)


def best_by_hand(groups, score):
    m = len(groups)
    subsets = itertools.product([0, 1], repeat=m - 1)
    masks = [np.array([*s, 0]) for s in subsets if any(s)]
    return max(worth_by_hand(groups, mask, score) for mask in masks)


@pytest.mark.parametrize(
    ("score", "n_classes"), [(QUADRATIC, 2), (ENTROPY, 2), (QUADRATIC, 3), (ENTROPY, 4)]
)
def test_classes_are_divided_by_the_best_of_all_sets(score, n_classes):
    m = 7 if n_classes == 2 else FEW
    for seed in range(10):
        shares = np.random.default_rng(seed).integers(1, 20, (m, n_classes))
        weights = shares.sum(axis=1)
        groups = np.column_stack([weights, weights, shares]).astype(float)
        found, goes_left = categories(groups, kind(score, on_a_line=n_classes == 2))
        assert found.gain == pytest.approx(best_by_hand(groups, score), rel=1e-12)
        assert found.gain == pytest.approx(worth_by_hand(groups, goes_left, score), rel=1e-12)
        assert found.missing_left == goes_left[-1]


@pytest.mark.parametrize("score", [QUADRATIC, POISSON])
def test_numbers_are_divided_by_the_best_of_all_sets(score):
    for seed in range(10):
        groups = random_groups(seed, n_groups=10)
        groups[:, 2] = np.abs(groups[:, 2])
        groups[:3, 2] = 0.0  # alone, they are no side for Poisson's deviance
        found, goes_left = categories(groups, kind(score, on_a_line=True))
        assert found.gain == pytest.approx(best_by_hand(groups, score), rel=1e-12)
        assert found.gain == pytest.approx(worth_by_hand(groups, goes_left, score), rel=1e-12)


def test_orders_of_many_categories_come_close_to_the_best_set():
    ratios = []
    for seed in range(10):
        shares = np.random.default_rng(seed).integers(1, 20, (12, 4))
        weights = shares.sum(axis=1)
        groups = np.column_stack([weights, weights, shares]).astype(float)
        parent = side_worth(groups.sum(axis=0), QUADRATIC)
        found, goes_left = categories(groups, kind())
        assert found.gain == pytest.approx(worth_by_hand(groups, goes_left, QUADRATIC), rel=1e-12)
        ratios.append((found.gain - parent) / (best_by_hand(groups, QUADRATIC) - parent))
    assert min(ratios) > 0.8  # of the gain of the best of 2047 sets, for shares without structure
    assert np.mean(ratios) > 0.93


def test_principal_direction_divides_what_no_single_class_does():
    shares = np.array([[4, 4, 1, 1], [1, 1, 4, 4]] * 6)
    groups = np.column_stack([np.full((12, 2), 10), shares]).astype(float)
    _, goes_left = categories(groups, kind())
    assert set(goes_left[::2]) != set(goes_left[1::2])


def test_principal_keys_follow_the_first_eigenvector():
    groups = np.abs(random_groups(0, n_groups=30, n_sums=5))
    groups[:, 2:] *= [5, 3, 1, 1, 1]  # the power method converges by the ratio of eigenvalues
    keys = np.empty(30)
    principal_keys(groups, np.arange(30), keys)
    means, weights = groups[:, 2:] / groups[:, 1:2], groups[:, 1]
    centred = means - np.average(means, axis=0, weights=weights)
    _, vectors = np.linalg.eigh((centred.T * weights) @ centred)
    expected = centred @ vectors[:, -1]
    assert abs(np.corrcoef(keys, expected)[0, 1]) > 1 - 1e-6


def test_small_sides_are_not_allowed():
    groups = random_groups(0, n_groups=6)
    least = groups[:, 0].sum() // 2
    found, goes_left = categories(
        groups, kind(on_a_line=True), ANY._replace(min_count=float(least))
    )
    if found.gain > -np.inf:
        assert least <= groups[goes_left == 1, 0].sum() <= groups[:, 0].sum() - least
    none, _ = categories(groups, kind(on_a_line=True), ANY._replace(min_weight=1e3))
    assert none.gain == -np.inf


def test_absent_categories_go_with_the_majority():
    groups = random_groups(3, n_groups=8)
    groups[[1, 4]] = 0.0
    for on_a_line in (True, False):
        _, goes_left = categories(groups, kind(on_a_line=on_a_line, lighter_left=True))
        assert not goes_left[[1, 4]].any()
        assert groups[goes_left == 1, 1].sum() <= groups[goes_left == 0, 1].sum()


def test_bounds_clip_the_values_of_sets():
    groups = np.array([[1.0, 1.0, -4.0], [1.0, 1.0, 4.0], [0.0, 0.0, 0.0]])
    found, _ = categories(groups, kind(on_a_line=True), bounds=Bounds(-1.0, 2.0, 0.0))
    assert found.gain == pytest.approx(4.0 + 8.0)


def test_boosting_leaves_rare_categories_on_the_right():
    counts = np.array([20.0, 30.0, 2.0, 40.0, 0.0])
    groups = np.column_stack([counts, counts, np.array([5.0, -9.0, 50.0, 3.0, 0.0])])
    _, goes_left = categories(groups, kind(on_a_line=True, smoothing=10.0, support=10.0))
    assert not goes_left[2]
    assert goes_left[0] != goes_left[1]


def test_sets_are_written_as_bits():
    words = np.ones(3, np.uint64)
    goes_left = np.array([1, 0, 1, 1, 1], np.uint8)
    write_set(np.array([0, 1, 63, 130]), goes_left, words)
    assert [int(word) for word in words] == [1 + 2**63, 0, 4]


def test_sort_by_key_breaks_ties_by_number():
    rng = np.random.default_rng(0)
    for n in (1, 2, 3, 10, 101):
        keys = rng.integers(0, 7, n).astype(float)
        order = rng.permutation(n)
        sort_by_key(keys, order)
        np.testing.assert_array_equal(order, np.argsort(keys, kind="stable"))
