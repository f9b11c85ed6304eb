"""Accelerated proximal gradient descent: any smooth risk, and any penalty with a proximal step.

Problem     Minimise F(theta) = R(theta) + P(theta), P as in `core.penalties`, also of groups.
Iteration   A step from v against the gradient of R, in a metric D that makes the coordinates alike,
            and the proximal step of P:
                theta_k = argmin <g(v), theta> + L |theta - v|_D^2 / 2 + P(theta),           (1)
            L doubled until R lies below its parabola, R(theta_k) <= R(v) + <g(v), theta_k - v> +
            L |theta_k - v|_D^2 / 2; and a leap ahead along the last step,
                v = theta_k + (t_k - 1) / t_{k+1} (theta_k - theta_{k-1}),
                t_{k+1} = (1 + (1 + 4 t_k^2)^(1/2)) / 2.                                     (2)
            Where F rises, the leap was too long: theta stays, and t begins again at 1.
Metric      D is the diagonal of the Hessian at the start, in a group its largest entry, and no less
            than the curvature of P: where R is straight, (1) would else be the minimum of P alone.
            Columns are seen about their means: a shift of X is one of the intercept, which P
            leaves alone.
Stop        max_j e_j <= tol, e = L D |theta - (1) at theta|: the gradient, where P is smooth.
Cost        Two passes over the rows per iteration. F falls as 1 / k^2 if it is convex; if not (MCP,
            SCAD, l0), it falls to where no step (1) leads further down.
Reference   A. Beck, M. Teboulle, A fast iterative shrinkage-thresholding algorithm, SIAM J. Imaging
            Sciences, 2009. B. O'Donoghue, E. Candès, Adaptive restart for accelerated gradient
            schemes, Found. Comput. Math., 2015.
"""

import itertools

import numpy as np

from skcourse.core.chunks import one_blas_thread
from skcourse.core.history import SILENCE, History
from skcourse.core.penalties import ELASTIC_NET, L2, penalty_value, proximal_step
from skcourse.linear_model.centred_rows import weighted_mean
from skcourse.linear_model.line_search import ROUNDING, Point, point_at
from skcourse.linear_model.penalised_risk import (
    MAX_ITER,
    NO_DECREASE,
    SMALL_GRADIENT,
    STOPPED,
    Minimum,
    fitted_at,
)

LEAST = 1e-8  # of the largest entry of D: flat coordinates are not to run away
GROWTH, SHRINKAGE = 2.0, 0.95  # of L
DOUBLINGS = 100


class CentredRisk:
    """A risk as a function of theta = (w, b'), with b = b' - <mean of x, w>."""

    def __init__(self, risk):
        self.risk, self.K = risk, risk.outputs
        self.mean = np.zeros(risk.p)
        if risk.fit_intercept:
            weights = getattr(risk, "weights", None)
            weights = risk.targets.weights if weights is None else weights
            self.mean = weighted_mean(risk.X, weights if len(weights) else None)

    def plain(self, theta):
        """Return (w, b)."""
        columns = np.array(theta).reshape(-1, self.K)
        columns[-1] -= self.mean @ columns[:-1]
        return columns.ravel()

    def centred(self, theta):
        """Return (w, b')."""
        columns = np.array(theta, np.float64).reshape(-1, self.K)
        columns[-1] += self.mean @ columns[:-1]
        return columns.ravel()

    def value_and_gradient(self, theta):
        """Return the risk and its gradient."""
        value, gradient = self.risk.value_and_gradient(self.plain(theta))
        columns = np.array(gradient).reshape(-1, self.K)
        columns[:-1] -= np.outer(self.mean, columns[-1])
        return value, columns.ravel()

    def metric(self, groups, curvature):
        """Return D where `value_and_gradient` was last asked, for the `curvature` of P."""
        A, squares = self.risk.curvature_diagonal()
        squares = squares.copy()
        squares[:-1] -= self.mean**2 * squares[-1]  # about the mean, or nearly
        D = np.abs(np.outer(squares, np.diagonal(A))).ravel()
        D[: len(curvature)] = np.maximum(D[: len(curvature)], curvature)
        D = np.maximum(D, LEAST * D.max() + 1e-300)
        for first, end in itertools.pairwise(groups):
            D[first:end] = D[first:end].max()
        return D


