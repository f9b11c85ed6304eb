"""L-BFGS: descent by a Hessian that is learned from the gradients along the way.

Problem     Minimise F(theta) = R(theta) + sum_j l_j theta_j^2 / 2, see `penalised_risk`.
Iteration   theta moves along d = -H g, by a length from `line_search`. H is M^-1, see `metric`,
            corrected by the last m steps s_i and changes of the gradient y_i, each such that
                H y_i = s_i                                                                  (1)
            and applied without being written out: with r_i = 1 / <s_i, y_i>, newest first
                q = q - a_i y_i,   a_i = r_i <s_i, q>                                        (2)
            then q = c M^-1 q with c = <s, y> / <y, M^-1 y> of the newest, and oldest first
                q = q + (a_i - r_i <y_i, q>) s_i.                                            (3)
            M is made anew after 10, 20, 40, 80 ... iterations: of classes that can nearly be told
            apart the curvature at the start tells little about that at the end.
Stop        max_j |dF / dtheta_j| <= tol, and <g, H g> / 2, the decrease that the parabola still
            promises, is at most tol / 1000: where level sets are long, a small gradient may be far
            from the minimum.
Cost        A pass over the rows per iteration, and 4 m p products.
Reference   D. Liu, J. Nocedal, On the limited memory BFGS method for large scale optimization,
            Math. Programming, 1989.
"""

import numpy as np

from skcourse.core.chunks import one_blas_thread
from skcourse.core.history import SILENCE, History
from skcourse.linear_model.line_search import point_at, search
from skcourse.linear_model.metric import metric_at
from skcourse.linear_model.penalised_risk import (
    MAX_ITER,
    NO_DECREASE,
    SMALL_GRADIENT,
    STOPPED,
    Minimum,
    PenalisedRisk,
    Stall,
    fitted_at,
    has_converged,
    why_no_lower,
)

MEMORY = 10  # m
PROMISE = 1e-3  # of tol
RENEWAL = 10  # iterations before M is made anew; then twice as many, and so on


class InverseHessian:
    """H: the metric M, and the last m pairs of a step and a change of the gradient."""

    def __init__(self, metric):
        self.metric, self.scale, self.pairs = metric, 1.0, []

    def renew(self, metric):
        """Take in another metric."""
        self.metric = metric
        if self.pairs:
            step, change, _ = self.pairs[-1]
            self.scale = (step @ change) / (change @ metric.solve(change))

    def learn(self, step, change):
        """Take in a pair, if it shows a positive curvature."""
        curvature = step @ change
        if not curvature > 1e-14 * np.sqrt((step @ step) * (change @ change)):
            return
        self.pairs = [*self.pairs[1 - MEMORY :], (step, change, 1 / curvature)]
        self.scale = curvature / (change @ self.metric.solve(change))

    def times(self, gradient):
        """Return H times the gradient, by (2) and (3)."""
        q, weights = gradient.copy(), []
        for step, change, r in reversed(self.pairs):
            weights.append(r * (step @ q))
            q -= weights[-1] * change
        q = self.scale * self.metric.solve(q)
        for (step, change, r), a in zip(self.pairs, reversed(weights), strict=True):
            q += (a - r * (change @ q)) * step
        return q


def lbfgs(
    risk,
    theta0,
    l2=0.0,
    *,
    tol=1e-4,
    max_iter=100,
    task=SILENCE,
    attributes=None,
    verbose=False,
):
    """Minimise a risk and a squared penalty.

    Parameters
    ----------
    risk : Risk or MultinomialRisk
    theta0 : array, where to begin
    l2 : float, or array with a number for each coefficient, default=0.0
        The penalty l_j; the intercept has none.
    tol : float, default=1e-4
    max_iter : int, default=100
    task : Task, default=SILENCE
        Told about each iteration, see `core.history`.
    attributes : callable, default=None
        From theta to the dict of fitted attributes, for callbacks.
    verbose : bool, default=False

    Returns
    -------
    minimum : Minimum
        `converged` if the gradient is small, or F does not decrease any more beyond rounding.
    """
    with one_blas_thread():
        return descend(PenalisedRisk(risk, l2), theta0, tol, max_iter, task, attributes, verbose)


def descend(problem, theta0, tol, max_iter, task, attributes, verbose):
    """Run the iteration."""
    history, stall = History(), Stall()
    point, inverse, reason = point_at(problem, np.array(theta0, np.float64)), None, MAX_ITER
    n_iter, renewal = 0, RENEWAL
    while n_iter < max_iter:
        step = task.subtask("lbfgs-iter", attributes=fitted_at(point, attributes))
        if inverse is None:
            inverse = InverseHessian(metric_at(problem, point.gradient))
            direction = -inverse.times(point.gradient)
        elif n_iter == renewal:
            inverse.renew(metric_at(problem, point.gradient))
            direction, renewal = -inverse.times(point.gradient), 2 * renewal
        before, point = point, advance(problem, point, inverse, direction)
        direction = -inverse.times(point.gradient)
        n_iter += 1
        steepest = np.abs(point.gradient).max()
        history.append(loss=point.value, gradient=steepest)
        if verbose:
            print(f"Iteration {n_iter}, loss {point.value}, steepest slope {steepest}.")
        stop = step.end(fitted_at(point, attributes))
        promised = -0.5 * (point.gradient @ direction)
        small = steepest <= tol and promised <= PROMISE * tol
        stalled = stall.after(before.value, point.value, steepest)
        if small or stalled:
            reason = SMALL_GRADIENT if small else NO_DECREASE
            break
        if point is before:
            reason = why_no_lower(point, promised)
            break
        if stop:
            reason = STOPPED
            break
    converged = has_converged(reason)
    return Minimum(point.theta, n_iter, converged, history.arrays(), reason, "lbfgs")


def advance(problem, point, inverse, direction):
    """Return the next Point, and let H learn; the same Point if there is no way down."""
    reached = search(problem, point, direction)
    if reached is None and inverse.pairs:  # pairs that rounding has spoilt
        inverse.pairs, inverse.scale = [], 1.0
        reached = search(problem, point, -inverse.times(point.gradient))
    if reached is None:
        return point
    inverse.learn(reached.theta - point.theta, reached.gradient - point.gradient)
    return reached
