"""The sums of one pass, against the same written out; what must not matter."""

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from scipy.special import logsumexp

from skcourse.core import chunks
from skcourse.core.gaussians import TYPES, log_densities, triangles
from skcourse.mixture.expectation import Gaussians, expectation, scores_of


def problem(kind, n=900, d=5, k=3, seed=0, dtype=np.float64):
    """Return rows, weights and a mixture that has little to do with them."""
    rng = np.random.default_rng(seed)
    A = rng.standard_normal((k, d, d)) + 2 * np.eye(d)
    full = A @ np.swapaxes(A, 1, 2)
    covariances = {
        "full": full,
        "tied": full[0],
        "diag": np.diagonal(full, axis1=1, axis2=2),
        "spherical": full[:, 0, 0],
    }[kind]
    log_weights = np.log(rng.dirichlet(np.ones(k)))
    means = rng.standard_normal((k, d)) * 2
    X = (rng.standard_normal((n, d)) * 3 + 1).astype(dtype)
    model = Gaussians(log_weights, means, triangles(covariances, kind), kind)
    return X, rng.uniform(0, 2, n), model


def written_out(X, w, model, about):
    """Return the sums (3), (4) and (5) of `expectation` by whole arrays, and H term by term."""
    X = X.astype(np.float64)
    scores = log_densities(X, model.means, *model[2:], model.log_weights)
    densities = logsumexp(scores, axis=1)
    logs = scores - densities[:, np.newaxis]
    r = w[:, np.newaxis] * np.exp(logs)
    z = X[:, np.newaxis] - about
    second = np.einsum("nk,nkf,nkg->kfg", r, z, z)
    diagonal = np.diagonal(second, axis1=1, axis2=2)
    second = {
        "full": second,
        "tied": second.sum(axis=0),
        "diag": diagonal,
        "spherical": diagonal.sum(axis=1),
    }[model.covariance_type]
    first = np.einsum("nk,nkf->kf", r, z)
    entropy = -np.sum(r * np.where(r > 0, logs, 0))
    return w @ densities, r.sum(axis=0), first, second, entropy, w.sum()


@pytest.mark.parametrize("kind", TYPES)
@pytest.mark.parametrize(("d", "k"), [(1, 1), (2, 7), (5, 3), (8, 4), (17, 2)])
def test_sums_are_those_written_out(kind, d, k):
    X, w, model = problem(kind, d=d, k=k)
    about = model.means + np.random.default_rng(1).standard_normal((k, d))
    for weights, points in ((w, None), (None, None), (w, about)):
        found = expectation(X, weights, model, about=points)
        expected = written_out(
            X,
            np.ones(len(X)) if weights is None else weights,
            model,
            model.means if points is None else points,
        )
        for a, b in zip(found, expected, strict=True):
            # sums of n terms of both signs, whose absolute values add up to some n d
            assert_allclose(a, b, rtol=1e-11, atol=1e-11 * len(X) * d)


@pytest.mark.parametrize("kind", TYPES)
def test_threads_change_no_bit(kind, monkeypatch):
    monkeypatch.setattr(chunks, "available_cores", lambda: 4)
    X, w, model = problem(kind, n=9000)
    one, many = (expectation(X, w, model, n_jobs) for n_jobs in (1, 4))
    for a, b in zip(one, many, strict=True):
        assert_array_equal(a, b)


@pytest.mark.parametrize("kind", TYPES)
def test_a_far_origin_does_not_matter(kind):
    X, w, model = problem(kind)
    X = np.round(X * 1024) / 1024  # so that a shift by 2^30 is exact
    model = model._replace(means=np.round(model.means * 1024) / 1024)
    far = model._replace(means=model.means + 2.0**30)
    for a, b in zip(expectation(X + 2.0**30, w, far), expectation(X, w, model), strict=True):
        assert_allclose(a, b, rtol=1e-10, atol=1e-10 * len(X))


@pytest.mark.parametrize("kind", TYPES)
def test_a_component_without_weight_gets_nothing(kind):
    X, w, model = problem(kind)
    silent = model._replace(log_weights=np.array([0.0, -np.inf, -1.0]))
    found = expectation(X, w, silent)
    assert found.weights[1] == 0
    assert np.isfinite(found.entropy)
    assert_array_equal(found.first[1], 0.0)


@pytest.mark.parametrize("kind", TYPES)
def test_scores_of_many_rows_are_those_of_a_few(kind):
    X, _, model = problem(kind, n=4000)
    found = scores_of(X, model)
    expected = np.vstack([scores_of(some, model) for some in np.array_split(X, 10)])
    assert_allclose(found, expected, rtol=1e-12, atol=1e-12)
    assert scores_of(X.astype(np.float32), model).dtype == np.float32


def test_float32_rows_are_summed_in_float64():
    X, w, model = problem("full", dtype=np.float32)
    found = expectation(X, w, model)
    for a, b in zip(found, written_out(X, w, model, model.means), strict=True):
        assert_allclose(a, b, rtol=1e-11, atol=1e-11 * len(X) * 5)


def test_rows_may_be_read_only():
    X, w, model = problem("full")
    expected = expectation(X, w, model)
    X.flags.writeable = False
    for a, b in zip(expectation(X, w, model), expected, strict=True):
        assert_array_equal(a, b)
