"""Dictionary learning: the steps, scikit-learn's dictionaries, every option, bad input."""

import tracemalloc

import numpy as np
import pytest
import sklearn.decomposition as theirs
from numpy.testing import assert_allclose, assert_array_equal
from sklearn.exceptions import ConvergenceWarning
from sklearn.utils.extmath import svd_flip

from skcourse.decomposition import (
    DictionaryLearning,
    MiniBatchDictionaryLearning,
    dict_learning,
    dict_learning_online,
    sparse_encode,
)
from skcourse.decomposition.dictionary import improve, singular_codes, update_atoms

EPS = np.finfo(float).eps
pytestmark = pytest.mark.filterwarnings("ignore:Dictionary learning ended")
# Rounding grows from turn to turn, in the few that are compared by less than this.
TURNS = 1e6 * EPS


def rows(n=80, p=6, dtype=np.float64):
    """Return sums of few of 8 atoms, and noise."""
    rng = np.random.default_rng(0)
    code = rng.standard_normal((n, 8)) * (rng.random((n, 8)) < 0.3)
    X = 3 * code @ rng.standard_normal((8, p)) + 0.3 * rng.standard_normal((n, p))
    return X.astype(dtype)


def cost(X, code, atoms, alpha):
    return 0.5 * np.sum((X - code @ atoms) ** 2) + alpha * np.abs(code).sum()


def statistics(n=30, p=5, k=4):
    rng = np.random.default_rng(1)
    X, U, D = (rng.standard_normal(shape) for shape in ((n, p), (n, k), (k, p)))
    return X, U, D / np.linalg.norm(D, axis=1, keepdims=True)


@pytest.mark.parametrize("positive", [False, True])
def test_each_atom_becomes_the_best_in_the_ball(positive):
    X, U, D = statistics()
    found = D.copy()
    update_atoms(U.T @ U, U.T @ X, np.empty((0, 5)), positive, found)
    before = D.copy()
    for j in range(len(D)):  # (3), taken literally
        rest = X - U @ before + np.outer(U[:, j], before[j])
        atom = U[:, j] @ rest / (U[:, j] @ U[:, j])
        atom = np.maximum(atom, 0) if positive else atom
        before[j] = atom / max(1, np.linalg.norm(atom))
    np.testing.assert_allclose(found, before, atol=1e3 * EPS)
    assert (np.linalg.norm(found, axis=1) <= 1 + 4 * EPS).all()


def test_atoms_that_nobody_uses_are_drawn_as_theirs():
    X, U, D = statistics()
    U[:, [1, 3]] = 0
    found, unused = improve(
        D, U.T @ U, U.T @ X, X, np.random.RandomState(0), positive=False, verbose=True
    )
    np.testing.assert_array_equal(unused, [False, True, False, True])
    rng = np.random.RandomState(0)
    for j in (1, 3):
        row = X[rng.choice(len(X))]
        atom = row + rng.normal(0, 0.01 * row.std(), size=5)
        np.testing.assert_allclose(found[j], atom / max(1, np.linalg.norm(atom)), atol=4 * EPS)


OPTIONS = [
    {},
    {"n_components": 3, "alpha": 0.1},
    {"n_components": 9},
    {"n_components": 4, "positive_dict": True},
    {"n_components": 12, "alpha": 20.0},  # most atoms are never used
    {"transform_max_iter": 2},
]


@pytest.mark.parametrize("dtype", [np.float64, np.float32])
@pytest.mark.parametrize("options", OPTIONS, ids=str)
def test_same_dictionary_as_theirs(options, dtype):
    X, few = rows(dtype=dtype), {"max_iter": 4, "random_state": 0} | options
    mine = DictionaryLearning(**few)
    reference = theirs.DictionaryLearning(**few)
    code, expected = mine.fit_transform(X), reference.fit_transform(X)
    atol = TURNS if dtype == np.float64 else 1e-3
    np.testing.assert_allclose(mine.components_, reference.components_, atol=atol)
    np.testing.assert_allclose(code, expected, atol=10 * atol)
    np.testing.assert_allclose(mine.error_, reference.error_, rtol=atol)
    assert mine.n_iter_ == reference.n_iter_
    assert mine.components_.dtype == code.dtype == dtype


