"""Each rule against its formula in numpy and in PyTorch's form, and its rate on a quadratic."""

import numpy as np
import pytest

from skcourse.core.optimizers import ADAPTIVE, RULES, Rule, new_state, step, step_lengths

M, A, B, E = 0.8, 0.85, 0.95, 1e-3  # not the defaults: each must reach its formula
GRADIENTS = np.random.default_rng(0).normal(size=(12, 7))
START = np.linspace(-1, 2, 7)
H = 0.05


def rule_of(name, **changed):
    numbers = {"momentum": M, "beta_1": A, "beta_2": B, "epsilon": E}
    return Rule(RULES[name], **numbers | changed)


def run(rule, dtype=np.float64):
    theta = START.astype(dtype)
    state = new_state(theta)
    for g in GRADIENTS:
        step(rule, state, theta, g.astype(dtype), H)
    return theta, state


def by_formula(name, decay=0.0, spared=0):
    """Run the formulas as they stand in the papers, on whole vectors."""
    theta, v, s = START.copy(), np.zeros(7), np.zeros(7)
    keeps = np.arange(7) < 7 - spared
    for t, g in enumerate(GRADIENTS, 1):
        if name == "sgd":
            theta = theta - H * g
        elif name == "momentum":
            v = M * v - H * g
            theta = theta + v
        elif name == "nesterov":
            v = M * v - H * g
            theta = theta + M * v - H * g
        elif name == "adagrad":
            s = s + g**2
            theta = theta - H * g / (np.sqrt(s) + E)
        elif name == "rmsprop":
            s = B * s + (1 - B) * g**2
            theta = theta - H * g / (np.sqrt(s) + E)
        else:
            theta = theta * (1 - H * decay * keeps)
            v, s = A * v + (1 - A) * g, B * s + (1 - B) * g**2
            rate = H * np.sqrt(1 - B**t) / (1 - A**t)
            theta = theta - rate * v / (np.sqrt(s) + E)
    return theta


@pytest.mark.parametrize(("dtype", "n_eps"), [(np.float64, 100), (np.float32, 100)])
@pytest.mark.parametrize("name", RULES)
def test_formula(name, dtype, n_eps):
    decay = 0.3 if name == "adamw" else 0.0
    theta, state = run(rule_of(name, weight_decay=decay), dtype)
    assert theta.dtype == dtype
    assert state.count[0] == 12
    # 12 steps of some 8 roundings each, of numbers of size 2
    np.testing.assert_allclose(
        theta, by_formula(name, decay), rtol=0, atol=n_eps * np.finfo(dtype).eps
    )


def test_the_last_parameters_may_be_spared_from_decay():
    theta, _ = run(rule_of("adamw", weight_decay=0.3, spared=2))
    np.testing.assert_allclose(theta, by_formula("adamw", 0.3, spared=2), rtol=1e-13)
    assert np.all(theta[-2:] == run(rule_of("adam"))[0][-2:])
    assert np.all(theta[:-2] != run(rule_of("adam"))[0][:-2])


# PyTorch writes the rules otherwise: a buffer b = m b + g and theta - h b, or theta - h (g + m b)
# with nesterov; Adam with v and s corrected one by one.
def by_torch(name, h, m, a, b, e):
    theta, buffer, v, s, total = 1.0, 0.0, 0.0, 0.0, 0.0
    for t, g in enumerate((1.0, -2.0, 0.5), 1):
        buffer = m * buffer + g
        v, s, total = a * v + (1 - a) * g, b * s + (1 - b) * g * g, total + g * g
        corrected = (v / (1 - a**t)) / (np.sqrt(s / (1 - b**t)) + e)
        theta -= (
            h
            * {
                "sgd": g,
                "momentum": buffer,
                "nesterov": g + m * buffer,
                "adagrad": g / (np.sqrt(total) + e),
                "rmsprop": g / (np.sqrt(s) + e),
                "adam": corrected,
            }[name]
        )
    return theta


@pytest.mark.parametrize("name", sorted(set(RULES) - {"adamw"}))
def test_pytorch_has_the_same_steps(name):
    # e so small that it does not matter on which side of the correction of s it stands
    rule = Rule(RULES[name], momentum=0.9, beta_1=0.9, beta_2=0.99, epsilon=1e-30)
    theta = np.ones(1)
    state = new_state(theta)
    for g in (1.0, -2.0, 0.5):
        step(rule, state, theta, np.array([g]), 0.1)
    assert theta[0] == pytest.approx(by_torch(name, 0.1, 0.9, 0.9, 0.99, 1e-30), rel=1e-14)


