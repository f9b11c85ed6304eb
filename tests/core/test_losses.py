"""Every loss: its formula, its derivatives by finite differences, its best constant."""

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from skcourse.core import losses
from skcourse.core.loss_traits import TRAITS, best_constant, in_domain, loss_traits
from skcourse.core.losses import Loss, derivatives, evaluate

EPS = np.finfo(np.float64).eps
H = 1e-5  # of the differences: errors of h^2 l''' / 6 from the formula, EPS l / h from rounding

SCALAR = [name for name in TRAITS if name not in ("multinomial", "gaussian")]
PARAMETERS = {
    "huber": (0.5, 1.35),
    "epsilon_insensitive": (0.0, 0.5),
    "squared_epsilon_insensitive": (0.0, 0.5),
    "pinball": (0.1, 0.5),
    "tweedie": (0.0, 1.0, 1.5, 2.0, 3.0, -1.0),
    "tweedie_identity": (0.0, 1.0, 1.5, 2.0, 3.0),
}
KINDS = [(name, number) for name in SCALAR for number in PARAMETERS.get(name, (0.0,))]


def formula(name, number, y, z):
    """The losses as textbooks write them, in numpy."""
    r, m = y - z, y * z
    if name.startswith("tweedie"):
        mu = np.exp(z) if name == "tweedie" else z
        if number == 1:
            return mu - y * np.log(mu)
        if number == 2:
            return np.log(mu) + y / mu
        if number == 0:
            return (y - mu) ** 2 / 2
        return mu ** (2 - number) / (2 - number) - y * mu ** (1 - number) / (1 - number)
    return {
        "squared_error": lambda: r**2 / 2,
        "huber": lambda: np.where(abs(r) <= number, r**2 / 2, number * abs(r) - number**2 / 2),
        "epsilon_insensitive": lambda: np.maximum(0, abs(r) - number),
        "squared_epsilon_insensitive": lambda: np.maximum(0, abs(r) - number) ** 2,
        "pinball": lambda: np.maximum(number * r, (number - 1) * r),
        "log_loss": lambda: np.log1p(np.exp(-m)),
        "hinge": lambda: np.maximum(0, 1 - m),
        "squared_hinge": lambda: np.maximum(0, 1 - m) ** 2,
        "modified_huber": lambda: np.where(m >= -1, np.maximum(0, 1 - m) ** 2, -4 * m),
        "perceptron": lambda: np.maximum(0, -m),
        "poisson": lambda: np.exp(z) - y * z,
        "gamma": lambda: z + y * np.exp(-z),
    }[name]()


def draw(data, name):
    """Draw y and z that a loss takes."""
    if TRAITS[name].task == "classification":
        y = data.draw(st.sampled_from([-1.0, 1.0]))
    elif TRAITS[name].domain[0] == 0:
        y = data.draw(st.floats(0.1, 3.0))
    else:
        y = data.draw(st.floats(-3.0, 3.0))
    return y, data.draw(st.floats(0.2 if name == "tweedie_identity" else -3.0, 3.0))


def kinks(name, number, y):
    """The z at which a derivative, or the second, jumps."""
    if name in ("huber", "epsilon_insensitive", "squared_epsilon_insensitive"):
        return y - number, y + number
    if TRAITS[name].task == "classification":
        return -1.0, 0.0, 1.0
    return (y,) if name == "pinball" else ()


@pytest.mark.parametrize(("name", "number"), KINDS)
@given(data=st.data())
def test_value_is_the_formula(name, number, data):
    y, z = draw(data, name)
    value = derivatives(Loss(TRAITS[name].code, number), y, z)[0]
    expected = formula(name, number, y, z)
    # terms of size exp(|p - 1| |z|) at most, rounded a few times each, may cancel
    assert abs(value - expected) <= 16 * EPS * np.exp(max(1, abs(number - 2)) * 3) * 3


