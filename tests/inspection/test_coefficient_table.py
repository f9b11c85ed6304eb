"""Standard errors against statsmodels, closed forms, formulas taken literally, and simulations."""

import functools
import warnings

import numpy as np
import pytest
import sklearn.linear_model
from hypothesis import given
from hypothesis import strategies as st
from scipy import sparse, stats
from sklearn.base import clone
from sklearn.datasets import load_diabetes
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import PolynomialFeatures, StandardScaler

import skcourse.linear_model
from skcourse.inspection import coefficient_table
from skcourse.linear_model import (
    GammaRegressor,
    GradientDescentRegressor,
    LinearRegression,
    LogisticRegression,
    PoissonRegressor,
    TweedieRegressor,
)

KINDS = ("classical", "HC0", "HC1", "HC2", "HC3")
EXACT = {"solver": "newton-cholesky", "tol": 1e-10}
GLM = {"alpha": 0, "max_iter": 1000, **EXACT}
MODELS = {
    "normal": ("LinearRegression", {}),
    "poisson": ("PoissonRegressor", GLM),
    "gamma": ("GammaRegressor", GLM),
    "tweedie": ("TweedieRegressor", {"power": 1.5, **GLM}),
    "identity": ("TweedieRegressor", {"power": 2, "link": "identity", **GLM}),
    "logistic": ("LogisticRegression", {"C": np.inf, **EXACT}),
    "multinomial": ("LogisticRegression", {"C": np.inf, **EXACT}),
}
TARGETS = {
    "logistic": lambda y: y > 150,
    "multinomial": lambda y: np.digitize(y, [100, 200]),
}


@functools.cache
def diabetes():
    """Age, body mass index and blood pressure of patients, and how ill they were a year later."""
    X, y = load_diabetes(return_X_y=True, scaled=False)
    return np.ascontiguousarray(X[:, [0, 2, 3]]), y


def fitted(model, X, y, sample_weight=None, library=skcourse.linear_model):
    name, parameters = MODELS[model]
    target = TARGETS.get(model, np.asarray)(y)
    estimator = getattr(library, name)(**parameters).fit(X, target, sample_weight=sample_weight)
    return estimator, X, target


def table(model, X, y, sample_weight=None, **options):
    known = fitted(model, X, y, sample_weight)
    return coefficient_table(*known, sample_weight=sample_weight, **options)


