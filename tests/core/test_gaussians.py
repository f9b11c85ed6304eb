"""Log-densities and triangles against scipy, and each other."""

import numpy as np
import pytest
from numpy.testing import assert_allclose
from scipy.stats import multivariate_normal

from skcourse.core.gaussians import (
    TYPES,
    IllDefined,
    covariances_of,
    log_densities,
    precisions_of,
    triangles,
    triangles_of_precisions,
)

K, D = 3, 5


def gaussians(kind, seed=0):
    """Return means (K, D), covariances in the shape of their type, and as K matrices."""
    rng = np.random.default_rng(seed)
    A = rng.standard_normal((K, D, D))
    full = A @ np.swapaxes(A, 1, 2) + np.eye(D)
    found = {
        "full": full,
        "tied": full[0],
        "diag": np.diagonal(full, axis1=1, axis2=2),
        "spherical": full[:, 0, 0],
    }[kind]
    matrices = {
        "full": full,
        "tied": np.stack([full[0]] * K),
        "diag": np.stack([np.diag(np.diag(one)) for one in full]),
        "spherical": np.stack([one[0, 0] * np.eye(D) for one in full]),
    }[kind]
    return rng.standard_normal((K, D)), found, matrices


@pytest.mark.parametrize("kind", TYPES)
def test_densities_are_those_of_scipy(kind):
    means, covariances, matrices = gaussians(kind)
    X = np.random.default_rng(1).standard_normal((700, D)) * 3
    weights = np.log([0.2, 0.3, 0.5])
    found = log_densities(X, means, triangles(covariances, kind), kind, weights)
    expected = [multivariate_normal(m, C).logpdf(X) for m, C in zip(means, matrices, strict=True)]
    assert_allclose(found, np.array(expected).T + weights, rtol=1e-11)


@pytest.mark.parametrize("kind", TYPES)
def test_triangles_precisions_and_covariances_are_inverses(kind):
    _, covariances, _ = gaussians(kind)
    upper = triangles(covariances, kind)
    assert_allclose(covariances_of(upper, kind), covariances, rtol=1e-12, atol=1e-12)
    again = triangles_of_precisions(precisions_of(upper, kind), kind)
    assert_allclose(again, upper, rtol=1e-10, atol=1e-12)
    if kind in ("full", "tied"):
        assert_allclose(np.tril(upper, -1), 0.0)


@pytest.mark.parametrize("kind", TYPES)
def test_what_is_not_positive_definite_is_refused(kind):
    _, covariances, _ = gaussians(kind)
    with pytest.raises(IllDefined):
        triangles(-covariances, kind)
    with pytest.raises(IllDefined):
        triangles(np.full_like(covariances, np.nan), kind)
    with pytest.raises(IllDefined):
        triangles(np.where(covariances > 0, np.inf, covariances), kind)


def test_float32_stays_float32():
    means, covariances, _ = gaussians("full")
    X = np.zeros((4, D), np.float32)
    assert log_densities(X, means, triangles(covariances, "full"), "full").dtype == np.float32


def test_rows_far_from_the_origin_lose_nothing():
    means, covariances, _ = gaussians("full")
    upper, X = triangles(covariances, "full"), np.zeros((4, D))
    far = 2.0**30  # exact in float64, as are its sums with numbers that have few digits
    points = np.round(means * 1024) / 1024
    here = log_densities(X, points, upper, "full")
    assert_allclose(log_densities(X + far, points + far, upper, "full"), here, rtol=1e-12)