@pytest.mark.parametrize(("name", "number"), KINDS)
@given(data=st.data())
def test_derivatives_by_differences(name, number, data):
    y, z = draw(data, name)
    assume(all(abs(z - kink) > 2 * H for kink in kinks(name, number, y)))
    loss = Loss(TRAITS[name].code, number)
    value, slope, curvature = derivatives(loss, y, z)
    above, below = derivatives(loss, y, z + H), derivatives(loss, y, z - H)
    # the next derivatives: exponents up to 4, or powers of z >= 0.2 up to -6
    size = 1 + abs(value) + abs(slope) + abs(curvature)
    next_ones = size * (100 if name == "tweedie" else 1e4 if name == "tweedie_identity" else 1)
    tol = H**2 * next_ones + 4 * EPS * size / H
    assert abs((above[0] - below[0]) / (2 * H) - slope) <= tol
    assert abs((above[1] - below[1]) / (2 * H) - curvature) <= tol


@pytest.mark.parametrize("name", SCALAR)
def test_curvature_is_bounded_as_stated(name):
    bound = TRAITS[name].curvature
    loss = Loss(TRAITS[name].code, 0.5)
    y = 1.0
    found = [derivatives(loss, y, z)[2] for z in np.linspace(0.01, 5, 500)]
    found += [derivatives(loss, y, z)[2] for z in np.linspace(-5, -0.01, 500)]
    assert max(found) <= bound
    if np.isfinite(bound):
        assert max(found) >= 0.99 * bound


@pytest.mark.parametrize(("name", "number"), KINDS)
@pytest.mark.parametrize("weighted", [False, True])
def test_evaluate_is_the_loop(name, number, weighted):
    rng = np.random.default_rng(0)
    z = rng.uniform(0.3, 2.0, 37)
    y = np.where(rng.random(37) < 0.5, 1.0, -1.0)
    if TRAITS[name].task == "regression":
        y = rng.uniform(0.5, 2, 37)
    weights = rng.uniform(0.5, 2, 37) if weighted else np.empty(0)
    loss, slopes, curvatures = (
        Loss(TRAITS[name].code, number),
        np.empty(37),
        np.empty(37),
    )
    total = evaluate(loss, y, z, weights, slopes, curvatures)
    expected = np.array([derivatives(loss, *pair) for pair in zip(y, z, strict=True)]).T
    expected = expected * weights if weighted else expected
    np.testing.assert_allclose(total, expected[0].sum(), rtol=37 * EPS)
    np.testing.assert_allclose(slopes, expected[1], rtol=4 * EPS)
    np.testing.assert_allclose(curvatures, expected[2], rtol=4 * EPS)


@given(st.lists(st.floats(-700, 700), min_size=2, max_size=6), st.data())
def test_multinomial(z, data):
    z, y = np.array(z), data.draw(st.integers(0, len(z) - 1))
    slopes = np.empty(len(z))
    value = losses.multinomial(y, z, slopes)
    shares = np.exp(z - z.max())
    expected = np.log(shares.sum()) + z.max() - z[y]
    assert abs(value - expected) <= 8 * EPS * (1 + np.abs(z).max())
    shares = shares / shares.sum()
    np.testing.assert_allclose(slopes, shares - np.eye(len(z))[y], atol=8 * EPS)
    assert abs(slopes.sum()) <= 8 * EPS


@given(st.floats(-3, 3), st.floats(-3, 3), st.floats(-2, 2))
def test_gaussian(y, mean, s):
    found = losses.gaussian(y, mean, s)
    assert np.isclose(found[0], 0.5 * (s + (y - mean) ** 2 / np.exp(s)), rtol=8 * EPS, atol=8 * EPS)
    size = 10 * (1 + (y - mean) ** 2) * np.exp(abs(s))
    tol = H**2 * size + 4 * EPS * size / H
    up, down = losses.gaussian(y, mean + H, s), losses.gaussian(y, mean - H, s)
    for value, derivative in ((0, 1), (1, 3), (2, 4)):
        assert abs((up[value] - down[value]) / (2 * H) - found[derivative]) <= tol
    up, down = losses.gaussian(y, mean, s + H), losses.gaussian(y, mean, s - H)
    for value, derivative in ((0, 2), (1, 4), (2, 5)):
        assert abs((up[value] - down[value]) / (2 * H) - found[derivative]) <= tol