# statsmodels 0.15, with Z = add_constant(X), w = 1 + arange(442) % 3 and
#   OLS(y, Z).fit(cov_type=kind, use_t=True)
#   GLM(y, Z, family).fit(tol=1e-14, use_t=...): bse; for its HC0, and HC3 with c = 1 / (1 - h),
#     s = c * model.score_obs(params); A = inv(-model.hessian(params, observed=False));
#     sqrt(diag(A @ s.T @ s @ A)); h = get_hat_matrix_diag(observed=False)
#   Logit(y > 150, Z), MNLogit(digitize(y, [100, 200]), Z): .fit(cov_type=kind)
# and freq_weights=w for weights. Standard errors, the constant first, to ten digits.
STATSMODELS = {
    ("normal", "classical"): [22.5540733168, 0.2322010242, 0.7066381319, 0.2354625578],
    ("normal", "HC0"): [18.8621579409, 0.2170413332, 0.7186067016, 0.2309149033],
    ("normal", "HC1"): [18.9480907682, 0.2180301371, 0.7218805532, 0.2319669128],
    ("normal", "HC2"): [18.9637455307, 0.218272018, 0.7241598575, 0.2323795648],
    ("normal", "HC3"): [19.0661321036, 0.2195120836, 0.7297989407, 0.2338594845],
    ("poisson", "classical"): [0.0310900452, 0.0003184756, 0.0008879421, 0.000307268],
    ("poisson", "HC0"): [0.1340345623, 0.0014713753, 0.0040818407, 0.0014084017],
    ("poisson", "HC3"): [0.1353995994, 0.0014879156, 0.0041591708, 0.0014273025],
    ("gamma", "classical"): [0.1577297526, 0.0016238756, 0.0049418061, 0.0016466849],
    ("gamma", "HC0"): [0.1425793443, 0.0015594536, 0.0044658734, 0.0014655519],
    ("gamma", "HC3"): [0.1440456759, 0.0015769184, 0.0045198029, 0.001482234],
    ("tweedie", "classical"): [0.1554581445, 0.0016013143, 0.0046528389, 0.0015829668],
    ("tweedie", "HC0"): [0.1373091666, 0.0015133014, 0.0042319105, 0.0014332493],
    ("tweedie", "HC3"): [0.1386591559, 0.0015299273, 0.0042922544, 0.0014504777],
    ("identity", "classical"): [20.1261021973, 0.2107292177, 0.7781658356, 0.2326547937],
    ("identity", "HC0"): [18.5014013019, 0.2053612617, 0.753788133, 0.2095231687],
    ("identity", "HC3"): [18.818721169, 0.2083495642, 0.7627665532, 0.2121147732],
    ("logistic", "classical"): [1.1089131286, 0.0091596029, 0.0307262804, 0.0095075939],
    ("logistic", "HC0"): [1.071547639, 0.0093211307, 0.0298739413, 0.0092525209],
    ("multinomial", "classical"): [
        *(1.1700516553, 0.0095741326, 0.0373970674, 0.0108545517),
        *(1.6496567162, 0.0124941112, 0.0451751308, 0.013143428),
    ],
    ("multinomial", "HC0"): [
        *(1.1308880785, 0.0098704406, 0.0386951078, 0.0108937893),
        *(1.614054459, 0.0124286583, 0.0433745015, 0.0124192045),
    ],
}
WEIGHTED = {
    ("normal", "classical"): [15.5224829666, 0.1621716646, 0.5059132989, 0.1651671265],
    ("poisson", "HC0"): [0.0938968014, 0.0010083839, 0.0028796921, 0.0010046558],
}
P_VALUES = {
    "normal": [3.3468296429e-18, 6.8450618105e-01, 5.2882355469e-29, 1.5619737740e-08],
    "gamma": [1.3713857170e-50, 6.6335792758e-01, 1.3261548950e-24, 1.8914566703e-07],
    "logistic": [2.6446428391e-20, 8.6586750835e-01, 4.7850486057e-12, 1.4104990429e-06],
}
INTERVALS = {  # at 95%
    "normal": [
        (-249.4396306514, -0.3619555955, 7.1127721001, 0.8941439404),
        (-160.7843105801, 0.5507778088, 9.8904180214, 1.8196977477),
    ],
    "logistic": [
        (-12.4114358718, -0.0164053441, 0.1521518423, 0.0272254835),
        (-8.0645762836, 0.0194996394, 0.2725966483, 0.0644945668),
    ],
}


@pytest.mark.parametrize(
    "library", [skcourse.linear_model, sklearn.linear_model], ids=["ours", "theirs"]
)
@pytest.mark.parametrize("model", MODELS)
def test_errors_are_those_of_statsmodels(model, library):
    known = fitted(model, *diabetes(), library=library)
    for kind in KINDS:
        if (model, kind) in STATSMODELS:
            found = coefficient_table(*known, covariance=kind).standard_error
            np.testing.assert_allclose(found, STATSMODELS[model, kind], rtol=1e-8, atol=6e-11)


@pytest.mark.parametrize(("model", "kind"), WEIGHTED)
def test_weights_are_frequencies_as_in_statsmodels(model, kind):
    w = 1 + np.arange(442) % 3
    found = table(model, *diabetes(), sample_weight=w, covariance=kind)
    np.testing.assert_allclose(found.standard_error, WEIGHTED[model, kind], rtol=1e-8, atol=6e-11)


