"""Non-negative factorisation: scikit-learn's own iterates, the objective, and odd input."""

import numpy as np
import pytest
import scipy.sparse as sp
from scipy.optimize import nnls
from sklearn.decomposition import NMF as Theirs
from sklearn.decomposition import non_negative_factorization as theirs_as_function
from sklearn.exceptions import ConvergenceWarning

from skcourse.decomposition import NMF, nmf_start, non_negative_factorization
from skcourse.decomposition.nmf_losses import divergence, ratios
from skcourse.decomposition.nmf_products import FEW, rows_times
from skcourse.decomposition.nmf_rows import rows_of

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
BETAS = [2, 1, 0, 0.5, 1.5, 3, -1]


@pytest.fixture(scope="module")
def X():
    """Rows of several chunks, of rank 6 and noise; a third of the entries is 0."""
    rng = np.random.default_rng(0)
    X = rng.random((900, 6)) ** 2 @ rng.random((6, 40)) + 0.1 * rng.random((900, 40))
    return np.where(rng.random(X.shape) < 1 / 3, 0.0, X)


def assert_same_run(ours, theirs, X, dtype=np.float64):
    """A rounding error grows on the way: 30 iterations of condition below 100, each adds n eps."""
    W, expected = ours.fit_transform(X), theirs.fit_transform(X)
    tolerance = 30 * 100 * np.sqrt(max(X.shape)) * np.finfo(dtype).eps
    for found, wanted in ((W, expected), (ours.components_, theirs.components_)):
        assert found.dtype == dtype
        np.testing.assert_allclose(found, wanted, rtol=0, atol=tolerance * wanted.max())
    assert ours.n_iter_ == theirs.n_iter_
    assert ours.reconstruction_err_ == pytest.approx(theirs.reconstruction_err_, rel=tolerance)


@pytest.mark.parametrize("init", [None, "random", "nndsvd", "nndsvda", "nndsvdar"])
@pytest.mark.parametrize("dtype", [np.float64, np.float32])
def test_same_iterates_from_every_start(X, init, dtype):
    how = {"n_components": 5, "init": init, "random_state": 0, "max_iter": 30}
    assert_same_run(NMF(**how), Theirs(**how), X.astype(dtype), dtype)


@pytest.mark.parametrize(
    "more",
    [
        {"alpha_W": 0.01},
        {"alpha_W": 0.01, "l1_ratio": 1.0},
        {"alpha_W": 0.01, "alpha_H": 0.002, "l1_ratio": 0.3},
        {"shuffle": True},
        {"tol": 0.05, "max_iter": 200},
        {"solver": "mu", "alpha_W": 0.01, "alpha_H": 0.0, "l1_ratio": 0.5},
        {"solver": "mu", "beta_loss": 1, "alpha_W": 0.001},
        {"solver": "mu", "tol": 0.01, "max_iter": 200},
        {"solver": "mu", "tol": 0.0},
    ],
)
@pytest.mark.parametrize("layout", [np.asarray, sp.csr_array])
def test_same_iterates_for_every_parameter(X, more, layout):
    how = {"n_components": 5, "init": "random", "random_state": 3, "max_iter": 30} | more
    assert_same_run(NMF(**how), Theirs(**how), layout(X))


@pytest.mark.parametrize("beta", BETAS)
def test_same_iterates_for_every_divergence(X, beta):
    X = X if beta > 0 else X + 0.1
    how = {"n_components": 4, "init": "random", "random_state": 0, "max_iter": 25}
    how |= {"solver": "mu", "beta_loss": beta}
    assert_same_run(NMF(**how), Theirs(**how), X)
    dense, sparse = NMF(**how).fit(X), NMF(**how).fit(sp.csc_array(X))
    np.testing.assert_allclose(sparse.components_, dense.components_, rtol=1e-8, atol=1e-10)


def test_names_of_divergences_are_numbers(X):
    how = {"n_components": 3, "solver": "mu", "init": "random", "random_state": 0, "max_iter": 5}
    names = {"frobenius": 2, "kullback-leibler": 1, "itakura-saito": 0}
    for name, beta in names.items():
        named, numbered = (NMF(beta_loss=b, **how).fit(X + 0.1) for b in (name, beta))
        np.testing.assert_array_equal(named.components_, numbered.components_)


@pytest.mark.parametrize("shape", [(3, 700), (700, 3), (40, 5000)])
def test_wide_and_narrow(shape):
    X = np.random.default_rng(1).random(shape)
    how = {"n_components": 2, "init": "random", "random_state": 0, "max_iter": 30}
    assert_same_run(NMF(**how), Theirs(**how), X)