@pytest.mark.parametrize("y", [-1.0, 1.0])
@pytest.mark.parametrize("z", [-1e300, -800.0, 800.0, 1e300])
def test_certain_predictions_stay_finite(y, z):
    value, slope, curvature = derivatives(Loss(losses.LOGISTIC), y, z)
    assert np.isfinite([value, slope, curvature]).all()
    assert np.isclose(value, max(0.0, -y * z)) and np.isclose(slope, -y if y * z < 0 else 0.0)


@pytest.mark.parametrize("name", ["log_loss", "poisson", "gamma", "squared_error", "huber"])
def test_nan_stays_nan(name):
    assert np.isnan(derivatives(Loss(TRAITS[name].code, 1.0), 1.0, np.nan)[0])


APPROXIMATE = ("huber", "epsilon_insensitive", "squared_epsilon_insensitive")


@pytest.mark.parametrize(("name", "number"), [kind for kind in KINDS if kind[0] not in APPROXIMATE])
def test_best_constant(name, number):
    rng = np.random.default_rng(1)
    y = rng.choice([-1.0, 1.0, 1.0], 41)
    if TRAITS[name].task == "regression":
        y = rng.gamma(2.0, 1.0, 41)
    weights = rng.uniform(0.1, 2, 41)
    loss, spare = Loss(TRAITS[name].code, number), np.empty((2, 41))
    z = best_constant(name, y, weights, number)

    def risk(z):
        return evaluate(loss, y, np.full(41, z), weights, *spare)

    for other in (z - 1e-3, z + 1e-3, z + 0.1, z - 0.1):
        assert risk(z) <= risk(other) + 41 * EPS * abs(risk(other))


def test_best_constant_of_classes_and_gaussian():
    y, weights = np.array([0, 1, 2, 2]), np.array([1.0, 1.0, 1.0, 2.0])
    z = best_constant("multinomial", y, weights)
    assert abs(z.sum()) < 8 * EPS
    np.testing.assert_allclose(np.exp(z) / np.exp(z).sum(), [0.2, 0.2, 0.6], rtol=8 * EPS)
    mean, log_variance = best_constant("gaussian", np.array([1.0, 3.0]))
    assert (mean, log_variance) == (2.0, 0.0)


@given(st.integers(1, 8), st.floats(0.01, 0.99))
def test_quantile_of_repeated_rows(n, quantile):
    rng = np.random.default_rng(n)
    y, weights = rng.standard_normal(n), rng.integers(1, 4, n)
    repeated = np.repeat(y, weights)
    found = best_constant("pinball", y, weights, quantile)
    assert found == best_constant("pinball", repeated, None, quantile)


def test_domains():
    assert in_domain(loss_traits("poisson"), np.array([0.0, 3.0]))
    assert not in_domain(loss_traits("poisson"), np.array([-1.0, 3.0]))
    assert not in_domain(loss_traits("gamma"), np.array([0.0, 3.0]))
    assert in_domain(loss_traits("tweedie", 1.5), np.array([0.0, 3.0]))
    assert not in_domain(loss_traits("tweedie", 2.0), np.array([0.0, 3.0]))
    assert in_domain(loss_traits("tweedie", 0.0), np.array([-1.0, 3.0]))
    assert not in_domain(loss_traits("squared_error"), np.array([np.inf]))
    with pytest.raises(KeyError):
        loss_traits("hinges")


@given(st.integers(2, 6), st.integers(1, 40), st.integers(0, 9))
def test_multinomial_of_many_samples_is_that_of_each(n_classes, n, seed):
    rng = np.random.default_rng(seed)
    z, y = rng.uniform(-30, 30, (n_classes, n)), rng.integers(0, n_classes, n)
    slopes, shares = np.empty(n_classes), z.copy()
    values = losses.evaluate_multinomial(y, shares)
    for i in range(n):
        expected = losses.multinomial(y[i], z[:, i].copy(), slopes)
        assert abs(values[i] - expected) <= 8 * EPS * 60
        np.testing.assert_allclose(shares[:, i] - np.eye(n_classes)[y[i]], slopes, atol=8 * EPS)
