"""exp and log(1 + u) are those of numpy, to the last places, and never leave the numbers."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from skcourse.core.elementary import LARGEST, SMALLEST, exp, log_1p

ULP = np.finfo(np.float64).eps


@given(st.floats(SMALLEST, LARGEST))
def test_exp(x):
    assert abs(exp(x) - np.exp(x)) <= 2 * ULP * np.exp(x)  # numpy's is within 1 itself


@given(st.floats(0, 1, allow_subnormal=False))
def test_log_1p(u):
    assert abs(log_1p(u) - np.log1p(u)) <= 3 * ULP * np.log1p(u)


def test_exp_stays_among_the_numbers():
    assert 0 < exp(-np.inf) == exp(-1e300) < 1e-300
    assert 1e300 < exp(1e300) == exp(np.inf) < np.inf
    assert np.isnan(exp(np.nan))


def test_exp_of_zero_is_one():
    assert exp(0.0) == 1.0
    assert log_1p(0.0) == 0.0