@pytest.mark.parametrize("solver", ["cd", "mu"])
@pytest.mark.parametrize("layout", [np.asarray, sp.csr_array])
def test_loss_of_the_history_is_the_objective_and_falls(X, solver, layout):
    alpha, ratio = 0.003, 0.4
    model = NMF(5, alpha_W=alpha, l1_ratio=ratio, solver=solver, init="random", random_state=0)
    model.set_params(max_iter=40, tol=0.0)
    W = model.fit_transform(layout(X))
    H, (n, p) = model.components_, X.shape
    expected = np.sum((X - W @ H) ** 2) / 2
    expected += alpha * ratio * (p * W.sum() + n * H.sum())
    expected += alpha * (1 - ratio) * (p * np.sum(W**2) + n * np.sum(H**2)) / 2
    loss = model.history_["loss"]
    assert len(loss) == model.n_iter_ == 40
    assert loss[-1] == pytest.approx(expected, rel=1e-10)  # known to eps |X|^2, |X|^2 < 1e5 loss
    assert np.all(np.diff(loss) < 0)


def test_violation_of_the_history_decides_the_end(X):
    model = NMF(5, init="random", random_state=0, tol=0.03, max_iter=500).fit(X)
    ratio = model.history_["violation"] / model.history_["violation"][0]
    assert np.all(ratio[:-1] > 0.03) and ratio[-1] <= 0.03


@pytest.mark.parametrize("beta", [1, 1.5, 0.5, 3])
def test_loss_of_the_history_is_the_divergence(X, beta):
    how = {"solver": "mu", "beta_loss": beta, "init": "random", "random_state": 0, "tol": 0.0}
    model = NMF(4, max_iter=15, **how).fit(X)
    loss = model.history_["loss"]
    assert len(loss) == 15 and np.all(np.diff(loss) < 0)
    assert np.sqrt(2 * loss[-1]) == pytest.approx(model.reconstruction_err_, rel=1e-12)


@pytest.mark.parametrize("beta", BETAS)
def test_ratios_are_the_gradient_of_the_divergence(beta):
    rng = np.random.default_rng(0)
    x, y, move = rng.random((3, 4, 5)) + 0.5
    R, S = ratios(x, y.copy(), beta)
    S = {1: 1.0, 2: y}.get(beta, S)
    h = 1e-5  # central differences: h^2 third derivatives, and eps / h
    ahead, behind = (divergence(x, y + sign * h * move, beta) for sign in (1, -1))
    assert np.sum((S - R) * move) == pytest.approx((ahead - behind) / (2 * h), rel=1e-6, abs=1e-8)
    assert divergence(x, x.copy(), beta) == pytest.approx(0.0, abs=1e-12)


def test_transform_is_nonnegative_least_squares(X):
    model = NMF(4, init="random", random_state=0, max_iter=50).fit(X)
    model.set_params(tol=1e-14, max_iter=20_000)
    expected = np.stack([nnls(model.components_.T, x)[0] for x in X[:30]])
    W = model.transform(X[:30])
    np.testing.assert_allclose(W, expected, atol=1e-8 * expected.max())  # condition^2 tol
    np.testing.assert_allclose(model.transform(sp.csr_array(X[:30])), W, atol=1e-10)
    np.testing.assert_allclose(model.inverse_transform(W), W @ model.components_)


@pytest.mark.parametrize("more", [{}, {"shuffle": True}, {"solver": "mu"}, {"alpha_W": 0.01}])
def test_transform_agrees_with_theirs(X, more):
    how = {"n_components": 3, "init": "random", "random_state": 0, "tol": 1e-10, "max_iter": 3000}
    ours, theirs = (cls(**how | more).fit(X[:60]) for cls in (NMF, Theirs))
    theirs.components_ = ours.components_
    found, expected = ours.transform(X), theirs.transform(X)
    # mu ends when an error falls by less than tol of the first one, far from its limit
    tolerance = 1e-3 if more.get("solver") else 1e-7
    np.testing.assert_allclose(found, expected, atol=tolerance * expected.max())


def test_row_is_solved_the_same_in_any_company(X):
    model = NMF(4, init="random", random_state=0, max_iter=30).fit(X)
    alone = np.concatenate([model.transform(X[i : i + 1]) for i in range(70)])
    np.testing.assert_allclose(model.transform(X)[:70], alone, atol=1e-12)


def test_warns_if_rows_are_not_solved(X):
    model = NMF(4, init="random", random_state=0, max_iter=30).fit(X).set_params(max_iter=2)
    message = "Maximum number of iterations 2 reached. Increase it to improve convergence."
    with pytest.warns(ConvergenceWarning, match=message):
        model.transform(X)
    with pytest.warns(ConvergenceWarning, match=message) as caught:
        model.fit(X)
    assert caught[0].filename == __file__


