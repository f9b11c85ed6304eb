"""The losses of boosting: formulas, slopes by differences, quantiles by repetition."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.metrics import mean_pinball_loss

from skcourse.core.chunks import chunk_slices
from skcourse.ensemble.boosting_losses import FORMS, BoostingLoss
from skcourse.ensemble.boosting_passes import TILE
from skcourse.ensemble.boosting_quantiles import leaf_quantiles, quantile_of

EPS = np.finfo(np.float64).eps
H = 1e-5  # of the differences: errors of h^2 l''' / 6 from the formula, EPS l / h from rounding
CLASSES = {"log_loss": 2, "exponential": 2, "multinomial": 4}
NAMES = list(FORMS)


def make(name, n=500, seed=0, dtype=np.float64):
    """Return a loss, y, raw predictions and weights."""
    rng = np.random.default_rng(seed)
    n_classes = CLASSES.get(name)
    loss = BoostingLoss("log_loss" if name == "multinomial" else name, n_classes, quantile=0.3)
    y = rng.gamma(2.0, 1.0, n)
    if n_classes:
        y = rng.integers(0, n_classes, n).astype(np.int32)
    raw = rng.standard_normal((loss.n_raw, n)).astype(dtype)
    weights = rng.uniform(0.1, 2, n)
    loss.set_delta(y, raw, weights)
    return loss, y, raw, weights


def formula(name, loss, y, raw):
    """The values of all rows, as textbooks write them."""
    r, z, s = y - raw[0], raw[0], 2.0 * y - 1
    far = np.abs(r)
    return {
        "squared_error": lambda: r**2 / 2,
        "absolute_error": lambda: far,
        "quantile": lambda: np.maximum(0.3 * r, -0.7 * r),
        "huber": lambda: np.where(far <= loss.delta, r**2 / 2, loss.delta * (far - loss.delta / 2)),
        "poisson": lambda: np.exp(z) - y * z,
        "gamma": lambda: z + y * np.exp(-z),
        "log_loss": lambda: np.log1p(np.exp(-s * z)),
        "exponential": lambda: np.exp(-s * z),
        "multinomial": lambda: np.log(np.exp(raw).sum(axis=0)) - raw[y, np.arange(len(y))],
    }[name]()


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("weighted", [False, True])
def test_mean_loss_slopes_and_curvatures(name, weighted):
    loss, y, raw, weights = make(name)
    weights = weights if weighted else None
    w = weights if weighted else np.ones(len(y))
    g, h = np.full_like(raw, np.nan), np.ones_like(raw)
    mean = loss.gradients(y, raw, weights, g, h)
    expected = np.average(formula(name, loss, y, raw), weights=w)
    np.testing.assert_allclose(mean, expected, rtol=100 * EPS)
    assert loss.value(y, raw, weights) == mean
    turn = loss.delta if name == "huber" else 0.0
    for k in range(loss.n_raw):
        up, down = raw.copy(), raw.copy()
        up[k] += H
        down[k] -= H
        slope = w * (formula(name, loss, y, up) - formula(name, loss, y, down)) / (2 * H)
        size = 20 * (H**2 + EPS / H) * np.exp(2 * np.abs(raw).max(axis=0)) * (1 + np.abs(y))
        smooth = np.abs(np.abs(y - raw[0]) - turn) > 2 * H if loss.kinked else slice(None)
        assert np.all(np.abs(slope - g[k])[smooth] <= size[smooth])
        if loss.kinked and name != "huber":
            np.testing.assert_array_equal(h[k], w)
        elif name != "huber":
            gu, gd = np.empty_like(raw), np.empty_like(raw)
            loss.gradients(y, up, weights, gu, None)
            loss.gradients(y, down, weights, gd, None)
            assert np.all(np.abs((gu - gd)[k] / (2 * H) - h[k]) <= 2 * size)
    plain = np.empty_like(g)
    loss.gradients(y, raw, weights, plain, None, scaled=False)
    np.testing.assert_allclose(plain * w, g, rtol=4 * EPS)


@pytest.mark.parametrize("name", ["squared_error", "log_loss", "multinomial"])
def test_threads_change_no_bit(name):
    loss, y, raw, weights = make(name, n=60_000)
    row_bytes = 16 + 3 * raw.itemsize * loss.n_raw
    assert len(chunk_slices(len(y), row_bytes, min_rows=8 * TILE)) > 1
    one, two = np.empty_like(raw), np.empty_like(raw)
    assert loss.gradients(y, raw, weights, one, None, 1) == loss.gradients(
        y, raw, weights, two, None, 3
    )
    np.testing.assert_array_equal(one, two)


@pytest.mark.parametrize("name", NAMES)
def test_single_precision(name):
    loss, y, raw, weights = make(name, dtype=np.float32)
    double = raw.astype(np.float64)
    g, h = np.empty_like(raw), np.empty_like(raw)
    expected = np.empty_like(double), np.empty_like(double)
    mean = loss.gradients(y, raw, weights, g, h)
    assert mean == loss.gradients(y, double, weights, *expected)
    np.testing.assert_allclose(g, expected[0], rtol=1e-7)
    np.testing.assert_allclose(h, expected[1], rtol=1e-7)


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("weighted", [False, True])
def test_no_constant_is_better_than_the_baseline(name, weighted):
    loss, y, _, weights = make(name, n=101)
    weights = weights if weighted else None
    best = loss.baseline(y, weights)
    risk = [
        loss.value(y, np.repeat((best + step)[:, np.newaxis], len(y), axis=1), weights)
        for step in (0.0, -1e-3, 1e-3, *(0.1 * np.eye(loss.n_raw) if loss.n_raw > 1 else ()))
    ]
    if name == "huber":  # from the median, one step
        assert risk[0] <= loss.value(y, np.full((1, len(y)), np.median(y)), weights) + EPS
    else:
        assert min(risk) >= risk[0] - 10 * EPS * abs(risk[0])


@pytest.mark.parametrize("name", ["log_loss", "exponential", "multinomial"])
def test_baseline_has_the_shares_of_the_classes(name):
    loss, y, _, weights = make(name)
    shares = np.bincount(y, weights) / weights.sum()
    raw = loss.baseline(y, weights)[:, np.newaxis]
    np.testing.assert_allclose(loss.proba(raw)[0], shares, rtol=10 * EPS)
    np.testing.assert_allclose(loss.raw_of_shares(shares[np.newaxis]), raw, atol=10 * EPS)


def test_links_of_means():
    for name in ("poisson", "squared_error"):
        loss = BoostingLoss(name)
        np.testing.assert_allclose(loss.mean(loss.raw_of_means([2.0, 3.0])), [2, 3], rtol=4 * EPS)


def test_delta_is_the_quantile_of_the_residuals():
    loss, y, raw, _ = make("huber")
    loss.set_delta(y, raw)
    assert loss.delta == np.quantile(np.abs(y - raw[0]), 0.3)


@pytest.mark.parametrize("name", ["absolute_error", "quantile", "huber"])
def test_leaves_are_fitted_one_by_one(name):
    loss, y, raw, weights = make(name)
    leaves = np.random.default_rng(1).integers(-1, 5, len(y))
    for w in (None, weights):
        found = loss.leaf_values(leaves, 7, y, raw, w)
        for leaf in range(5):
            there = leaves == leaf
            alone = None if w is None else w[there]
            expected = loss.baseline((y - raw[0])[there], alone)[0]
            np.testing.assert_allclose(found[leaf], expected, rtol=10 * EPS)
        assert np.all(found[5:] == 0)


NUMBERS = st.lists(st.integers(-5, 5), min_size=1, max_size=12)
SHARES = st.sampled_from([0.05, 0.25, 0.3, 0.5, 0.9, 0.99])


@given(NUMBERS, SHARES, st.booleans(), st.data())
def test_a_weight_is_a_repetition(numbers, quantile, interpolate, data):
    numbers = np.array(numbers, float)
    weights = data.draw(st.lists(st.integers(0, 3), min_size=len(numbers), max_size=len(numbers)))
    if not sum(weights):
        weights[0] = 2
    repeated = np.repeat(numbers, weights)
    found = quantile_of(numbers, np.array(weights, float), quantile, interpolate)
    assert found == quantile_of(repeated, None, quantile, interpolate)
    if interpolate:
        assert abs(found - np.quantile(repeated, quantile)) <= 20 * EPS
    else:
        assert found == np.quantile(repeated, quantile, method="inverted_cdf")


@given(NUMBERS, SHARES)
def test_no_number_has_less_pinball_loss_than_the_quantile(numbers, quantile):
    numbers = np.array(numbers, float)
    weights = np.random.default_rng(len(numbers)).uniform(0.1, 2, len(numbers))
    found = quantile_of(numbers, weights, quantile, interpolate=True)

    def loss(z):
        options = {"sample_weight": weights, "alpha": quantile}
        return mean_pinball_loss(numbers, np.full(len(numbers), z), **options)

    assert loss(found) <= min(loss(z) for z in numbers) + 20 * EPS


def test_leaf_quantiles_on_threads():
    rng = np.random.default_rng(0)
    numbers, leaves = rng.standard_normal(20_000), rng.integers(0, 30, 20_000)
    one = leaf_quantiles(leaves, 30, numbers, None, 0.5, interpolate=True, n_jobs=1)
    many = leaf_quantiles(leaves, 30, numbers, None, 0.5, interpolate=True, n_jobs=4)
    np.testing.assert_array_equal(one, many)
    np.testing.assert_array_equal(one[3], np.quantile(numbers[leaves == 3], 0.5))


def test_a_quantile_needs_weight():
    with pytest.raises(ValueError, match="weight is positive"):
        quantile_of(np.ones(3), np.zeros(3), 0.5, interpolate=False)
