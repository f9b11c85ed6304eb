"""Minka's evidence against the formula taken literally, and against scikit-learn."""

from math import lgamma, log, pi

import numpy as np
import pytest
from numpy.testing import assert_allclose
from sklearn.decomposition import PCA

from skcourse.decomposition.dimension import by_evidence, by_share, log_evidences


def literally(spectrum, k, n):
    """Return (2) of `dimension`, sum by sum."""
    p = len(spectrum)
    v = sum(spectrum[k:]) / (p - k)
    L = [*spectrum[:k], *[v] * (p - k)]
    m = k * p - k * (k + 1) / 2
    halves = [(p - i + 1) / 2 for i in range(1, k + 1)]
    value = -k * log(2) + sum(lgamma(h) - h * log(pi) for h in halves)
    value -= n / 2 * sum(log(x) for x in spectrum[:k]) + n * (p - k) / 2 * log(v)
    value += (m + k) / 2 * log(2 * pi) - k / 2 * log(n)
    for i in range(k):
        for j in range(i + 1, p):
            value -= (log((1 / L[j] - 1 / L[i]) * (spectrum[i] - spectrum[j])) + log(n)) / 2
    return value


@pytest.mark.parametrize("p", [2, 3, 8])
def test_evidence_literally(p):
    spectrum = np.sort(np.random.default_rng(p).uniform(0.1, 5, p))[::-1]
    expected = [literally(list(spectrum), k, 50) for k in range(1, p)]
    assert_allclose(log_evidences(spectrum, 50)[1:], expected, rtol=1e-10)


@pytest.mark.parametrize("k", [1, 3, 6])
def test_evidence_finds_the_dimension(k):
    rng = np.random.default_rng(k)
    X = rng.standard_normal((500, k)) @ rng.uniform(1, 3, (k, 10)) * 3
    X += rng.standard_normal((500, k))[:, :1] * 0 + rng.standard_normal((500, 10)) * 0.1
    spectrum = np.linalg.eigvalsh(np.cov(X.T))[::-1]
    assert by_evidence(spectrum, 500) == k
    assert PCA("mle", svd_solver="full").fit(X).n_components_ == k


def test_eigenvalues_that_are_zero_or_equal():
    assert by_evidence(np.array([1, 1e-30, 1e-30, 1e-30]), 10) == 1
    assert by_evidence(np.array([2.0]), 10) == 0
    assert 1 <= by_evidence(np.array([2.0, 2.0, 1.0, 1.0]), 10) <= 3
    assert np.all(log_evidences(np.array([1.0, 0.0, 0.0]), 5)[[0, 2]] == -np.inf)


def test_share():
    ratios = np.array([0.5, 0.25, 0.25])
    assert [by_share(ratios, share) for share in (0.4, 0.5, 0.74, 0.75, 0.9)] == [1, 2, 2, 3, 3]
    assert by_share(np.array([0.9, 0.1 - 2e-16]), 1 - 1e-16) == 2