@pytest.mark.parametrize("algorithm", ["lars", "cd"])
def test_a_weight_is_a_repetition(algorithm):
    X, weights = rows(), np.arange(80) % 4
    options = {"n_components": 4, "alpha": 0.1, "max_iter": 5, "fit_algorithm": algorithm}
    weighted, repeated = DictionaryLearning(**options), DictionaryLearning(**options)
    code = weighted.fit_transform(X, sample_weight=weights)
    again = repeated.fit_transform(np.repeat(X, weights, axis=0))
    np.testing.assert_allclose(weighted.components_, repeated.components_, atol=TURNS)
    np.testing.assert_allclose(weighted.error_, repeated.error_, rtol=TURNS)
    np.testing.assert_allclose(np.repeat(code, weights, axis=0), again, atol=10 * TURNS)
    plain = DictionaryLearning(**options).fit(X)
    assert np.abs(plain.components_ - weighted.components_).max() > 1e-3
    with pytest.raises(ValueError, match="Negative values in data passed to `sample_weight`"):
        weighted.fit(X, sample_weight=-weights)


def test_rows_without_weight_are_never_drawn():
    X, U, D = statistics()
    weights = np.where(np.arange(30) == 7, 1.0, 0.0)
    found, _ = improve(
        D, 0 * U.T @ U, U.T @ X, X, np.random.RandomState(0), positive=False, weights=weights
    )
    np.testing.assert_allclose(found, [X[7] / np.linalg.norm(X[7])] * 4, atol=0.1)


def test_cd_finds_nearly_what_lars_does():
    X = rows()
    by = {
        algorithm: DictionaryLearning(4, max_iter=5, fit_algorithm=algorithm).fit(X)
        for algorithm in ("lars", "cd")
    }
    atoms = by["lars"].components_, by["cd"].components_
    np.testing.assert_allclose(*atoms, atol=1e-3)
    assert np.abs(atoms[0] - atoms[1]).max() > 0
    positive = DictionaryLearning(4, max_iter=5, fit_algorithm="cd", positive_code=True)
    assert (positive.fit_transform(X) >= 0).all()


def test_the_cost_is_that_of_codes_and_atoms_and_falls():
    X = rows()
    model = DictionaryLearning(8, alpha=0.5, max_iter=30, random_state=0)
    code = model.fit_transform(X)
    expected = cost(X, code, model.components_, 0.5)
    assert model.error_[-1] == pytest.approx(expected, rel=1e-12)
    np.testing.assert_array_equal(model.history_["cost"], model.error_)
    assert (np.diff(model.error_) <= len(X) * EPS * model.error_[0]).all()
    assert isinstance(model.error_, list)


def test_tolerance_ends_and_the_last_iteration_warns():
    X = rows()
    runs = [DictionaryLearning(4, tol=tol, random_state=0).fit(X) for tol in (1e-2, 1e-4)]
    assert runs[0].n_iter_ < runs[1].n_iter_ < 1000
    fall = -np.diff(runs[0].error_) / runs[0].error_[1:]
    assert fall[-1] < 1e-2 <= fall[:-1].min()
    with pytest.warns(ConvergenceWarning, match="after max_iter=3") as caught:
        DictionaryLearning(4, max_iter=3).fit(X)
    assert caught[0].filename == __file__
    nothing = DictionaryLearning(4, max_iter=0).fit(X)
    assert nothing.n_iter_ == 0
    assert nothing.error_ == []


def test_begins_where_it_is_told():
    X, rng = rows(), np.random.default_rng(2)
    start = {"code_init": rng.standard_normal((80, 4)), "dict_init": rng.standard_normal((4, 6))}
    kept = start["dict_init"].copy()
    options = {"n_components": 4, "max_iter": 2, "random_state": 0}
    mine = DictionaryLearning(**start, **options).fit(X)
    reference = theirs.DictionaryLearning(**start, **options).fit(X)
    np.testing.assert_allclose(mine.components_, reference.components_, atol=TURNS)
    np.testing.assert_array_equal(start["dict_init"], kept)
    half = DictionaryLearning(dict_init=kept, **options).fit(X)  # of no effect without codes
    plain = DictionaryLearning(**options).fit(X)
    np.testing.assert_array_equal(half.components_, plain.components_)
    code = DictionaryLearning(**start, **options | {"max_iter": 0}).fit_transform(X)
    np.testing.assert_array_equal(code, start["code_init"])


