"""Mixtures of experts: worlds that they are made for, and a likelihood that never falls."""

import numpy as np
import pytest
from scipy import sparse
from sklearn.base import clone
from sklearn.exceptions import ConvergenceWarning
from sklearn.neighbors import KNeighborsClassifier

from skcourse.ensemble import MixtureOfExpertsClassifier, MixtureOfExpertsRegressor
from skcourse.linear_model import LinearRegression, LogisticRegression, Ridge, RidgeClassifier
from skcourse.tree import DecisionTreeClassifier, DecisionTreeRegressor

NOISE = 0.1
SLOPES = np.array([[3.0, -1.0, 0.5], [-2.0, 0.0, 1.0]])


@pytest.fixture(scope="module")
def halves():
    """A plane on either side of x_0 = 0, with noise."""
    rng = np.random.default_rng(0)
    X = rng.normal(size=(1500, 3))
    left = X[:, 0] < 0
    y = np.where(left, X @ SLOPES[0], X @ SLOPES[1]) + NOISE * rng.normal(size=len(X))
    return X, y, left


@pytest.fixture(scope="module")
def corners():
    """Classes of opposite corners, which no line divides."""
    X = np.random.default_rng(1).normal(size=(300, 2))
    return X, np.where(X[:, 0] * X[:, 1] > 0, "same", "other")


def test_two_planes_are_found_again(halves):
    X, y, left = halves
    model = MixtureOfExpertsRegressor(n_experts=2, tol=1e-6, random_state=0).fit(X, y)
    shares = model.gate_proba(X)
    assert np.allclose(shares.sum(axis=1), 1.0)
    of_left = int(shares[left].mean(axis=0).argmax())
    for k, slopes in zip((of_left, 1 - of_left), SLOPES, strict=True):
        # 750 rows: a slope is known to 0.1 / sqrt(750) = 0.004; five times that, and the seam
        assert np.allclose(model.experts_[k].coef_, slopes, atol=0.03)
        assert np.isclose(model.variances_[k, 0], NOISE**2, rtol=0.3)
    sure = np.abs(X[:, 0]) > 0.3
    assert np.array_equal(shares.argmax(axis=1)[sure] == of_left, left[sure])
    expected = sum(s * e.predict(X) for s, e in zip(shares.T, model.experts_, strict=True))
    assert np.allclose(model.predict(X), expected)


def test_corners_are_told_apart(corners):
    X, y = corners
    model = MixtureOfExpertsClassifier(random_state=0).fit(X, y)
    assert model.score(X, y) > 0.95  # a line comes to some 0.5
    shares = model.predict_proba(X)
    assert np.allclose(shares.sum(axis=1), 1.0)
    assert np.array_equal(model.predict(X), model.classes_[shares.argmax(axis=1)])


def likelihood(model, X, y):
    """Return the mean log-likelihood by its definition."""
    total = np.zeros(len(X))
    for k, share in enumerate(model.gate_proba(X).T):
        s, off = model.variances_[k, 0], y - model.experts_[k].predict(X)
        total += share * np.exp(-(off**2) / s / 2) / np.sqrt(2 * np.pi * s)
    return np.log(total).mean()


@pytest.mark.parametrize(
    "expert", [LinearRegression(), Ridge(alpha=30.0), DecisionTreeRegressor(max_depth=3)]
)
def test_the_likelihood_never_falls(halves, expert):
    X, y, _ = halves
    model = MixtureOfExpertsRegressor(expert, n_experts=3, random_state=0).fit(X, y)
    path = model.history_["log_likelihood"]
    assert len(path) == model.n_iter_
    assert np.all(np.diff(path) >= 0.0)
    assert model.log_likelihood_ == path[-1]
    assert np.isclose(path[-1], likelihood(model, X, y))


def test_a_step_that_leads_down_is_refused(corners):
    """Trees as experts and as gate ask for pure leaves, not for likelihood."""
    X, y = corners
    parts = {"expert": DecisionTreeClassifier(max_depth=2), "gate": DecisionTreeClassifier()}
    model = MixtureOfExpertsClassifier(**parts, random_state=0).fit(X, y)
    assert np.all(np.diff(model.history_["log_likelihood"]) >= 0.0)


