"""Orthogonal matching pursuit: scikit-learn's answers, the plain algorithm, and hard choices."""

import numpy as np
import pytest
from sklearn import config_context
from sklearn import linear_model as theirs
from sklearn.model_selection import GroupKFold, ShuffleSplit

from skcourse.linear_model import (
    OrthogonalMatchingPursuit,
    OrthogonalMatchingPursuitCV,
    orthogonal_mp,
    orthogonal_mp_gram,
)
from skcourse.linear_model.omp_rows import Dictionary, Pursuit, pursue_rows

CLOSE = 1e-10  # the condition of a few dozen random columns, squared, times eps


def problem(n, p, k, *, targets=None, noise=0.1, seed=0):
    """Make rows about 3 and targets of k of their columns."""
    rng = np.random.default_rng(seed)
    X = rng.standard_normal((n, p)) + 3
    shape = (p,) if targets is None else (p, targets)
    B = np.zeros(shape)
    B[rng.choice(p, k, replace=False)] = rng.uniform(1, 2, (k, *shape[1:]))
    return X, X @ B + noise * rng.standard_normal((n, *shape[1:])) + 1


def plain(X, y, n_atoms):
    """Pursue y as the lecture says: choose, fit all by least squares, subtract."""
    chosen, residual, coef = [], y, np.empty(0)
    for _ in range(n_atoms):
        chosen.append(int(np.argmax(np.abs(X.T @ residual))))
        coef = np.linalg.lstsq(X[:, chosen], y, rcond=None)[0]
        residual = y - X[:, chosen] @ coef
    return chosen, coef


@pytest.mark.parametrize("precompute", [False, True, "auto"])
@pytest.mark.parametrize("fit_intercept", [False, True])
@pytest.mark.parametrize("targets", [None, 1, 3])
@pytest.mark.parametrize("shape", [(300, 20, 6), (50, 120, 6)])
def test_answers_of_theirs(shape, targets, fit_intercept, precompute):
    X, y = problem(*shape, targets=targets)
    parameters = {"fit_intercept": fit_intercept, "precompute": precompute, "n_nonzero_coefs": 9}
    ours = OrthogonalMatchingPursuit(**parameters).fit(X, y)
    reference = theirs.OrthogonalMatchingPursuit(**parameters).fit(X, y)
    assert ours.n_iter_ == reference.n_iter_
    assert ours.n_nonzero_coefs_ == reference.n_nonzero_coefs_
    for name in ("coef_", "intercept_"):
        found, expected = np.asarray(getattr(ours, name)), np.asarray(getattr(reference, name))
        assert found.shape == expected.shape
        np.testing.assert_allclose(found, expected, CLOSE, 1e-10 * np.abs(expected).max())


@pytest.mark.parametrize("precompute", [False, True])
def test_ends_at_tol(precompute):
    X, y = problem(80, 100, 8)
    for tol in (1e3, 10.0, 1.0):
        ours = OrthogonalMatchingPursuit(tol=tol, precompute=precompute).fit(X, y)
        reference = theirs.OrthogonalMatchingPursuit(tol=tol, precompute=precompute).fit(X, y)
        assert ours.n_iter_ == reference.n_iter_ and ours.n_nonzero_coefs_ is None
        error = np.sum((y - ours.predict(X)) ** 2)
        assert error <= tol
        assert np.flatnonzero(ours.coef_).tolist() == np.flatnonzero(reference.coef_).tolist()


def test_more_atoms_than_there_is_room_for_at_first():
    X, y = problem(200, 300, 60, noise=1.0)
    ours = orthogonal_mp(X, y, n_nonzero_coefs=100)
    reference = theirs.orthogonal_mp(X, y, n_nonzero_coefs=100)
    np.testing.assert_allclose(ours, reference, 1e-8, 1e-8)