@pytest.mark.parametrize("cls", [DictionaryLearning, MiniBatchDictionaryLearning])
def test_codes_of_other_rows(cls):
    X = rows()
    model = cls(5, alpha=0.3, max_iter=3, random_state=0).fit(X)
    atoms = model.components_
    for options in ({"algorithm": "omp"}, {"algorithm": "lasso_cd"}, {"algorithm": "threshold"}):
        model.set_params(transform_algorithm=options["algorithm"])
        np.testing.assert_array_equal(
            model.transform(X), sparse_encode(X, atoms, alpha=0.3, **options)
        )
    model.set_params(transform_alpha=2.0, positive_code=True)
    codes = model.transform(X)
    expected = sparse_encode(X, atoms, alpha=2.0, positive=True, **options)
    np.testing.assert_array_equal(codes, expected)
    np.testing.assert_allclose(model.inverse_transform(codes), codes @ atoms)
    model.set_params(transform_algorithm="omp", transform_n_nonzero_coefs=2, positive_code=False)
    assert np.count_nonzero(model.transform(X), axis=1).max() == 2
    model.set_params(split_sign=True)
    assert model.transform(X).shape == (80, 10)
    assert len(model.get_feature_names_out()) == 10


@pytest.mark.parametrize("n_jobs", [2, -1])
@pytest.mark.parametrize("cls", [DictionaryLearning, MiniBatchDictionaryLearning])
def test_threads_change_no_bit(cls, n_jobs):
    X = rows(1500)
    options = {"n_components": 8, "max_iter": 2, "random_state": 0}
    one, many = cls(**options).fit(X), cls(n_jobs=n_jobs, **options).fit(X)
    np.testing.assert_array_equal(one.components_, many.components_)
    np.testing.assert_array_equal(one.transform(X), many.transform(X))


BATCHES = [
    {"batch_size": 16},
    {"batch_size": 16, "shuffle": False, "n_components": 3},
    {"batch_size": 300, "n_components": 12, "alpha": 20.0, "max_iter": 5},
    {"batch_size": 7, "tol": 0.05},
    {"batch_size": 7, "tol": 0.0, "max_no_improvement": 3},
    {"batch_size": 20, "tol": 0.0, "max_no_improvement": None, "max_iter": 3},
    {"batch_size": 1, "n_components": 3, "positive_dict": True, "max_iter": 1},
    {"batch_size": 20, "transform_max_iter": 2, "max_iter": 2},
]


@pytest.mark.parametrize("options", BATCHES, ids=str)
def test_same_batches_as_theirs(options):
    X, options = rows(), {"random_state": 0, "max_iter": 20} | options
    mine = MiniBatchDictionaryLearning(**options).fit(X)
    reference = theirs.MiniBatchDictionaryLearning(**options).fit(X)
    np.testing.assert_allclose(mine.components_, reference.components_, atol=1e-6)
    assert (mine.n_steps_, mine.n_iter_) == (reference.n_steps_, reference.n_iter_)
    assert len(mine.history_["cost"]) == mine.n_steps_


def test_pieces_are_theirs_and_go_on_from_a_fit():
    X, options = rows(), {"n_components": 4, "random_state": 0, "batch_size": 20, "max_iter": 2}
    mine = MiniBatchDictionaryLearning(**options)
    reference = theirs.MiniBatchDictionaryLearning(**options)
    for part in np.split(X, 4):
        mine.partial_fit(part)
        reference.partial_fit(part)
    np.testing.assert_allclose(mine.components_, reference.components_, atol=TURNS)
    assert mine.n_steps_ == reference.n_steps_ == 4
    mine.fit(X)
    reference.fit(X)
    before = mine.components_.copy()
    mine.partial_fit(X[:30])
    reference.partial_fit(X[:30])
    np.testing.assert_allclose(mine.components_, reference.components_, atol=TURNS)
    assert mine.n_steps_ == 9
    assert (mine.components_ != before).any()


def test_batches_begin_where_they_are_told():
    X, options = rows(), {"n_components": 4, "random_state": 0, "max_iter": 1, "shuffle": False}
    start = np.asfortranarray(np.random.default_rng(2).standard_normal((4, 6)))
    kept = start.copy()
    mine = MiniBatchDictionaryLearning(dict_init=start, **options).fit(X)
    np.testing.assert_array_equal(start, kept)
    reference = theirs.MiniBatchDictionaryLearning(dict_init=kept, **options).fit(X)
    np.testing.assert_allclose(mine.components_, reference.components_, atol=TURNS)
    cd = MiniBatchDictionaryLearning(fit_algorithm="cd", positive_code=True, **options).fit(X)
    assert np.abs(cd.components_ - mine.components_).max() > 0.01