@pytest.mark.parametrize("model", P_VALUES)
def test_p_values_are_those_of_statsmodels(model):
    found = table(model, *diabetes())
    np.testing.assert_allclose(found.p_value, P_VALUES[model], rtol=1e-8)
    assert found.kind == ("z" if model == "logistic" else "t")


@pytest.mark.parametrize("model", INTERVALS)
def test_intervals_are_those_of_statsmodels(model):
    found = table(model, *diabetes())
    np.testing.assert_allclose([found.lower, found.upper], INTERVALS[model], rtol=1e-8, atol=1e-10)


def test_dispersion_is_that_of_statsmodels():
    assert table("gamma", *diabetes()).dispersion == pytest.approx(0.17670503661365464, rel=1e-10)
    assert table("tweedie", *diabetes()).dispersion == pytest.approx(2.062169420180036, rel=1e-10)
    assert table("poisson", *diabetes()).dispersion == 1.0


def test_one_mean():
    """Only an intercept: its error is that of a mean, s / sqrt(n)."""
    y = np.array([1.0, 2.0, 4.0, 8.0, 16.0])
    model = LinearRegression(fit_intercept=False)
    ones = np.ones((5, 1))
    found = coefficient_table(model.fit(ones, y), ones, y)
    np.testing.assert_allclose(found.standard_error, np.std(y, ddof=1) / np.sqrt(5), rtol=1e-14)
    assert found.p_value[0] == pytest.approx(stats.ttest_1samp(y, 0).pvalue, rel=1e-12)


@pytest.mark.parametrize("kind", ["classical", "HC2"])
def test_two_means(kind):
    """A dummy: Student's test of two means; with HC2, the variances of Welch's."""
    rng = np.random.default_rng(0)
    a, b = rng.normal(size=9), rng.normal(1, 3, size=14)
    X, y = np.repeat([[0.0], [1.0]], [9, 14], axis=0), np.concatenate([a, b])
    found = coefficient_table(LinearRegression().fit(X, y), X, y, covariance=kind)
    test = stats.ttest_ind(b, a, equal_var=kind == "classical")
    assert found.statistic[1] == pytest.approx(test.statistic, rel=1e-12)
    if kind == "classical":
        assert found.p_value[1] == pytest.approx(test.pvalue, rel=1e-12)


def test_a_table_of_counts():
    """Two groups: the error of a logarithm of odds, or of a ratio of counts, has a closed form."""
    a, b, c, d = 12, 30, 25, 8
    X, y = np.repeat([[0.0], [1.0]], [a + b, c + d], axis=0), np.repeat([1, 0, 1, 0], [a, b, c, d])
    model = LogisticRegression(C=np.inf, **EXACT).fit(X, y)
    found = coefficient_table(model, X, y)
    np.testing.assert_allclose(
        found.standard_error, [np.sqrt(1 / a + 1 / b), np.sqrt(1 / a + 1 / b + 1 / c + 1 / d)]
    )
    X, y = np.array([[0.0], [0.0], [1.0]]), np.array([a, b, c])
    found = coefficient_table(PoissonRegressor(**GLM).fit(X, y), X, y)
    np.testing.assert_allclose(
        found.standard_error, [np.sqrt(1 / (a + b)), np.sqrt(1 / (a + b) + 1 / c)]
    )


def literal(X, u, f, kind):
    """The formulas as they stand: A^-1 sum c_i u_i^2 z_i z_i' A^-1, with Z written out."""
    Z = np.column_stack([np.ones(len(X)), X])
    n, k = Z.shape
    inverse = np.linalg.inv(sum(f[i] * np.outer(Z[i], Z[i]) for i in range(n)))
    h = np.array([f[i] * Z[i] @ inverse @ Z[i] for i in range(n)])
    c = {"HC0": 1.0, "HC1": n / (n - k), "HC2": 1 / (1 - h), "HC3": 1 / (1 - h) ** 2}[kind]
    c = np.broadcast_to(c, n)
    M = sum(c[i] * u[i] ** 2 * np.outer(Z[i], Z[i]) for i in range(n))
    return inverse @ M @ inverse