def test_far_from_the_origin_nothing_is_singular(corners):
    X, y = corners
    near = MixtureOfExpertsClassifier(random_state=0).fit(X, y)
    far = MixtureOfExpertsClassifier(random_state=0, warm_start=True).fit(X + 1e7, y)
    assert far.n_iter_ == near.n_iter_
    # Scores <v, x> + c, with |v| of about 10, are small differences of numbers of 1e8.
    rounding = 100 * 1e8 * np.finfo(float).eps
    shares = near.predict_proba(X)
    np.testing.assert_allclose(far.predict_proba(X + 1e7), shares, rtol=0, atol=rounding)
    before = far.log_likelihood_
    assert 0 <= far.fit(X + 1e7, y).log_likelihood_ - before < far.tol  # goes on from there


def test_one_expert_needs_no_gate(halves):
    X, y, _ = halves
    model = MixtureOfExpertsRegressor(n_experts=1).fit(X, y)
    alone = LinearRegression().fit(X, y)
    assert model.gate_ is None
    assert np.allclose(model.predict(X), alone.predict(X))
    assert np.isclose(model.variances_[0, 0], np.mean((y - alone.predict(X)) ** 2))


def test_several_outputs_and_sparse_rows(halves):
    X, y, _ = halves
    both = MixtureOfExpertsRegressor(n_experts=2, random_state=0).fit(X, np.c_[y, 2 * y])
    assert both.variances_.shape == (2, 2)
    assert np.allclose(both.predict(X) @ [2, -1], 0.0, atol=1e-8)
    rows = np.where(np.abs(X) < 0.5, 0.0, X)
    dense = MixtureOfExpertsRegressor(n_experts=2, random_state=0).fit(rows, y)
    thin = MixtureOfExpertsRegressor(n_experts=2, random_state=0).fit(sparse.csr_array(rows), y)
    assert np.allclose(thin.predict(sparse.csr_array(rows)), dense.predict(rows), atol=1e-4)


def test_more_starts_find_no_worse_and_a_warm_one_goes_on(corners):
    X, y = corners
    one, four = (
        MixtureOfExpertsClassifier(n_init=n, random_state=3).fit(X, y).log_likelihood_
        for n in (1, 4)
    )
    assert four >= one
    model = MixtureOfExpertsClassifier(max_iter=2, warm_start=True, random_state=0)
    with pytest.warns(ConvergenceWarning, match="Increase max_iter"):
        first = model.fit(X, y).log_likelihood_
    assert model.n_iter_ == 2
    again = model.set_params(max_iter=100).fit(X, y).history_["log_likelihood"]
    assert again[0] > first
    assert model.converged_
    with pytest.raises(ValueError, match="n_experts=2"):
        model.set_params(n_experts=2).fit(X, y)


def test_an_expert_that_meets_its_samples_is_not_infinitely_sure(halves):
    X, y, _ = halves
    model = MixtureOfExpertsRegressor(DecisionTreeRegressor(), min_variance=0.01, random_state=0)
    model.fit(X, y)
    assert np.allclose(model.variances_, 0.01 * np.var(y))


def test_random_experts_have_seeds_of_their_own(corners):
    X, y = corners
    expert = DecisionTreeClassifier(max_depth=3, max_features=1)
    model = MixtureOfExpertsClassifier(expert, random_state=0)
    first, second = (clone(model).fit(X, y) for _ in range(2))
    assert np.array_equal(first.predict_proba(X), second.predict_proba(X))
    assert len({e.random_state for e in first.experts_}) == 3


def test_bad_parts_are_named(halves, corners):
    X, y, _ = halves
    with pytest.raises(ValueError, match="gate RidgeClassifier must have predict_proba"):
        MixtureOfExpertsRegressor(gate=RidgeClassifier()).fit(X, y)
    X, y = corners
    with pytest.raises(ValueError, match="expert KNeighborsClassifier does not support"):
        MixtureOfExpertsClassifier(KNeighborsClassifier()).fit(X, y)
    with pytest.raises(ValueError, match="expert RidgeClassifier must have predict_proba"):
        MixtureOfExpertsClassifier(RidgeClassifier()).fit(X, y)


def test_the_gate_is_of_the_users_choice(corners):
    X, y = corners
    soft, hard = (
        MixtureOfExpertsClassifier(gate=LogisticRegression(C=C), random_state=0).fit(X, y)
        for C in (1e-3, 1e3)
    )
    assert np.ptp(soft.gate_proba(X)) < np.ptp(hard.gate_proba(X))