def test_callbacks_of_old(capsys):
    X, calls = rows(), []
    DictionaryLearning(3, max_iter=7, tol=0.0, callback=calls.append, verbose=1).fit(X)
    assert [call["ii"] for call in calls] == [0, 5]
    assert calls[1]["current_cost"] == calls[1]["errors"][-1]
    assert "[dict_learning] ......." in capsys.readouterr().out
    DictionaryLearning(12, alpha=20.0, max_iter=2, verbose=2).fit(X)
    said = capsys.readouterr().out
    assert "Iteration   1" in said
    assert "unused atoms resampled" in said
    calls.clear()
    options = {"batch_size": 20, "max_iter": 2, "tol": 0.0, "verbose": True}
    model = MiniBatchDictionaryLearning(3, callback=calls.append, **options).fit(X)
    assert [call["i"] for call in calls] == list(range(8))
    assert (calls[-1]["dictionary"] == model.components_).all()
    costs = [call["batch_cost"] for call in calls]
    np.testing.assert_array_equal(model.history_["cost"], costs)
    assert "Minibatch step 8/8: mean batch cost" in capsys.readouterr().out


@pytest.mark.parametrize("method", ["lars", "cd"])
def test_functions_are_theirs(method):
    X, options = rows(), {"n_components": 4, "alpha": 0.5, "random_state": 0, "method": method}
    options["max_iter"] = 4
    atol = TURNS if method == "lars" else 1e-2
    mine = dict_learning(X, return_n_iter=True, **options)
    reference = theirs.dict_learning(X, return_n_iter=True, **options)
    for found, expected in zip(mine, reference, strict=True):
        np.testing.assert_allclose(found, expected, atol=atol, rtol=atol)
    assert len(dict_learning(X, **options)) == 3
    mine = dict_learning_online(X, batch_size=20, **options)
    reference = theirs.dict_learning_online(X, batch_size=20, **options)
    for found, expected in zip(mine, reference, strict=True):
        np.testing.assert_allclose(found, expected, atol=10 * atol)
    alone = dict_learning_online(X, batch_size=20, return_code=False, **options)
    np.testing.assert_array_equal(alone, mine[1])


@pytest.mark.parametrize("cls", [DictionaryLearning, MiniBatchDictionaryLearning])
def test_what_is_refused(cls):
    X = rows()
    with pytest.raises(ValueError, match="not supported for 'lars' coding"):
        cls(positive_code=True).fit(X)
    with pytest.raises(ValueError, match="different numbers of features"):
        cls(dict_init=np.ones((3, 5)), **start_for(cls)).fit(X)
    with pytest.raises(ValueError, match="NaN"):
        cls().fit(np.where(X > 2, np.nan, X))
    with pytest.raises(ValueError, match="too large"):
        cls(max_iter=2).fit(X * 1e200)
    model = cls(3, max_iter=2, random_state=0).fit(X)
    with pytest.raises(ValueError, match="6 features"):
        model.transform(X[:, :5])
    with pytest.raises(ValueError, match="Expected 3, got 6"):
        model.inverse_transform(X)
    model.set_params(transform_n_nonzero_coefs=4)
    with pytest.raises(ValueError, match="cannot be more than"):
        model.transform(X)


def start_for(cls):
    return {"code_init": np.ones((80, 3))} if cls is DictionaryLearning else {}


@pytest.mark.parametrize("cls", [DictionaryLearning, MiniBatchDictionaryLearning])
@pytest.mark.parametrize("X", [np.zeros((20, 3)), np.ones((20, 3)), np.eye(3)[[0] * 20]], ids=str)
@pytest.mark.filterwarnings("ignore")  # of atoms that depend on each other
def test_degenerate_rows(cls, X):
    model = cls(5, random_state=0, max_iter=20).fit(X)
    assert np.isfinite(model.components_).all()
    assert np.isfinite(model.transform(X)).all()


@pytest.mark.parametrize("shape", [(40, 7), (7, 40)])
def test_singular_codes(shape):
    X = np.random.default_rng(0).standard_normal(shape)
    X[:, 1], X[1] = 0.0, X[0]  # of rank 5 or 6
    U, s, Vt = np.linalg.svd(X, full_matrices=False)
    code, atoms = svd_flip(*singular_codes(X, None, 7))
    U, Vt = svd_flip(U, Vt)
    few = s > 1e-9
    assert_allclose(code[:, few], U[:, few], atol=1e-12)
    assert_allclose(atoms, s[:, np.newaxis] * Vt, atol=1e-12)
    assert_array_equal(code[:, ~few], 0)


def test_a_start_holds_no_copy_of_the_rows():
    X = np.random.default_rng(0).standard_normal((60_000, 50))
    singular_codes(X[:100], None, 3)
    tracemalloc.start()
    singular_codes(X, None, 3)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 0.7 * X.nbytes  # chunks, and three columns