class Step:
    """(1), for a penalty with the weights c of the coefficients, and groups of neighbours."""

    def __init__(self, penalty, weights, groups, metric):
        self.penalty, self.groups, self.metric = penalty, groups, metric
        self.c, self.n = weights / metric[: len(weights)], len(weights)

    def __call__(self, theta, gradient, L):
        """Return (1) from theta."""
        reached = theta - gradient / (L * self.metric)
        proximal_step(self.penalty, reached[: self.n], 1.0 / L, self.c, self.groups)
        return reached

    def violation(self, point, L):
        """Return max_j e_j."""
        move = point.theta - self(point.theta, point.gradient, L)
        return float(np.abs(L * self.metric * move).max())


def proximal_gradient(
    risk,
    penalty,
    penalty_weights,
    theta0,
    *,
    groups=(),
    tol=1e-4,
    max_iter=1000,
    task=SILENCE,
    attributes=None,
    verbose=False,
):
    """Minimise a risk and a penalty.

    Parameters
    ----------
    risk : Risk or MultinomialRisk
    penalty : Penalty, of `core.penalties`
    penalty_weights : float, or array with a number for each feature
    theta0 : array, where to begin
    groups : array of shape (n_groups + 1,), default=()
        For "group": where each group of neighbours among the coefficients begins.
    tol : float, default=1e-4
    max_iter : int, default=1000
    task, attributes, verbose
        See `skcourse.linear_model.lbfgs.lbfgs`.

    Returns
    -------
    minimum : Minimum
        `history` has "loss", F, and "violation", max_j e_j.
    """
    problem, groups = CentredRisk(risk), np.asarray(groups, np.int64)
    weights = risk.spread(penalty_weights)[: risk.p * risk.outputs]
    told = attributes and (lambda theta: attributes(problem.plain(theta)))
    with one_blas_thread():
        point = point_at(problem, problem.centred(theta0))
        metric = problem.metric(groups, weights * penalty_curvature(penalty))
        step = Step(penalty, weights, groups, metric)
        found = descend(problem, step, point, tol, max_iter, task, told, verbose)
    return found._replace(theta=problem.plain(found.theta))


def penalty_curvature(penalty):
    """Return the second derivative of P away from 0, for a weight of 1; 0 if it is not convex."""
    share = {L2: 1.0, ELASTIC_NET: 1.0 - penalty.shape}.get(penalty.code, 0.0)
    return share * penalty.strength


def descend(problem, step, point, tol, max_iter, task, attributes, verbose):
    """Run the iteration."""
    history, reason, n_iter, L, t = History(), MAX_ITER, 0, 1.0, 1.0
    ahead, value = point, total(step, point)
    if step.violation(point, L) <= tol:
        reason, max_iter = SMALL_GRADIENT, 0
    while n_iter < max_iter:
        turn = task.subtask("proximal-iter", attributes=fitted_at(point, attributes))
        reached, L = forward(problem, step, ahead, L)
        rests = ahead is point
        n_iter += 1
        new_value = total(step, reached)
        rises = not new_value <= value + ROUNDING * max(abs(value), 1.0)
        if rises:
            t, ahead = 1.0, point
        else:
            before, point, value = point, reached, new_value
            t, t_before = 0.5 * (1 + np.sqrt(1 + 4 * t * t)), t
            leap = (t_before - 1) / t
            if leap > 0:
                ahead = point_at(problem, point.theta + leap * (point.theta - before.theta))
            if leap <= 0 or not np.isfinite(ahead.value):
                ahead = point
            L *= SHRINKAGE
        violation = step.violation(point, L)
        history.append(loss=value, violation=violation)
        if verbose:
            print(f"Iteration {n_iter}, loss {value}, violation {violation}.")
        stop = turn.end(fitted_at(point, attributes))
        if violation <= tol or (rises and rests):
            reason = SMALL_GRADIENT if violation <= tol else NO_DECREASE
            break
        if stop:
            reason = STOPPED
            break
    converged = reason in (SMALL_GRADIENT, NO_DECREASE)
    return Minimum(point.theta, n_iter, converged, history.arrays(), reason, "proximal-gradient")


def total(step, point):
    """Return F at a Point of R."""
    w = point.theta[: step.n]
    return point.value + penalty_value(step.penalty, w, step.c * step.metric[: step.n], step.groups)


def forward(problem, step, start, L):
    """Return the Point (1) from `start`, and the L at which R lies below its parabola."""
    slack = ROUNDING * max(abs(start.value), 1.0)
    for _ in range(DOUBLINGS):
        theta = step(start.theta, start.gradient, L)
        move = theta - start.theta
        reached = point_at(problem, theta)
        bound = start.value + start.gradient @ move + 0.5 * L * (move * step.metric) @ move
        if reached.value <= bound + slack:
            return reached, L
        L *= GROWTH
    return Point(start.theta, start.value, start.gradient), L
