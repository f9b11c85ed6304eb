"""How far to go along a direction of descent.

Problem     phi(t) = F(theta + t d) falls at t = 0 with slope phi'(0) < 0. Find t with
                phi(t) <= phi(0) + A t phi'(0)                 enough decrease (Armijo)      (1)
                phi'(t) >= C phi'(0)                           and not too near (Wolfe)      (2)
Iteration   Keep a bracket [low, high]: (2) fails at its low end, (1) at its high end. Try the
            minimum of the parabola through value and slope at the low end and the value at the
            high end, not too near to either.
Rounding    Near the minimum values no longer tell; slopes do. (1) then also holds if
                phi(t) <= phi(0) + rounding   and   phi'(t) <= (2 A - 1) phi'(0).            (3)
Cost        A pass over the rows for each t; usually t = 1 will do.
Reference   W. Hager, H. Zhang, A new conjugate gradient method with guaranteed descent and an
            efficient line search, SIAM J. Optimization, 2005. J. Nocedal, S. Wright, 2006, ch. 3.
"""

from typing import NamedTuple

import numpy as np

from skcourse.linear_model.penalised_risk import ROUNDING

ENOUGH = 1e-4  # A
NEAR = 0.9  # C
MOST = 50  # values of t


class Point(NamedTuple):
    """A point and what is known there."""

    theta: np.ndarray
    value: float
    gradient: np.ndarray


def point_at(function, theta):
    """Evaluate `function.value_and_gradient`; infinity if it overflows."""
    with np.errstate(over="ignore", invalid="ignore"):
        value, gradient = function.value_and_gradient(theta)
    return Point(theta, value if np.isfinite(value) else np.inf, gradient)


def search(function, start, direction, step=1.0, *, near=NEAR):
    """Return a Point that satisfies (1) and (2), or None if there is none to be found.

    Parameters
    ----------
    function : with `value_and_gradient`, last asked at the point that is returned
    start : Point
    direction : array like theta
    step : float, default=1.0
        The first t.
    near : float or None, default=0.9
        C; None asks for (1) only.
    """
    slope = start.gradient @ direction
    if not slope < 0:
        return None
    low, high, t = (0.0, start.value, slope), (np.inf, np.inf), step
    slack = ROUNDING * max(abs(start.value), 1.0)
    for _ in range(MOST):
        point = point_at(function, start.theta + t * direction)
        slope_here = point.gradient @ direction if np.isfinite(point.value) else np.inf
        falls = point.value <= start.value + ENOUGH * t * slope
        level = point.value <= start.value + slack and slope_here <= (2 * ENOUGH - 1) * slope
        if not (falls or level):
            high = (t, point.value)
        elif near is None or slope_here >= near * slope:
            return point
        else:
            low = (t, point.value, slope_here)
        t = between(low, high)
        if t * np.abs(direction).max() <= 1e-16 * np.abs(start.theta).max():
            return None
    return None


def between(low, high):
    """Return the next t for a bracket."""
    t, value, slope = low
    width = high[0] - t
    if not np.isfinite(width):
        return 4.0 * t
    excess = high[1] - value - slope * width
    best = -0.5 * slope * width * width / excess if 0 < excess < np.inf else 0.1 * width
    return t + min(max(best, 0.1 * width), 0.6 * width)
