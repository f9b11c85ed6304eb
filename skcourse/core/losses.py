"""Each loss once, on the raw prediction: value, slope and curvature.

A model computes a raw prediction z of a sample, such as <w, x> + b; a loss l(y, z) says how bad it
is. Here each is a kernel (y, z) -> (l, dl/dz, d2l/dz2): the formula and its derivatives side by
side. What a caller does not use of the three, the compiler leaves out. Gradient descent, Newton's
method, boosting and networks all ask here.

Numbers     y is a number. Residual r = y - z.
Classes     y is -1 or +1, and the margin is m = y z: right and certain where it is large.
Links       For counts, durations and other positive y, z is the logarithm of the mean, mu = exp(z).
            The values are half unit deviances, less what depends on y alone:
                Poisson  mu - y z        gamma  z + y / mu
                Tweedie  mu^(2-p) / (2-p) - y mu^(1-p) / (1-p)                               (1)
Kinks       Where a loss has no derivative it gives one of its slopes, and where its curvature
            jumps, that of the side where it is larger.
Vectors     Two losses take several raw predictions for one sample: `multinomial`, a score for each
            class, and `gaussian`, the mean and the logarithm of the variance.
Reference   A. Agresti, Foundations of Linear and Generalized Linear Models, 2015; P. Huber, 1964;
            T. Zhang, Solving large scale linear prediction problems, ICML 2004 (modified Huber).
"""

from typing import NamedTuple

import numpy as np

from skcourse.core.elementary import exp, log_1p
from skcourse.core.kernel import kernel


class Loss(NamedTuple):
    """Which loss, as kernels take it: a code, and the number in its formula."""

    code: int
    parameter: float = 0.0


SQUARED, HUBER, EPSILON_INSENSITIVE, SQUARED_EPSILON_INSENSITIVE, PINBALL = range(5)
LOGISTIC, HINGE, SQUARED_HINGE, MODIFIED_HUBER, PERCEPTRON = range(5, 10)
POISSON, GAMMA, TWEEDIE, TWEEDIE_IDENTITY = range(10, 14)
MULTINOMIAL, GAUSSIAN = range(14, 16)
ABSOLUTE, EXPONENTIAL = range(16, 18)  # of boosting


@kernel
def squared(y, z):
    """r^2 / 2."""
    return 0.5 * (y - z) ** 2, z - y, 1.0


@kernel
def huber(y, z, delta):
    """r^2 / 2 up to |r| = delta, and from there on straight: delta |r| - delta^2 / 2."""
    r = y - z
    if abs(r) <= delta:
        return 0.5 * r * r, -r, 1.0
    slope = -delta if r > 0 else delta
    return delta * (abs(r) - 0.5 * delta), slope, 0.0


@kernel
def epsilon_insensitive(y, z, epsilon):
    """max(0, |r| - epsilon)."""
    r = y - z
    if abs(r) <= epsilon:
        return 0.0, 0.0, 0.0
    return abs(r) - epsilon, -1.0 if r > 0 else 1.0, 0.0


@kernel
def squared_epsilon_insensitive(y, z, epsilon):
    """max(0, |r| - epsilon)^2."""
    r = y - z
    excess = abs(r) - epsilon
    if excess <= 0:
        return 0.0, 0.0, 0.0
    return excess * excess, -2.0 * excess if r > 0 else 2.0 * excess, 2.0


@kernel
def pinball(y, z, quantile):
    """quantile r where r >= 0, and (quantile - 1) r elsewhere."""
    r = y - z
    if r >= 0:
        return quantile * r, -quantile, 0.0
    return (quantile - 1.0) * r, 1.0 - quantile, 0.0


@kernel
def absolute(y, z):
    """|r|."""
    r = y - z
    return abs(r), -1.0 if r >= 0 else 1.0, 0.0