@pytest.mark.parametrize("kind", KINDS[1:])
@pytest.mark.parametrize("model", ["normal", "poisson", "gamma", "tweedie", "logistic"])
def test_robust_covariances_are_the_formulas(model, kind):
    X, y = diabetes()
    X, y = X[:40], y[:40]
    estimator, _, target = fitted(model, X, y)
    if model == "logistic":
        mu = estimator.predict_proba(X)[:, 1]
        u, f = target - mu, mu * (1 - mu)
    else:
        mu = estimator.predict(X)
        p = {"poisson": 1.0, "gamma": 2.0, "tweedie": 1.5}.get(model)
        u = y - mu if p is None else (y - mu) * mu ** (1 - p)
        f = np.ones(40) if p is None else mu ** (2 - p)
    expected = literal(X, u, f, kind)
    found = coefficient_table(estimator, X, target, covariance=kind).covariance_matrix
    size = np.sqrt(np.outer(np.diagonal(expected), np.diagonal(expected)))
    # Z'Z as written out has a condition of about 1e7
    np.testing.assert_allclose(found / size, expected / size, atol=1e-8)


@pytest.mark.parametrize("model", MODELS)
def test_a_weight_counts_rows(model):
    X, y = diabetes()
    w = np.random.default_rng(0).integers(0, 3, len(y))
    often = fitted(model, np.repeat(X, w, axis=0), np.repeat(y, w))
    once = fitted(model, X, y, sample_weight=w)
    for kind in KINDS[:3] if model == "multinomial" else KINDS:
        repeated = coefficient_table(*often, covariance=kind)
        weighted = coefficient_table(*once, sample_weight=w, covariance=kind)
        assert weighted.df == repeated.df
        assert weighted.n_rows == repeated.n_rows == w.sum()
        for name in ("standard_error", "lower", "upper"):
            # the two fits agree to about the root of the working precision
            np.testing.assert_allclose(getattr(weighted, name), getattr(repeated, name), rtol=1e-6)


@pytest.mark.parametrize("kind", KINDS)
@given(
    scale=st.tuples(*[st.floats(0.01, 100)] * 3),
    shift=st.tuples(*[st.floats(-10, 10)] * 3),
    unit=st.floats(1e-3, 1e3),
    order=st.permutations(range(60)),
)
def test_units_origins_and_order_do_not_matter(kind, scale, shift, unit, order):
    X, y = diabetes()
    X, y, scale = (X[:60] - X.mean(0)) / X.std(0), y[:60], np.array(scale)
    one = coefficient_table(LinearRegression().fit(X, y), X, y, covariance=kind)
    Xt, yt = ((X + shift) * scale)[order], unit * y[order]
    two = coefficient_table(LinearRegression(tol=0).fit(Xt, yt), Xt, yt, covariance=kind)
    slopes = slice(1, None)
    # shifts of up to 10 standard deviations and scales that differ by up to 1e4 cost digits
    close = {"rtol": 1e-7, "atol": 1e-9}
    np.testing.assert_allclose(two.estimate[slopes] * scale / unit, one.estimate[slopes], **close)
    np.testing.assert_allclose(
        two.standard_error[slopes] * scale / unit, one.standard_error[slopes], **close
    )
    np.testing.assert_allclose(two.p_value[slopes], one.p_value[slopes], **close)


@pytest.mark.parametrize("model", ["normal", "poisson", "gamma", "logistic", "multinomial"])
def test_all_rows_twice_halve_the_robust_variance(model):
    X, y = diabetes()
    once = table(model, X, y, covariance="HC0").covariance_matrix
    twice = table(model, np.vstack([X, X]), np.append(y, y), covariance="HC0").covariance_matrix
    size = np.sqrt(np.outer(np.diagonal(once), np.diagonal(once)))
    np.testing.assert_allclose(2 * twice / size, once / size, atol=1e-6)  # of the two fits


