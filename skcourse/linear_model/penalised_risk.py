"""A risk and a squared penalty on the coefficients: what Newton's method and L-BFGS minimise.

Problem     F(theta) = R(theta) + sum_j l_j theta_j^2 / 2, with l_j = 0 for intercepts.         (1)
"""

from typing import NamedTuple

import numpy as np


class Minimum(NamedTuple):
    """Where a minimiser has ended."""

    theta: np.ndarray
    n_iter: int
    converged: bool  # False also if a callback has stopped it
    history: dict  # "loss" (1) and "gradient" max |dF/dtheta_j|, after each iteration
    reason: str  # why it ended: one of the constants below
    solver: str  # who has ended it


ROUNDING = 64 * np.finfo(np.float64).eps  # of a value, and relative to 1 if it is smaller

SMALL_GRADIENT = "small gradient"
NO_DECREASE = "no decrease"  # within rounding: as good as it gets
MAX_ITER = "max_iter"
STUCK = "stuck"  # no lower point is found, though there should be one
STOPPED = "stopped"  # by a callback


def has_converged(reason):
    """Tell whether a minimiser that ended for this reason is at the minimum."""
    return reason in (SMALL_GRADIENT, NO_DECREASE)


class Stall:
    """Notices two steps in a row that neither lower the value nor halve the steepest slope."""

    def __init__(self):
        self.n_still, self.least = 0, np.inf

    def after(self, before, value, slope):
        """Take in a step, from a value to another and the steepest slope there; return whether."""
        gain = before - value > ROUNDING * max(abs(value), 1.0)
        self.n_still = 0 if gain or slope < 0.5 * self.least else self.n_still + 1
        self.least = min(self.least, slope)
        return self.n_still > 1


def why_no_lower(point, promised):
    """Return NO_DECREASE if the decrease that is promised at a Point is rounding, else STUCK."""
    return NO_DECREASE if promised <= 1e-10 * max(abs(point.value), 1.0) else STUCK


class PenalisedRisk:
    """(1) as a function of theta.

    Parameters
    ----------
    risk : Risk or MultinomialRisk
    l2 : float, or array with a number for each coefficient
        l, on the scale of the mean loss.
    """

    def __init__(self, risk, l2=0.0):
        self.risk, self.l2 = risk, risk.spread(l2)

    def value_and_gradient(self, theta):
        """Return (1) and its gradient."""
        value, gradient = self.risk.value_and_gradient(theta)
        pull = self.l2 * theta
        return value + 0.5 * (pull @ theta), gradient + pull

    def hessian(self):
        """Return the Hessian where `value_and_gradient` was last asked."""
        hessian = self.risk.hessian()
        hessian.flat[:: len(hessian) + 1] += self.l2
        return hessian

    def hessian_product(self, v):
        """Return the Hessian at that point times v."""
        return self.risk.hessian_product(v) + self.l2 * v


def fitted_at(point, attributes):
    """Return a callable that makes the fitted attributes at a Point, for callbacks, or None."""
    return attributes and (lambda: attributes(point.theta))