def test_first_steps_by_hand():
    """Steps with gradients 1, -2, 0.5 from 1, h = 0.1, m = 0.9."""
    # momentum: v = -0.1, 0.11, 0.049 and theta = 0.9, 1.01, 1.059
    # nesterov: theta = 1 - 0.19, + 0.9 * 0.11 + 0.2, + 0.9 * 0.049 - 0.05
    wanted = {"sgd": 1.05, "momentum": 1.059, "nesterov": 1.1031}
    for name, value in wanted.items():
        theta = np.ones(1)
        state = new_state(theta)
        for g in (1.0, -2.0, 0.5):
            step(Rule(RULES[name]), state, theta, np.array([g]), 0.1)
        assert theta[0] == pytest.approx(value, rel=1e-14)
    for name in ("adagrad", "rmsprop", "adam"):  # the first step is h, whatever the gradient
        theta = np.ones(2)
        rule = Rule(RULES[name], beta_2=0.0 if name == "rmsprop" else 0.999, epsilon=1e-30)
        step(rule, new_state(theta), theta, np.array([3.0, -1e-3]), 0.1)
        np.testing.assert_allclose(theta, [0.9, 1.1], rtol=1e-13)


def rate(rule, length, curvatures, n=400):
    """Return the factor by which a step brings theta nearer to 0, the minimum of sum c x^2 / 2."""
    theta = np.ones(len(curvatures))
    state = new_state(theta)
    sizes = []
    for _ in range(n):
        step(rule, state, theta, curvatures * theta, length)
        sizes.append(np.linalg.norm(theta))
    return (sizes[-1] / sizes[n // 2 - 1]) ** (2 / n)


def test_rates_on_a_quadratic():
    mu, L = 0.02, 1.0
    c = np.array([mu, 0.3, L])
    # plain descent with 2 / (L + mu): (L - mu) / (L + mu)
    plain = rate(Rule(RULES["sgd"]), 2 / (L + mu), c)
    assert plain == pytest.approx((L - mu) / (L + mu), rel=1e-10)
    # heavy ball (Polyak): with the best of its two numbers the root of m, but for a factor of n
    q = np.sqrt(mu / L)
    m = ((1 - q) / (1 + q)) ** 2
    heavy = rate(Rule(RULES["momentum"], momentum=m), (1 + np.sqrt(m)) ** 2 / L, c)
    assert heavy == pytest.approx(np.sqrt(m), rel=0.02)  # 400 steps of rate^n (a + b n)
    # Nesterov with 1 / L and (1 - q) / (1 + q): 1 - q on the flattest axis, a double root
    ahead = rate(Rule(RULES["nesterov"], momentum=(1 - q) / (1 + q)), 1 / L, c)
    assert ahead == pytest.approx(1 - q, rel=0.02)
    assert heavy < ahead < plain


@pytest.mark.parametrize("name", ADAPTIVE)
def test_adaptive_rules_do_not_feel_the_unit_of_a_parameter(name):
    unit = np.array([1.0, 1e-3, 1e4])
    paths = []
    for scale in (np.ones(3), unit):
        theta = np.ones(3)
        state = new_state(theta)
        for g in GRADIENTS[:, :3]:
            step(Rule(RULES[name], epsilon=1e-30), state, theta, g * scale, 0.01)
        paths.append(theta)
    np.testing.assert_allclose(paths[0], paths[1], rtol=1e-12)


@pytest.mark.parametrize("name", RULES)
def test_step_lengths_are_those_of_a_steady_gradient(name):
    """Moved by a gradient g that does not change, a parameter goes `step_lengths` times g."""
    rule, g = rule_of(name, momentum=0.0), np.array([0.5, -2.0, 1e-2])
    theta, lengths = np.zeros(3), np.empty(3)
    state = new_state(theta)
    for _ in range(600):  # A**600 and B**600 are below rounding
        before = theta.copy()
        step(rule, state, theta, g, H)
    step_lengths(rule, state, H, lengths)
    np.testing.assert_allclose(before - theta, lengths * g, rtol=1e-9)  # differences of sums