@pytest.mark.parametrize("gap", [1e-6, 1e-9, 1e-12])
@pytest.mark.parametrize("scale", [1e-200, 1.0, 1e150])
def test_choice_is_as_in_double_precision(gap, scale):
    rng = np.random.default_rng(0)
    X, y = rng.standard_normal((600, 200)), rng.standard_normal(600)
    y /= np.linalg.norm(y)
    # a third of the atoms have almost the same product with y: float32 cannot tell them apart
    alike = rng.permutation(200)[:70]
    X -= np.outer(y, y @ X) - 1e-3 * np.outer(y, rng.standard_normal(200))
    X[:, alike] += np.outer(y, 5.0 + gap * rng.permutation(70) - y @ X[:, alike])
    first = pursue_rows(Dictionary(X * scale), y[np.newaxis], 1, None)[0].order[0]
    assert first == np.argmax(np.abs(X.T @ y))


def test_steps_of_the_plain_algorithm():
    X, y = problem(60, 150, 10, noise=1.0)
    chosen, coef = plain(X, y, 20)
    found = pursue_rows(Dictionary(X), y[np.newaxis], 20, None)[0]
    assert found.order.tolist() == chosen
    np.testing.assert_allclose(found.coefs[-1], coef, rtol=1e-9)


@pytest.mark.parametrize("precompute", [False, True])
def test_path_holds_every_step(precompute):
    X, Y = problem(60, 80, 5, targets=2)
    options = {"n_nonzero_coefs": 6, "precompute": precompute}
    path = orthogonal_mp(X, Y, return_path=True, **options)
    reference = theirs.orthogonal_mp(X, Y, return_path=True, **options)
    np.testing.assert_allclose(path, reference, 1e-9, 1e-9)
    last, n_iter = orthogonal_mp(X, Y, return_n_iter=True, **options)
    np.testing.assert_array_equal(path[:, :, -1], last)
    assert n_iter == [6, 6]


def test_path_of_a_target_that_ends_early_stays():
    X = np.eye(5)
    Y = np.array([[3.0, 3], [0, 2], [0, 1], [0, 0], [0, 0]])
    with pytest.warns(RuntimeWarning, match="ended prematurely"):
        path = orthogonal_mp(X, Y, n_nonzero_coefs=3, return_path=True)
    assert path.shape == (5, 2, 3)
    np.testing.assert_array_equal(path[0, 0], [3, 3, 3])
    np.testing.assert_array_equal(path[1, 1], [0, 2, 2])


def test_products_are_enough():
    X, Y = problem(60, 30, 4, targets=3)
    G, C, squares = X.T @ X, X.T @ Y, np.sum(Y**2, axis=0)
    for options in ({"n_nonzero_coefs": 5}, {}, {"tol": 2.0, "norms_squared": squares}):
        ours = orthogonal_mp_gram(G, C, return_n_iter=True, **options)
        reference = theirs.orthogonal_mp_gram(G, C, return_n_iter=True, **options)
        np.testing.assert_allclose(ours[0], reference[0], 1e-8, 1e-8)
        assert ours[1] == reference[1]
    one = orthogonal_mp_gram(np.asfortranarray(G), C[:, 0], tol=2.0, norms_squared=squares[:1])
    np.testing.assert_allclose(one, ours[0][:, 0], 1e-9)


def test_rows_keep_digits_that_products_lose():
    rng = np.random.default_rng(0)
    X = np.linalg.qr(rng.standard_normal((50, 10)))[0]
    X[:, 1] = X[:, 0] + 1e-5 * X[:, 1]  # a condition of 1e5, of 1e10 when squared
    b = np.array([3.0, 2.0, 1.0] + [0.5] * 7)
    found = orthogonal_mp(X, X @ b, n_nonzero_coefs=10)
    assert np.abs(found - b).max() < 1e-9  # eps times 1e5, with room


