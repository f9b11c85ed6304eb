"""Proximal Newton: any smooth risk and a separable penalty, by coordinate descent.

Problem     Minimise F(theta) = R(theta) + sum_j c_j P(theta_j), P as in `core.penalties`;
            c_j = 0 for intercepts.                                                          (1)
Model       With gradient g and Hessian H of R at theta,
                Q(v) = <g, v - theta> + (v - theta)'H(v - theta) / 2 + sum_j c_j P(v_j).     (2)
            In one coordinate its minimum is a proximal step: with q the gradient of the smooth
            part of (2),
                v_j = prox of c_j P / H_jj at v_j - q_j / H_jj,                              (3)
            and coordinates take turns until no step changes the model by more than a part of what
            is still missing.
Iteration   theta moves to v, or towards it by halves until F falls by a part of what (2) promised.
Working set Coordinates at which P has a kink mostly stay there. Those that are not 0, and those
            that violate optimality (where H is written out, the worst of them), take part in (3);
            the gradient at all coordinates, which the next step needs anyway, shows when others
            must.
Stop        max_j e_j <= tol, where with L_j the curvature at the start
                e_j = L_j |theta_j - prox of c_j P / L_j at theta_j - g_j / L_j|:            (4)
            the distance of -g_j from the slopes of c_j P, where theta_j is far from a kink.
Cost        A pass over the rows and a Hessian on the working set for each iteration, of which
            there are few. Dense rows of one raw prediction: n w^2 products, and w for (3). Others:
            (3) walks down a column, twice its entries.
Reference   J. Lee, Y. Sun, M. Saunders, Proximal Newton-type methods for minimizing composite
            functions, SIAM J. Optimization, 2014; G.-X. Yuan, C.-H. Ho, C.-J. Lin, JMLR, 2012.
"""

import numpy as np

from skcourse.core.chunks import one_blas_thread
from skcourse.core.history import SILENCE, History
from skcourse.core.kernel import kernel
from skcourse.core.penalties import penalty_value, proximal
from skcourse.linear_model.line_search import point_at
from skcourse.linear_model.penalised_risk import (
    MAX_ITER,
    ROUNDING,
    SMALL_GRADIENT,
    STOPPED,
    Minimum,
    Stall,
    fitted_at,
    has_converged,
    why_no_lower,
)
from skcourse.linear_model.quadratic_model import QuadraticModel

NO_GROUPS = np.empty(0, np.int64)
GROWTH = 2  # how many times larger than its support a working set may be
LEAST = 100  # coordinates in a working set
INNER = 0.3  # (3) runs until this part of the violation is left, or less as it falls
HALVINGS = 40
ENOUGH = 1e-3  # the part of the promised decrease that a step must bring


@kernel
def violations(penalty, theta, gradient, curvatures, weights, found):
    """Write e_j of (4)."""
    for j in range(len(theta)):
        c = curvatures[j]
        found[j] = c * abs(theta[j] - proximal(penalty, theta[j] - gradient[j] / c, weights[j] / c))


class Composite:
    """F of (1).

    Parameters
    ----------
    risk : Risk or MultinomialRisk
    penalty : Penalty, separable
    weights : float, or array with a number for each coefficient: c_j
    """

    def __init__(self, risk, penalty, weights):
        self.risk, self.penalty, self.weights = risk, penalty, risk.spread(weights)
        self.free = np.ones(len(self.weights), bool)  # coordinates that may move
        if not risk.fit_intercept:
            self.free[-risk.outputs :] = False

    def value_and_gradient(self, theta):
        """Return F, and the gradient of R."""
        value, gradient = self.risk.value_and_gradient(theta)
        return value + penalty_value(self.penalty, theta, self.weights, NO_GROUPS), gradient

    def curvatures(self):
        """Return L of (4), where `value_and_gradient` was last asked; always positive."""
        A, squares = self.risk.curvature_diagonal()
        found = np.outer(np.abs(squares), np.diagonal(A)).ravel()
        return np.maximum(found, 1e-12 * found.max() + 1e-300)

    def violations(self, point, curvatures):
        """Return (4)."""
        found = np.empty(len(curvatures))
        violations(self.penalty, point.theta, point.gradient, curvatures, self.weights, found)
        found[~self.free] = 0.0
        return found

    def working_set(self, theta, violation, few):
        """Return the coordinates that take part, in order; if `few`, not all that violate."""
        inside = self.free & ((theta != 0) | (self.weights == 0))
        outside = np.where(inside, 0.0, violation)
        wanted = max(GROWTH * np.count_nonzero(inside), LEAST)
        candidates = np.flatnonzero(outside)
        if few and len(candidates) > wanted:
            order = np.argpartition(-outside[candidates], wanted)
            candidates = candidates[order[:wanted]]
        inside[candidates] = True
        return np.flatnonzero(inside)