def test_hc2_is_unbiased_where_the_variance_is_constant():
    """Over all signs of errors of size 1, whose covariance is 1, its mean is (Z'Z)^-1."""
    X = np.random.default_rng(0).normal(size=(8, 2))
    signs = np.array(np.meshgrid(*[[-1.0, 1.0]] * 8)).reshape(8, -1)
    n_signs = signs.shape[1]
    signs = signs[:, np.abs(signs.sum(axis=0)) < 8]  # the other two are fitted exactly: variance 0
    model = LinearRegression().fit(X, signs)
    found = coefficient_table(model, X, signs, covariance="HC2")
    variances = np.diagonal(found.covariance_matrix).reshape(-1, 3).sum(axis=0) / n_signs
    Z = np.column_stack([np.ones(8), X])
    np.testing.assert_allclose(variances, np.diagonal(np.linalg.inv(Z.T @ Z)), rtol=1e-12)


@pytest.fixture(scope="module")
def replicates():
    """A design of 30 rows, and 400 samples of y on it with slopes 0 and 2, about a mean of 1."""
    rng = np.random.default_rng(0)
    X = rng.uniform(0, 2, size=(30, 2))
    return X, 1 + 2 * X[:, [1]], rng.normal(size=(30, 400))


def test_p_values_are_uniform_where_the_slope_is_0(replicates):
    X, mean, noise = replicates
    found = coefficient_table(LinearRegression().fit(X, mean + noise), X, mean + noise)
    p = found.p_value[found.names == "x0"]
    assert stats.kstest(p, "uniform").pvalue > 0.01


def test_intervals_cover(replicates):
    X, mean, noise = replicates
    uneven = mean + noise * X[:, [1]] ** 2 / 2
    missed = {}
    for kind in ("classical", "HC3"):
        found = coefficient_table(LinearRegression().fit(X, uneven), X, uneven, covariance=kind)
        at = found.names == "x1"
        missed[kind] = np.count_nonzero((found.lower[at] > 2) | (found.upper[at] < 2))
    # of 400, 20 are expected to miss, at most 33 in 99.7% of all simulations; and HC3 on 30 rows
    # is only about right: the classical errors are the ones that are not
    assert missed["HC3"] <= 33
    assert missed["classical"] > 40


def test_logistic_intervals_cover():
    rng = np.random.default_rng(1)
    X = rng.normal(size=(200, 1))
    inside = 0
    for _ in range(200):
        y = rng.uniform(size=200) < 1 / (1 + np.exp(-X[:, 0]))
        found = table("logistic", X, 200.0 * y)
        inside += found.lower[1] < 1 < found.upper[1]
    assert 181 <= inside <= 199  # of 190 expected, three standard deviations


def test_least_squares_is_the_normal_model_among_the_others():
    X, y = diabetes()
    for kind in KINDS:
        one = table("normal", X, y, covariance=kind)
        model = TweedieRegressor(power=0, **GLM).fit(X, y)
        two = coefficient_table(model, X, y, covariance=kind)
        assert (one.kind, one.df) == (two.kind, two.df)
        np.testing.assert_allclose(one.covariance_matrix, two.covariance_matrix, rtol=1e-9)


def test_gamma_is_tweedie_of_power_2_and_poisson_of_1():
    X, y = diabetes()
    for model, power in (("gamma", 2), ("poisson", 1)):
        one = table(model, X, y, covariance="HC3")
        two = coefficient_table(
            TweedieRegressor(power=power, **GLM).fit(X, y), X, y, covariance="HC3"
        )
        assert one.kind == two.kind
        np.testing.assert_allclose(one.standard_error, two.standard_error, rtol=1e-9)


