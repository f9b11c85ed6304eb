"""Streams: the published sequence, uniform, the same for whoever draws."""

import numpy as np
from scipy import stats

from skcourse.core.random import below, random_bits, seeds, uniform


def splitmix64(seed, n):
    """The generator as published: a state that advances by a constant, and is mixed."""
    mask, out = 2**64 - 1, []
    for _ in range(n):
        seed = (seed + 0x9E3779B97F4A7C15) & mask
        z = seed
        z = ((z ^ (z >> 30)) * 0xBF58476D1CE4E5B9) & mask
        z = ((z ^ (z >> 27)) * 0x94D049BB133111EB) & mask
        out.append(z ^ (z >> 31))
    return out


def draws(draw, seed, n, *args):
    with np.errstate(over="ignore"):  # without JIT, numpy speaks of wrapping
        return [draw(np.uint64(seed), np.uint64(i), *args) for i in range(n)]


def test_bits_are_splitmix64():
    for seed in (0, 1, 1234567, 2**64 - 1):
        assert draws(random_bits, seed, 20) == splitmix64(seed, 20)


def test_known_values():
    # the first outputs for seed 1234567, as in the reference implementation's published test
    assert draws(random_bits, 1234567, 2) == [6457827717110365317, 3203168211198807973]


def test_uniform_is_uniform_in_each_stream():
    for seed in seeds(0, 3):
        u = draws(uniform, seed, 4000)
        assert min(u) >= 0
        assert max(u) < 1
        assert stats.kstest(u, "uniform").pvalue > 1e-4


def test_below_reaches_all_and_nothing_else():
    values, counts = np.unique(draws(below, 5, 6000, 6), return_counts=True)
    assert values.tolist() == list(range(6))
    assert stats.chisquare(counts).pvalue > 1e-4


def test_seeds_are_drawn_from_the_state():
    assert seeds(0, 5).tolist() == seeds(np.random.RandomState(0), 5).tolist()
    assert len(set(seeds(0, 1000).tolist())) == 1000
    state = np.random.RandomState(0)
    assert seeds(state, 3).tolist() != seeds(state, 3).tolist()
    assert seeds(None, 2).dtype == np.uint64


def test_streams_do_not_follow_each_other():
    a, b = (draws(uniform, seed, 3000) for seed in seeds(1, 2))
    assert abs(np.corrcoef(a, b)[0, 1]) < 5 / np.sqrt(3000)  # 5 standard errors