@pytest.mark.parametrize("solver", ["cd", "mu"])
def test_custom_start_is_used_and_left_alone(X, solver):
    rng = np.random.default_rng(0)
    W, H = rng.random((len(X), 3)), rng.random((3, X.shape[1]))
    before = W.copy(), H.copy()
    how = {"init": "custom", "solver": solver, "max_iter": 20}
    model, theirs = NMF(**how), Theirs(**how)
    found = model.fit_transform(X, W=W, H=H)
    np.testing.assert_array_equal(W, before[0])
    np.testing.assert_array_equal(H, before[1])
    expected = theirs.fit_transform(X, W=W.copy(), H=H.copy())
    np.testing.assert_allclose(found, expected, atol=1e-10)
    assert model.n_components_ == 3
    again, _, _ = non_negative_factorization(X, W, H, n_components=3, **how)
    np.testing.assert_array_equal(again, found)


def test_function_finds_W_alone(X):
    H = np.random.default_rng(0).random((3, X.shape[1]))
    how = {"H": H, "n_components": 3, "update_H": False, "tol": 1e-8, "max_iter": 5000}
    W, same, n_iter = non_negative_factorization(X, **how)
    expected, _, _ = theirs_as_function(X, **how)
    np.testing.assert_allclose(W, expected, atol=1e-5)
    np.testing.assert_array_equal(same, H)
    assert 1 < n_iter < 5000


def test_start_is_the_users_random_state(X):
    one, same, other = (NMF(4, init="random", random_state=s, max_iter=2) for s in (0, 0, 1))
    np.testing.assert_array_equal(one.fit(X).components_, same.fit(X).components_)
    assert np.abs(one.components_ - other.fit(X).components_).max() > 1e-3


@pytest.mark.parametrize("verbose", [0, 1])
def test_verbose_prints(X, capsys, verbose):
    NMF(3, max_iter=3, verbose=verbose).fit(X)
    NMF(3, solver="mu", max_iter=11, verbose=verbose).fit(X)
    said = capsys.readouterr().out
    assert said.count("violation:") == 3 * verbose
    assert said.count("Epoch 10 reached after") == said.count("Epoch 11 reached after") == verbose


BAD = {
    "negative": (lambda X: -X, {}, "Negative values in data passed to NMF"),
    "NaN": (lambda X: np.where(X > 1, np.nan, X), {}, "Input X contains NaN"),
    "zeros and Itakura": (
        lambda X: X,
        {"solver": "mu", "beta_loss": 0},
        "When beta_loss <= 0 and X contains zeros",
    ),
    "divergence by cd": (lambda X: X, {"beta_loss": 1.0}, "solver 'cd' does not handle"),
    "too many": (lambda X: X, {"n_components": 41, "init": "nndsvd"}, "init = 'nndsvd' can only"),
}


@pytest.mark.parametrize("kind", BAD)
def test_refused(X, kind):
    change, how, message = BAD[kind]
    for layout in (np.asarray, sp.csr_array):
        with pytest.raises(ValueError, match=message):
            NMF(**{"n_components": 2} | how).fit(layout(change(X)))


def test_transform_refuses_negative_rows(X):
    model = NMF(2, max_iter=5).fit(X)
    with pytest.raises(ValueError, match="Negative values in data passed to"):
        model.transform(-X)


def test_numbers_beyond_the_range_are_refused():
    X = np.ones((5, 4))
    with pytest.raises(ValueError, match="left the range of numbers"):
        NMF(2, init="custom").fit(X, W=np.full((5, 2), 1e200), H=np.full((2, 4), 1e200))


@pytest.mark.parametrize("size", [1e-300, 1e-200, 1e200, 1e300])
@pytest.mark.parametrize("solver", ["cd", "mu"])
def test_any_size_of_numbers(X, size, solver):
    how = {"n_components": 3, "init": "random", "random_state": 0, "max_iter": 20}
    plain, model = (NMF(solver=solver, **how) for _ in range(2))
    expected = plain.fit_transform(X) @ plain.components_
    W = model.fit_transform(X * size)
    relative = model.reconstruction_err_ / size
    assert relative == pytest.approx(plain.reconstruction_err_, rel=1e-9)
    np.testing.assert_allclose(W @ (model.components_ / size), expected, atol=1e-9)
    assert np.all(np.isfinite(model.transform(X * size)))