def test_directions_stay_orthogonal():
    rng = np.random.default_rng(0)
    X = np.outer(rng.standard_normal(50), np.ones(12)) + 1e-6 * rng.standard_normal((50, 12))
    pursuit = Pursuit(Dictionary(X), rng.standard_normal(50), 12, None)
    while pursuit.take(pursuit.atoms.products(pursuit.direction()[np.newaxis])[0]):
        pass
    assert len(pursuit.order) == 12
    np.testing.assert_allclose(pursuit.basis @ pursuit.basis.T, np.eye(12), atol=1e-14)


def test_targets_do_not_know_of_each_other():
    X, Y = problem(60, 80, 5, targets=70)
    together = orthogonal_mp(X, Y)
    for t in (0, 33, 69):
        np.testing.assert_array_equal(together[:, t], orthogonal_mp(X, Y[:, t]))


@pytest.mark.parametrize("precompute", [False, True])
def test_history_holds_the_residuals(precompute):
    X, Y = problem(60, 40, 5, targets=2)
    for y in (Y, Y[:, 0]):
        model = OrthogonalMatchingPursuit(n_nonzero_coefs=7, precompute=precompute).fit(X, y)
        norms = model.history_["residual_norm"]
        assert (np.diff(norms, axis=0) < 0).all()
        expected = np.linalg.norm(y - model.predict(X), axis=0)
        np.testing.assert_allclose(norms[-1], expected, rtol=1e-8)


@pytest.mark.parametrize("precompute", [False, True])
def test_weights_are_repetitions(precompute):
    X, y = problem(60, 30, 5)
    w = np.random.default_rng(1).integers(0, 4, 60)
    parameters = {"n_nonzero_coefs": 6, "precompute": precompute}
    weighted = OrthogonalMatchingPursuit(**parameters).fit(X, y, sample_weight=w)
    repeated = OrthogonalMatchingPursuit(**parameters).fit(np.repeat(X, w, axis=0), np.repeat(y, w))
    np.testing.assert_allclose(weighted.coef_, repeated.coef_, 1e-9, 1e-12)
    np.testing.assert_allclose(weighted.intercept_, repeated.intercept_, 1e-9)


@pytest.mark.parametrize("precompute", [False, True])
@pytest.mark.parametrize("offset", [0.0, 1e7])
@pytest.mark.parametrize("unit", [1e-120, 1.0, 1e120])
def test_units_and_offsets_do_not_matter(unit, offset, precompute):
    X, y = problem(70, 40, 4)
    parameters = {"n_nonzero_coefs": 4, "precompute": precompute}
    expected = OrthogonalMatchingPursuit(**parameters).fit(X, y)
    moved = OrthogonalMatchingPursuit(**parameters).fit(X * unit + offset * unit, y)
    np.testing.assert_allclose(moved.coef_ * unit, expected.coef_, rtol=1e-6)  # eps times 1e7
    unit = unit if precompute else unit**1.6  # squares of which are out of range
    model = OrthogonalMatchingPursuit(**parameters).fit(X, y * unit)
    np.testing.assert_allclose(model.coef_ / unit, expected.coef_, rtol=1e-9)


@pytest.mark.parametrize("precompute", [False, True])
def test_dependent_atoms_end_it_with_a_warning(precompute):
    rng = np.random.default_rng(0)
    X = np.repeat(rng.standard_normal((30, 2)), 2, axis=1)
    y = rng.standard_normal(30)
    with pytest.warns(RuntimeWarning, match="linear dependence in the dictionary"):
        model = OrthogonalMatchingPursuit(n_nonzero_coefs=4, precompute=precompute).fit(X, y)
    assert model.n_iter_ == 2
    with pytest.warns(RuntimeWarning, match="linear dependence"):
        still = OrthogonalMatchingPursuit(precompute=precompute).fit(X, np.ones(30))
    assert still.n_iter_ == 0 and not still.coef_.any()
    assert still.history_["residual_norm"].shape == (0,)


