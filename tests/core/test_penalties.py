"""Every penalty: its proximal step is the minimum that defines it."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from skcourse.core import penalties
from skcourse.core.penalties import (
    PENALTIES,
    Penalty,
    penalty_value,
    proximal,
    proximal_step,
    value_of,
)

EPS = np.finfo(np.float64).eps
NONE, NO_GROUPS = np.empty(0), np.empty(0, np.int64)
SHAPE = {"elasticnet": 0.3, "mcp": 3.0, "scad": 3.7}
EACH = [pytest.param(name, id=name) for name in PENALTIES]


def make(name, strength=0.7):
    return Penalty(PENALTIES[name], strength, SHAPE.get(name, 0.0))


@pytest.mark.parametrize("name", EACH)
@given(v=st.floats(-8, 8), step=st.floats(0.01, 6), others=st.lists(st.floats(-9, 9), max_size=30))
def test_proximal_step_is_the_minimum(name, v, step, others):
    penalty = make(name)

    def objective(w):
        return 0.5 * (w - v) ** 2 + step * value_of(penalty, w)

    found = proximal(penalty, v, step)
    candidates = [*others, 0.0, v, *(found * (1 + np.array([-1e-2, -1e-4, 1e-4, 1e-2])))]
    for other in candidates:
        # sums of numbers below 100, each rounded a few times
        assert objective(found) <= objective(other) + 100 * 8 * EPS


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("none", 0.0),
        ("l2", 0.7 * 2),
        ("l1", 0.7 * 2),
        ("elasticnet", 0.7 * (0.3 * 2 + 0.7 * 2)),
        ("mcp", 0.7 * 2 - 4 / 6),
        ("scad", (2 * 3.7 * 0.7 * 2 - 4 - 0.49) / 5.4),
        ("l0", 0.7),
    ],
)
def test_values(name, expected):
    assert np.isclose(value_of(make(name), 2.0), expected, rtol=8 * EPS)
    assert np.isclose(value_of(make(name), -2.0), expected, rtol=8 * EPS)
    assert value_of(make(name), 0.0) == 0.0


@pytest.mark.parametrize("name", ["mcp", "scad"])
def test_large_coefficients_are_left_alone(name):
    assert proximal(make(name), 5.0, 0.5) == 5.0
    assert value_of(make(name), 5.0) == value_of(make(name), 50.0)


@pytest.mark.parametrize("name", [name for name in PENALTIES if name != "group"])
def test_weights_scale_the_penalty(name):
    penalty, w = make(name), np.array([2.0, -0.5, 1.0])
    weights = np.array([0.0, 1.0, 2.0])
    total = sum(c * value_of(penalty, x) for c, x in zip(weights, w, strict=True))
    assert np.isclose(penalty_value(penalty, w, weights, NO_GROUPS), total)
    expected = [proximal(penalty, x, 0.5 * c) for c, x in zip(weights, w, strict=True)]
    proximal_step(penalty, w, 0.5, weights, NO_GROUPS)
    np.testing.assert_array_equal(w, expected)
    assert w[0] == 2.0


@pytest.mark.parametrize("weights", [NONE, np.array([1.0, 1.0, 0.5, 2.0, 9.0])])
def test_groups_shrink_as_one(weights):
    penalty, groups = make("group"), np.array([0, 2, 3, 5])
    w = np.array([3.0, 4.0, 0.1, -1.0, 2.0])
    c = np.sqrt([2, 1, 2]) * (weights[[0, 2, 3]] if len(weights) else 1)
    lengths = np.array([5.0, 0.1, np.sqrt(5)])
    assert np.isclose(penalty_value(penalty, w, weights, groups), 0.7 * c @ lengths)
    factors = np.maximum(0, 1 - 0.7 * 0.5 * c / lengths)
    expected = w * np.repeat(factors, [2, 1, 2])
    proximal_step(penalty, w, 0.5, weights, groups)
    np.testing.assert_allclose(w, expected, rtol=8 * EPS)
    assert w[2] == 0.0


def test_names_and_codes_are_one_to_one():
    assert sorted(PENALTIES.values()) == list(range(len(PENALTIES)))
    assert set(penalties.SMOOTH) < set(PENALTIES) and set(penalties.SHAPES) == set(SHAPE)