@kernel
def logistic(y, z):
    """log(1 + exp(-m)), with p = 1 / (1 + exp(m)): slope -y p, curvature p (1 - p)."""
    m = y * z
    e = exp(-abs(m))
    q = 1.0 / (1.0 + e)
    p = e * q if m > 0 else q
    return 0.5 * (abs(m) - m) + log_1p(e), -y * p, e * q * q


@kernel
def exponential(y, z):
    """exp(-m)."""
    e = exp(-y * z)
    return e, -y * e, e


@kernel
def hinge(y, z):
    """max(0, 1 - m)."""
    m = y * z
    return (1.0 - m, -y, 0.0) if m <= 1 else (0.0, 0.0 * y, 0.0)


@kernel
def squared_hinge(y, z):
    """max(0, 1 - m)^2."""
    m = y * z
    return ((1.0 - m) ** 2, -2.0 * y * (1.0 - m), 2.0) if m < 1 else (0.0, 0.0 * y, 0.0)


@kernel
def modified_huber(y, z):
    """max(0, 1 - m)^2 where m >= -1, and -4 m below."""
    m = y * z
    if m < -1:
        return -4.0 * m, -4.0 * y, 0.0
    return ((1.0 - m) ** 2, -2.0 * y * (1.0 - m), 2.0) if m < 1 else (0.0, 0.0 * y, 0.0)


@kernel
def perceptron(y, z):
    """max(0, -m)."""
    m = y * z
    return (-m, -y, 0.0) if m <= 0 else (0.0, 0.0 * y, 0.0)


@kernel
def poisson(y, z):
    """mu - y z, with mu = exp(z)."""
    mu = exp(z)
    return mu - y * z, mu - y, mu


@kernel
def gamma(y, z):
    """z + y / mu, with mu = exp(z)."""
    ratio = y * exp(-z)
    return z + ratio, 1.0 - ratio, ratio


@kernel
def tweedie(y, z, power):
    """(1), with mu = exp(z), and its limits: half r^2 for p = 0, Poisson and gamma for 1 and 2."""
    if power == 1:
        return poisson(y, z)
    if power == 2:
        return gamma(y, z)
    if power == 0:
        mu = exp(z)
        return 0.5 * (y - mu) ** 2, mu * (mu - y), mu * (2.0 * mu - y)
    a, b = 2.0 - power, 1.0 - power
    rising, falling = exp(a * z), y * exp(b * z)
    return rising / a - falling / b, rising - falling, a * rising - b * falling


@kernel
def tweedie_identity(y, z, power):
    """(1), with mu = z, which must be positive unless p = 0; infinite where it is not."""
    if power == 0:
        return squared(y, z)
    if z <= 0:
        return np.inf, -np.inf, 0.0
    slope = (z - y) * z**-power
    curvature = z**-power * (1.0 - power * (z - y) / z)
    if power == 1:
        return z - y * np.log(z), slope, curvature
    if power == 2:
        return np.log(z) + y / z, slope, curvature
    value = z ** (2.0 - power) / (2.0 - power) - y * z ** (1.0 - power) / (1.0 - power)
    return value, slope, curvature


@kernel
def derivatives(loss, y, z):
    """Return value, slope and curvature at z of any loss of one raw prediction.

    Parameters
    ----------
    loss : Loss
    y, z : float
    """
    code = loss.code
    if code == SQUARED:
        return squared(y, z)
    if code == LOGISTIC:
        return logistic(y, z)
    if code == HINGE:
        return hinge(y, z)
    if code == HUBER:
        return huber(y, z, loss.parameter)
    if code == POISSON:
        return poisson(y, z)
    if code == GAMMA:
        return gamma(y, z)
    if code == TWEEDIE:
        return tweedie(y, z, loss.parameter)
    if code == TWEEDIE_IDENTITY:
        return tweedie_identity(y, z, loss.parameter)
    if code == PINBALL:
        return pinball(y, z, loss.parameter)
    if code == EPSILON_INSENSITIVE:
        return epsilon_insensitive(y, z, loss.parameter)
    if code == SQUARED_EPSILON_INSENSITIVE:
        return squared_epsilon_insensitive(y, z, loss.parameter)
    if code == SQUARED_HINGE:
        return squared_hinge(y, z)
    if code == MODIFIED_HUBER:
        return modified_huber(y, z)
    return perceptron(y, z)