@pytest.mark.parametrize("precompute", [False, True])
def test_float32_comes_out_as_it_goes_in(precompute):
    X, y = problem(80, 30, 5)
    X, y = X.astype(np.float32), y.astype(np.float32)
    parameters = {"n_nonzero_coefs": 5, "precompute": precompute}
    single = OrthogonalMatchingPursuit(**parameters).fit(X, y)
    double = OrthogonalMatchingPursuit(**parameters).fit(X.astype(float), y)
    assert single.coef_.dtype == single.intercept_.dtype == np.float32
    np.testing.assert_allclose(single.coef_, double.coef_, rtol=1e-5)


def test_bad_input():
    X, y = problem(30, 10, 3)
    with pytest.raises(ValueError, match="number of atoms cannot be more"):
        OrthogonalMatchingPursuit(n_nonzero_coefs=11).fit(X, y)
    with pytest.raises(ValueError, match="number of atoms cannot be more"):
        orthogonal_mp(X, y, n_nonzero_coefs=11)
    with pytest.raises(ValueError, match="precomputed norms"):
        orthogonal_mp_gram(X.T @ X, X.T @ y, tol=0.1)
    with pytest.raises(ValueError, match="must be positive"):
        orthogonal_mp_gram(np.eye(3), np.ones(3))
    with pytest.raises(ValueError, match="inconsistent numbers of samples"):
        orthogonal_mp(X, y[:-1])
    with pytest.raises(ValueError, match="number of atoms cannot be more"):
        OrthogonalMatchingPursuitCV(max_iter=11).fit(X, y)
    wrong = X.copy()
    wrong[3, 1] = np.nan
    for precompute in (False, True):
        with pytest.raises(ValueError, match="NaN"):
            OrthogonalMatchingPursuit(precompute=precompute).fit(wrong, y)
    with pytest.raises(TypeError, match="not strings"):
        OrthogonalMatchingPursuitCV().fit(X, np.array(["a", "b"] * 15))


@pytest.mark.parametrize("parameters", [{}, {"fit_intercept": False}, {"max_iter": 3}, {"cv": 3}])
def test_cross_validation_of_theirs(parameters):
    X, y = problem(60, 40, 4, noise=2.0)
    ours = OrthogonalMatchingPursuitCV(**parameters).fit(X, y)
    reference = theirs.OrthogonalMatchingPursuitCV(**parameters).fit(X, y)
    assert ours.n_nonzero_coefs_ == reference.n_nonzero_coefs_
    assert type(ours.n_nonzero_coefs_) is type(reference.n_nonzero_coefs_)
    assert ours.n_iter_ == reference.n_iter_
    np.testing.assert_allclose(ours.coef_, reference.coef_, 1e-9, 1e-9)
    np.testing.assert_allclose(ours.intercept_, reference.intercept_, 1e-9)


def test_cross_validation_splits_as_it_is_told(capsys):
    X, y = problem(60, 40, 4, noise=3.0)
    groups = np.arange(60) % 7
    found = set()
    for cv in (2, ShuffleSplit(4, random_state=0), list(GroupKFold(7).split(X, y, groups))):
        ours = OrthogonalMatchingPursuitCV(cv=cv, n_jobs=2).fit(X, y)
        reference = theirs.OrthogonalMatchingPursuitCV(cv=cv).fit(X, y)
        assert ours.n_nonzero_coefs_ == reference.n_nonzero_coefs_
        found.add(int(ours.n_nonzero_coefs_))
    with pytest.raises(ValueError, match="only supported if enable_metadata_routing=True"):
        OrthogonalMatchingPursuitCV(cv=GroupKFold(7)).fit(X, y, groups=groups)
    with config_context(enable_metadata_routing=True):
        routed = OrthogonalMatchingPursuitCV(cv=GroupKFold(7)).fit(X, y, groups=groups)
    assert routed.n_nonzero_coefs_ == ours.n_nonzero_coefs_
    capsys.readouterr()
    OrthogonalMatchingPursuitCV(verbose=2).fit(X, y)
    heard = capsys.readouterr()
    assert "Parallel" in heard.out + heard.err