@pytest.mark.parametrize("kind", KINDS)
def test_several_targets_are_one_after_the_other(kind):
    X, y = diabetes()
    Y = np.column_stack([y, X[:, 1] + np.sqrt(y)])
    both = coefficient_table(LinearRegression().fit(X, Y), X, Y, covariance=kind)
    np.testing.assert_array_equal(both.outcomes, ["y0"] * 4 + ["y1"] * 4)
    for j in range(2):
        one = coefficient_table(LinearRegression().fit(X, Y[:, j]), X, Y[:, j], covariance=kind)
        mine = slice(4 * j, 4 * j + 4)
        np.testing.assert_allclose(both.p_value[mine], one.p_value, rtol=1e-8)
        np.testing.assert_allclose(both.standard_error[mine], one.standard_error, rtol=1e-10)
    # the difference of the two models is the model of the difference, with its covariance
    contrast = np.hstack([np.eye(4), -np.eye(4)])
    d = Y[:, 0] - Y[:, 1]
    alone = coefficient_table(LinearRegression().fit(X, d), X, d, covariance=kind)
    np.testing.assert_allclose(
        contrast @ both.covariance_matrix @ contrast.T, alone.covariance_matrix, rtol=1e-8
    )


@pytest.mark.parametrize("kind", ["classical", "HC0", "HC1"])
def test_classes_are_compared_with_the_first_whichever_it_is(kind):
    X, y = diabetes()
    y = np.digitize(y, [100, 200])
    one = coefficient_table(LogisticRegression(C=np.inf, **EXACT).fit(X, y), X, y, covariance=kind)
    turned = (y + 1) % 3  # 2 is the first class now, and its odds against 0, 1 are asked
    model = LogisticRegression(C=np.inf, **EXACT).fit(X, turned)
    two = coefficient_table(model, X, turned, covariance=kind)
    np.testing.assert_array_equal(one.outcomes, np.repeat([1, 2], 4))
    # b_0 - b_2 = -(b_2 - b_0),  b_1 - b_2 = (b_1 - b_0) - (b_2 - b_0)
    change = np.kron([[0.0, -1.0], [1.0, -1.0]], np.eye(4))
    np.testing.assert_allclose(two.estimate, change @ one.estimate, rtol=1e-6)
    expected = change @ one.covariance_matrix @ change.T
    size = np.sqrt(np.outer(np.diagonal(expected), np.diagonal(expected)))
    np.testing.assert_allclose(two.covariance_matrix / size, expected / size, atol=1e-6)


@pytest.mark.parametrize("model", ["normal", "poisson", "gamma", "logistic"])
def test_no_intercept_is_a_column_less(model):
    """An intercept by hand: a column of ones without one."""
    X, y = diabetes()
    X = (X - X.mean(0)) / X.std(0)
    estimator, _, target = fitted(model, X, y)
    ones = np.column_stack([np.ones(len(X)), X])
    by_hand = clone(estimator).set_params(fit_intercept=False).fit(ones, target)
    for kind in KINDS:
        found = coefficient_table(by_hand, ones, target, covariance=kind)
        expected = coefficient_table(estimator, X, target, covariance=kind)
        assert list(found.names) == ["x0", "x1", "x2", "x3"]
        np.testing.assert_allclose(found.standard_error, expected.standard_error, rtol=1e-6)


@pytest.mark.parametrize("model", ["normal", "poisson", "logistic", "multinomial"])
@pytest.mark.parametrize("form", [sparse.csr_array, sparse.csc_matrix])
def test_sparse_rows_are_dense_rows(model, form):
    X, y = diabetes()
    X = np.where(X.mean(0) < X, X, 0.0)
    kind = "HC1" if model == "multinomial" else "HC3"
    dense = table(model, X, y, covariance=kind)
    found = table(model, form(X), y, covariance=kind)
    np.testing.assert_allclose(found.standard_error, dense.standard_error, rtol=1e-6)