@pytest.mark.parametrize("beta", [1, 0])
def test_small_numbers_are_not_rounded_away(X, beta):
    how = {"solver": "mu", "beta_loss": beta, "init": "random", "random_state": 0, "max_iter": 20}
    plain = NMF(3, **how).fit(X + 0.1)
    small = NMF(3, **how).fit((X + 0.1) * 2.0**-40)  # an error of its unit^(beta / 2)
    expected = plain.reconstruction_err_ * 2.0 ** (-20 * beta)
    assert small.reconstruction_err_ == pytest.approx(expected, rel=1e-4)


@pytest.mark.parametrize("solver", ["cd", "mu"])
@pytest.mark.parametrize("layout", [np.asarray, sp.csr_array])
def test_zeros_are_sums_of_nothing(X, solver, layout):
    model = NMF(3, solver=solver)
    W = model.fit_transform(layout(np.zeros((6, 5))))
    assert not W.any() and model.reconstruction_err_ == 0
    assert not model.transform(layout(np.ones((2, 5)))).any()
    gaps = X.copy()
    gaps[7], gaps[:, 3] = 0.0, 0.0
    model = NMF(3, solver=solver, max_iter=60)
    W = model.fit_transform(layout(gaps))
    assert W[7].max() < 1e-2 * W.max() and model.components_[:, 3].max() < 1e-2 * W.max()


def test_sums_of_float32_are_float64():
    X = np.ones((300_000, 2), np.float32)
    rows = rows_of(X, 2)
    N, G, _ = rows.round_trip(X[:, :1].copy(), X[:2, :1].copy(), lambda w, N: 0.0)
    assert N.dtype == G.dtype == np.float64
    assert np.all(N == 300_000) and np.all(G == 300_000)
    sparse = rows_of(sp.csr_array(X), 2).round_trip(
        X[:, :1].copy(), X[:2, :1].copy(), lambda w, N: 0.0
    )
    assert np.all(sparse[0] == 300_000)


def test_singular_start_of_a_matrix_of_lower_rank():
    X = np.outer(np.arange(1.0, 7), np.arange(1.0, 5))
    with np.errstate(all="raise", under="ignore"):
        W, Ht = nmf_start.start(X, 3, "nndsvd", 0)
    np.testing.assert_allclose(W @ Ht.T, X, atol=1e-10)
    with np.errstate(all="raise", under="ignore"):
        assert not np.any(np.isnan(nmf_start.start(0 * X, 3, "nndsvda", 0)[0]))


def test_penalty_of_rows_does_not_depend_on_their_number(X):
    model = NMF(3, alpha_W=0.02, l1_ratio=0.5, init="random", random_state=0, tol=1e-8).fit(X)
    np.testing.assert_allclose(model.transform(X[:5]), model.transform(X)[:5], atol=1e-12)


@pytest.mark.parametrize("beta", [0.5, 1])
def test_what_is_all_but_nothing_becomes_nothing(X, beta):
    rng = np.random.default_rng(0)
    W, H = rng.random((len(X), 3)), rng.random((3, X.shape[1]))
    H[1, 2] = 1e-19
    how = {"init": "custom", "solver": "mu", "beta_loss": beta, "max_iter": 10}
    assert NMF(**how).fit(X, W=W, H=H).components_[1, 2] == 0


def test_singular_pair_without_a_part_of_one_sign(monkeypatch):
    found = np.eye(2), np.array([1.0, 0.0]), np.diag([1.0, -1.0])  # of diag(1, 0), as may be
    monkeypatch.setattr(nmf_start, "randomized_svd", lambda *args, **kwargs: found)
    W, Ht = nmf_start.start(np.diag([1.0, 0.0]), 2, "nndsvd", 0)
    np.testing.assert_array_equal(W, np.diag([1.0, 0.0]))
    np.testing.assert_array_equal(Ht, np.diag([1.0, 0.0]))


@pytest.mark.parametrize("dtype", [np.float64, np.float32])
@pytest.mark.parametrize("k", [1, 3, 4, 6, 32, 33])
def test_products_of_rows_with_few_columns(k, dtype):
    rng = np.random.default_rng(0)
    for n, p in [(1, 1), (2, 37), (4, 8), (7, 129), (130, 5)]:
        x, H = rng.random((n, p)).astype(dtype), rng.random((k, p)).astype(dtype)
        found = rows_times(x, H)
        assert found.dtype == dtype and found.shape == (n, k)
        np.testing.assert_allclose(found, x.astype(float) @ H.T, rtol=2 * p * np.finfo(dtype).eps)
        alone = np.concatenate([rows_times(x[i : i + 1], H) for i in range(n)])
        if k <= FEW:
            np.testing.assert_array_equal(found, alone)
