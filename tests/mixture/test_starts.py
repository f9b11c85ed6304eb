"""Where EM begins, and how its rows are looked at."""

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from sklearn.mixture import GaussianMixture as Reference

from skcourse.core.missing import groups
from skcourse.mixture import GaussianMixture, rows
from skcourse.mixture.starts import INIT_PARAMS, draw
from tests.mixture.test_gaussian_mixture import clusters, fit, quiet_fit


@pytest.mark.parametrize("init", INIT_PARAMS)
def test_equal_weights_begin_where_none_do(init):
    X = clusters()
    start = {"n_components": 3, "init_params": init, "random_state": 0, "max_iter": 0}
    one, two = GaussianMixture(**start).fit(X), GaussianMixture(**start)
    quiet_fit(two, X, sample_weight=np.full(200, 0.25))
    assert_allclose(two.means_, one.means_, rtol=1e-12)


@pytest.mark.parametrize("init", INIT_PARAMS)
def test_a_row_without_weight_may_lie_anywhere(init):
    X, w = clusters(), np.ones(200)
    X[7], w[7] = 1e150, 0.0
    model = GaussianMixture(3, init_params=init, random_state=0)
    quiet_fit(model, X, sample_weight=w)
    assert np.all(np.abs(model.means_) < 100)


@pytest.mark.parametrize("init", ["k-means++", "random_from_data"])
def test_a_tied_start_from_rows_does_not_depend_on_where_0_is(init):
    """Theirs takes the mean square of all rows, n / k times, and ends where it begins: at a hill
    that all components share."""
    X = clusters()
    ours, moved, theirs = (
        fit(Z, cls=cls, covariance_type="tied", init_params=init)
        for cls, Z in ((GaussianMixture, X), (GaussianMixture, X + 1e3), (Reference, X))
    )
    assert ours.n_iter_ == moved.n_iter_
    assert_allclose(moved.means_ - 1e3, ours.means_, rtol=0, atol=1e-8)  # 1e3 eps, a few times
    assert ours.lower_bound_ > theirs.lower_bound_ + 0.01


@pytest.mark.parametrize("init", ["k-means++", "random_from_data"])
def test_a_tied_start_from_rows_needs_no_reg_covar(init):
    X = clusters()
    start = {"covariance_type": "tied", "init_params": init, "reg_covar": 0.0}
    first = fit(X, max_iter=0, **start)
    assert_allclose(first.covariances_, np.cov(X.T, bias=True), rtol=1e-12)
    assert np.all(np.diff(fit(X, tol=0, **start).lower_bounds_) >= -1e-12)


def test_shares_at_random_are_drawn_a_few_rows_at_a_time():
    """The numbers are those of a single draw, and what is drawn next is, too."""
    one, two = np.random.RandomState(0), np.random.RandomState(0)
    whole = one.uniform(size=(100, 3))
    parts = [shares for _, shares in draw([slice(0, 64), slice(64, 100)], 3, two)]
    assert_array_equal(np.vstack(parts), whole / whole.sum(axis=1, keepdims=True))
    assert one.uniform() == two.uniform()


def test_rows_are_asked_a_few_at_a_time(monkeypatch):
    X = clusters()
    X[::7, 1] = np.nan
    model = fit(X)
    calls = [model.predict, model.score_samples, model.fit_predict]
    whole = [call(X) for call in calls]
    monkeypatch.setattr(rows, "SOME", 30)
    monkeypatch.setattr(rows.Rows, "scores", at_most(30, rows.Rows.scores))
    for call, expected in zip(calls, whole, strict=True):
        assert_allclose(call(X), expected, rtol=1e-12)


def at_most(n, scores):
    """Return `scores` of Rows, which then refuses more than n of them."""

    def checked(self, model):
        assert len(self.X) <= n
        return scores(self, model)

    return checked


def test_patterns_of_missing_values_are_found_once(monkeypatch):
    X, calls = clusters(), []
    X[::3, 0] = np.nan
    monkeypatch.setattr(rows, "groups", lambda X: calls.append(1) or groups(X))
    model = fit(X, tol=0, max_iter=5, covariance_type="full")
    assert model.n_iter_ == 5
    assert len(calls) == 1