@pytest.mark.parametrize("model", ["normal", "poisson", "logistic", "multinomial"])
def test_threads_change_no_bit(model, monkeypatch):
    rng = np.random.default_rng(0)
    X = rng.normal(size=(60_000, 4))
    y = 150 + 40 * X[:, 0] + 30 * rng.normal(size=60_000)
    y = np.maximum(np.rint(y), 0)
    estimator, _, target = fitted(model, X, y)
    found = []
    for n_threads in (1, 2, 8):
        monkeypatch.setenv("OMP_NUM_THREADS", str(n_threads))
        one = coefficient_table(estimator, X, target, covariance="HC1")
        found.append((one.covariance_matrix.tobytes(), one.estimate.tobytes()))
    assert found[0] == found[1] == found[2]


@pytest.mark.parametrize("kind", KINDS)
def test_float32_rows_give_the_errors_of_float64(kind):
    rng = np.random.default_rng(0)
    X = rng.normal(size=(500, 3)).astype(np.float32)
    y = (X @ [1, 2, 3] + rng.normal(size=500)).astype(np.float32)
    found = coefficient_table(LinearRegression().fit(X, y), X, y, covariance=kind)
    X, y = X.astype(np.float64), y.astype(np.float64)
    expected = coefficient_table(LinearRegression().fit(X, y), X, y, covariance=kind)
    assert found.standard_error.dtype == np.float64  # sums are, and coefficients are as they are
    np.testing.assert_allclose(found.standard_error, expected.standard_error, rtol=1e-5)


@pytest.mark.parametrize("kind", KINDS)
def test_rows_far_from_the_origin_lose_nothing(kind):
    rng = np.random.default_rng(0)
    X = rng.integers(-50, 50, size=(200, 2)).astype(float)
    y = X @ [1.0, 2.0] + rng.normal(size=200)
    near = coefficient_table(LinearRegression().fit(X, y), X, y, covariance=kind)
    far = X + 1e9  # exact
    found = coefficient_table(LinearRegression().fit(far, y), far, y, covariance=kind)
    # 1e9 b is known to 1e-16 of itself, in the residuals
    np.testing.assert_allclose(found.standard_error[1:], near.standard_error[1:], rtol=1e-5)


def test_ill_conditioned_columns_take_the_orthogonal_route():
    """Powers up to the sixth, as they are: the condition of their scatter is about 4e12."""
    x = np.linspace(1, 2, 80)
    y = np.sin(x) + 0.1 * np.cos(37 * x)
    X = np.vander(x, 7, increasing=True)[:, 1:]
    found = coefficient_table(LinearRegression(tol=0).fit(X, y), X, y)
    Q, R = np.linalg.qr(np.column_stack([np.ones(80), X]))
    residuals = y - Q @ (Q.T @ y)
    inverse = np.linalg.inv(R)
    expected = np.sqrt(residuals @ residuals / 73 * np.sum(inverse**2, axis=1))
    # that of X is 2e6, which costs ten digits of sixteen at worst; the scatter would leave four
    np.testing.assert_allclose(found.standard_error, expected, rtol=1e-8)


def test_a_pipeline_is_its_last_step_on_what_the_others_make():
    X, y = load_diabetes(return_X_y=True, as_frame=True, scaled=False)
    X = X[["bmi", "bp"]]
    model = make_pipeline(StandardScaler(), PolynomialFeatures(2, include_bias=False))
    model.steps.append(("fit", LinearRegression()))
    found = coefficient_table(model.fit(X, y), X, y, covariance="HC3")
    seen = model[:-1].transform(X)
    expected = coefficient_table(model[-1], seen, y, covariance="HC3")
    assert list(found.names) == ["intercept", "bmi", "bp", "bmi^2", "bmi bp", "bp^2"]
    np.testing.assert_array_equal(found.covariance_matrix, expected.covariance_matrix)