def proximal_newton(
    risk,
    penalty,
    penalty_weights,
    theta0,
    *,
    tol=1e-4,
    max_iter=100,
    task=SILENCE,
    attributes=None,
    verbose=False,
):
    """Minimise a risk and a separable penalty.

    Parameters
    ----------
    risk : Risk or MultinomialRisk
    penalty : Penalty, of `core.penalties`, any but "group"
    penalty_weights : float, or array with a number for each coefficient
        c_j, on the scale of the mean loss; the intercept has none.
    theta0 : array, where to begin
    tol : float, default=1e-4
    max_iter : int, default=100
    task, attributes, verbose
        See `skcourse.linear_model.lbfgs.lbfgs`.

    Returns
    -------
    minimum : Minimum
        `history` has "loss" (1), "violation" max e_j of (4) and "n_active", coefficients not 0.
    """
    problem = Composite(risk, penalty, penalty_weights)
    with one_blas_thread():
        return descend(problem, theta0, tol, max_iter, task, attributes, verbose)


def descend(problem, theta0, tol, max_iter, task, attributes, verbose):
    """Run the iteration."""
    history, reason, n_iter, model = History(), MAX_ITER, 0, QuadraticModel(problem)
    point = point_at(problem, np.array(theta0, np.float64))
    curvatures = problem.curvatures()
    violation = problem.violations(point, curvatures)
    first, stall = violation.max(), Stall()
    while n_iter < max_iter:
        step = task.subtask("newton-iter", attributes=fitted_at(point, attributes))
        worst = violation.max()
        chosen = problem.working_set(point.theta, violation, model.matrices)
        part = min(INNER, np.sqrt(worst / first) if first else 1)
        aim = model.minimum(chosen, point, max(part * worst, INNER * tol))
        before, (point, promised) = point, move(problem, point, aim)
        n_iter += 1
        violation = problem.violations(point, curvatures)
        n_active = np.count_nonzero(point.theta[problem.weights > 0])
        history.append(loss=point.value, violation=violation.max(), n_active=n_active)
        if verbose:
            print(f"Iteration {n_iter}, loss {point.value}, violation {violation.max()}.")
        stop = step.end(fitted_at(point, attributes))
        stalled = stall.after(before.value, point.value, violation.max())
        if violation.max() <= tol or point is before or stalled:
            reason = SMALL_GRADIENT if violation.max() <= tol else why_no_lower(point, promised)
            break
        if stop:
            reason = STOPPED
            break
    converged = has_converged(reason)
    return Minimum(point.theta, n_iter, converged, history.arrays(), reason, "proximal-newton")


def move(problem, point, aim):
    """Return the Point at `aim`, or on the way to it, and the decrease that was promised.

    It is the same Point if none is lower.
    """
    direction = aim - point.theta
    risk_now = point.value - penalty_value(problem.penalty, point.theta, problem.weights, NO_GROUPS)
    penalty_then = penalty_value(problem.penalty, aim, problem.weights, NO_GROUPS)
    promised = point.gradient @ direction + penalty_then + risk_now - point.value
    slack = ROUNDING * max(abs(point.value), 1.0)
    t = 1.0
    for _ in range(HALVINGS):
        reached = point_at(problem, point.theta + t * direction)
        if reached.value <= point.value + ENOUGH * t * min(promised, 0.0):
            return reached, -promised
        if t == 1.0 and reached.value <= point.value + slack:  # values no longer tell
            return reached, -promised
        t *= 0.5
    point_at(problem, point.theta)  # the risk was asked elsewhere last
    return point, -promised
