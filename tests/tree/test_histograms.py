"""Histograms: sums by brute force, exact by whatever order and difference."""

import numpy as np
import pytest

from skcourse.tree.histogram_partition import part_chunk, place_left, place_right
from skcourse.tree.histograms import (
    BINS,
    BITS,
    WIDTH,
    Scale,
    add_all_rows,
    add_rows,
    grid_step,
    group_sums,
    subtract,
    sum_magnitudes,
    sums_below,
    to_grid,
)

EMPTY = np.empty(0, np.int64)


def on_grid(gradients, hessians):
    """Return the statistics of rows, and the scale that says what they mean."""
    n = len(gradients)
    g, h = sum_magnitudes(gradients, hessians, 0, n)
    steps = grid_step(g, BITS - n.bit_length(), n), grid_step(h, BITS, n)
    constant = float(hessians[0]) if len(hessians) == 1 else 0.0
    scale = Scale(n.bit_length(), *steps, constant)
    statistics = np.empty(n * (1 if constant else 2), np.int64)
    to_grid(gradients, hessians, scale, 0, n, statistics)
    return statistics, scale


@pytest.fixture(scope="module", params=[True, False], ids=["constant", "varying"])
def case(request):
    """Return gradients with a heavy tail, Hessians, codes of 8 features, and their words."""
    rng = np.random.default_rng(0)
    gradients = rng.standard_t(2, 700)
    hessians = np.array([2.0]) if request.param else rng.random(700)
    codes = rng.integers(0, BINS, (WIDTH, 700)).astype(np.uint8)
    codes[1] = codes[1] % 2
    words = np.ascontiguousarray(codes.T).view("<u8")[:, 0].astype(np.uint64)
    return gradients, hessians, codes, words


def brute_force(case, rows, feature):
    """Return n, H and -G of each bin, added up in float64, one after the other."""
    gradients, hessians, codes, _ = case
    sums = np.zeros((BINS, 3))
    for i in rows:
        h = hessians[0] if len(hessians) == 1 else hessians[i]
        sums[codes[feature, i]] += [1, h, -gradients[i]]
    return sums


def histogram_of(case, rows=None):
    """Return the histograms of 8 features over some rows, or all of them, and the scale."""
    gradients, hessians, _, words = case
    statistics, scale = on_grid(gradients, hessians)
    k = len(statistics) // len(words)
    histogram = np.zeros(WIDTH * BINS * k, np.int64)
    if rows is None:
        add_all_rows(words, statistics, histogram)
    else:
        gathered = np.ascontiguousarray(statistics.reshape(-1, k)[rows]).ravel()
        add_rows(words, rows.astype(np.int32), gathered, histogram)
    return histogram, scale


@pytest.mark.parametrize("part", [False, True])
def test_sums_are_those_of_brute_force(case, part):
    rows = np.flatnonzero(np.random.default_rng(1).random(700) < 0.3) if part else None
    histogram, scale = histogram_of(case, rows)
    gradients, hessians = case[:2]
    # rounding to the grid errs by half a step per row at most
    allowed = 700 * max(scale.gradient_step, scale.hessian_step)
    assert allowed < 1e-9 * min(np.abs(gradients).mean(), hessians.mean())
    for f in range(WIDTH):
        expected = brute_force(case, range(700) if rows is None else rows, f)
        found = group_sums(histogram, f, BINS - 1, scale)
        np.testing.assert_allclose(found, expected, rtol=0, atol=allowed)
        below = np.empty((3, BINS - 1))
        missing = sums_below(histogram, f, BINS - 1, scale, below)
        np.testing.assert_allclose(below, expected[:-1].cumsum(axis=0).T, rtol=0, atol=allowed)
        np.testing.assert_allclose(missing, expected[-1], rtol=0, atol=allowed)


def test_a_child_is_the_parent_less_its_sibling_to_the_bit(case):
    rng = np.random.default_rng(2)
    rows = np.flatnonzero(rng.random(700) < 0.4)
    others = np.setdiff1d(np.arange(700), rows)
    whole, sibling = histogram_of(case)[0], histogram_of(case, rng.permutation(rows))[0]
    subtract(whole, sibling)
    np.testing.assert_array_equal(whole, histogram_of(case, others)[0])


@pytest.mark.parametrize("size", [0.0, 1e-280, 1.0, 1e300])
def test_no_sum_overflows(size):
    n = 1000
    values = np.full(n, size)
    statistics, scale = on_grid(values, values)
    assert abs(sum(int(p) >> scale.count_bits for p in statistics[::2])) < 2 ** (BITS - 9)
    assert sum(int(h) for h in statistics[1::2]) <= 2**BITS
    for first in (0, 1):
        shown = statistics[first] >> (0 if first else scale.count_bits)
        step = scale.hessian_step if first else scale.gradient_step
        np.testing.assert_allclose(shown * step, size, rtol=1e-9)


def test_rows_go_to_the_children_in_order():
    rng = np.random.default_rng(0)
    codes = rng.integers(0, BINS, 500).astype(np.uint8)
    goes_left = (rng.random(BINS) < 0.3).astype(np.uint8)
    rows = np.flatnonzero(rng.random(500) < 0.5).astype(np.int32)
    statistics = np.arange(1000)
    spare, out = np.empty_like(rows), np.empty_like(rows)
    n_left = part_chunk(codes, goes_left, rows, spare)
    gathered = np.empty(2 * n_left, np.int64)
    place_left(spare[:n_left], out[:n_left], statistics, gathered)
    place_right(spare[n_left:], out[n_left:], statistics, EMPTY)
    turns = goes_left[codes[rows]] == 1
    np.testing.assert_array_equal(out, np.concatenate([rows[turns], rows[~turns]]))
    np.testing.assert_array_equal(gathered.reshape(-1, 2)[:, 0], 2 * out[:n_left])
    np.testing.assert_array_equal(gathered.reshape(-1, 2)[:, 1], 2 * out[:n_left] + 1)