@kernel
def slope(loss, y, z):
    """Return dl/dz."""
    return derivatives(loss, y, z)[1]


@kernel
def evaluate(loss, y, z, weights, slopes, curvatures):
    """Write w_i dl/dz and w_i d2l/dz2 at z_i; return sum_i w_i l(y_i, z_i).

    The usual losses have a loop of their own, which the compiler turns into vector code.

    Parameters
    ----------
    loss : Loss, of one raw prediction
    y, z : arrays of shape (n,)
    weights : array of shape (n,), or (0,) for ones
    slopes, curvatures : float64 arrays of shape (n,), overwritten
    """
    n, code, total, weighted = len(z), loss.code, 0.0, len(weights) > 0
    values = np.empty(n)
    if code == LOGISTIC:
        for i in range(n):
            values[i], slopes[i], curvatures[i] = logistic(y[i], z[i])
    elif code == POISSON:
        for i in range(n):
            values[i], slopes[i], curvatures[i] = poisson(y[i], z[i])
    elif code == GAMMA:
        for i in range(n):
            values[i], slopes[i], curvatures[i] = gamma(y[i], z[i])
    else:
        for i in range(n):
            values[i], slopes[i], curvatures[i] = derivatives(loss, y[i], z[i])
    for i in range(n):
        if weighted:
            values[i] *= weights[i]
            slopes[i] *= weights[i]
            curvatures[i] *= weights[i]
        total += values[i]
    return total


@kernel
def multinomial(y, z, slopes):
    """log sum_k exp(z_k) - z_y, for y in 0 .. K - 1; slopes are p_k - [k = y], p = softmax(z).

    Parameters
    ----------
    y : int
    z : array of shape (K,)
    slopes : array of shape (K,), overwritten; may be z itself
    """
    highest, chosen = z[0], z[y]
    for k in range(1, len(z)):
        highest = max(highest, z[k])
    total = 0.0
    for k in range(len(z)):
        slopes[k] = exp(z[k] - highest)
        total += slopes[k]
    for k in range(len(z)):
        slopes[k] /= total
    slopes[y] -= 1.0
    return highest + np.log(total) - chosen


@kernel
def evaluate_multinomial(y, z):
    """Overwrite scores z with probabilities p; return log sum_k exp(z_k) - z_y of each sample.

    Samples lie side by side, so that every loop over them is vector code.

    Parameters
    ----------
    y : integer array of shape (n,), in 0 .. K - 1
    z : float64 array of shape (K, n), overwritten

    Returns
    -------
    values : array of shape (n,)
    """
    K, n = z.shape
    values, highest, total = np.empty(n), z[0].copy(), np.zeros(n)
    for i in range(n):
        values[i] = z[y[i], i]
    for k in range(1, K):
        for i in range(n):
            highest[i] = z[k, i] if z[k, i] > highest[i] else highest[i]
    for k in range(K):
        for i in range(n):
            z[k, i] = exp(z[k, i] - highest[i])
            total[i] += z[k, i]
    for i in range(n):
        values[i] = highest[i] + np.log(total[i]) - values[i]
        total[i] = 1.0 / total[i]
    for k in range(K):
        for i in range(n):
            z[k, i] *= total[i]
    return values


@kernel
def gaussian(y, mean, log_variance):
    """(log v + r^2 / v) / 2 with v = exp(s), s = `log_variance`: -log density less log(2 pi) / 2.

    Returns
    -------
    value : float
    d_mean, d_log : float, its slopes
    d_mean_mean, d_mean_log, d_log_log : float, its second derivatives
    """
    precision = exp(-log_variance)
    r = y - mean
    scaled = r * r * precision
    value = 0.5 * (log_variance + scaled)
    return value, -r * precision, 0.5 * (1.0 - scaled), precision, r * precision, 0.5 * scaled