def test_labels_may_be_words():
    X, y = diabetes()
    words = np.where(y > 150, "worse", "better")
    model = LogisticRegression(C=np.inf, **EXACT).fit(X, words)
    found = coefficient_table(model, X, words)
    np.testing.assert_allclose(
        found.standard_error, STATSMODELS["logistic", "classical"], rtol=1e-8, atol=6e-11
    )


def test_names_of_targets_and_features_come_along():
    X, y = load_diabetes(return_X_y=True, as_frame=True)
    Y = y.to_frame("progress").assign(root=np.sqrt(y))
    found = coefficient_table(LinearRegression().fit(X, Y), X, Y)
    assert list(found.names[:3]) == ["intercept", "age", "sex"]
    assert list(found.outcomes[[0, -1]]) == ["progress", "root"]


def test_names_can_be_given():
    X, y = diabetes()
    found = table("normal", X, y, feature_names=["age", "bmi", "bp"])
    assert list(found.names) == ["intercept", "age", "bmi", "bp"]
    with pytest.raises(ValueError, match="feature_names has 2 names, but there are 3 features"):
        table("normal", X, y, feature_names=["age", "bmi"])


def test_a_table_does_not_follow_the_estimator():
    X, y = diabetes()
    model = LinearRegression(fit_intercept=False).fit(X, y)
    found = coefficient_table(model, X, y)
    before = found.estimate.copy()
    model.coef_ *= 2
    np.testing.assert_array_equal(found.estimate, before)


def test_unpenalised_members_of_penalised_families_are_least_squares():
    X, y = diabetes()
    expected = table("normal", X, y)
    for name in ("Ridge", "ElasticNet"):
        for library in (sklearn.linear_model, skcourse.linear_model):
            if hasattr(library, name):
                options = {"tol": 1e-12, "max_iter": 100_000} if name == "ElasticNet" else {}
                model = getattr(library, name)(alpha=0, **options)
                with warnings.catch_warnings():
                    warnings.simplefilter("ignore", UserWarning)  # alpha=0 converges slowly
                    model.fit(X, y)
                found = coefficient_table(model, X, y)
                np.testing.assert_allclose(found.standard_error, expected.standard_error, 1e-8)


@pytest.mark.parametrize(
    ("loss", "model"), [("squared_error", "normal"), ("poisson", "poisson"), ("gamma", "gamma")]
)
def test_a_descent_that_has_arrived_is_a_fit_like_another(loss, model):
    X, y = diabetes()
    X, y = (X - X.mean(0)) / X.std(0), y / y.mean()
    walker = GradientDescentRegressor(
        loss, learning_rate="constant", eta0=0.5, batch_size=len(X), max_iter=2000, tol=1e-24
    )
    found = coefficient_table(walker.fit(X, y), X, y, covariance="HC3")
    expected = table(model, X, y, covariance="HC3")
    np.testing.assert_allclose(found.standard_error, expected.standard_error, rtol=1e-6)


def test_the_level_is_that_of_the_intervals():
    X, y = diabetes()
    found = table("normal", X, y, level=0.5)
    half = stats.t(438).ppf(0.75) * found.standard_error
    np.testing.assert_allclose(found.upper - found.estimate, half, rtol=1e-12)
    np.testing.assert_allclose(found.interval(0.95), INTERVALS["normal"], rtol=1e-8, atol=1e-10)


def test_nothing_is_written_to(monkeypatch):
    X, y = diabetes()
    X, y = X.copy(), y.copy()
    model = GammaRegressor(**GLM).fit(X, y)
    before, w = vars(model).copy(), np.ones(442)
    for array in (X, y, w):
        array.flags.writeable = False
    coefficient_table(model, X, y, sample_weight=w, covariance="HC3")
    assert vars(model).keys() == before.keys()
    assert all(vars(model)[name] is before[name] for name in before)
