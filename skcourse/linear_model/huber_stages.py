"""Huber's loss minimised, from least squares to the scale it has, or to none.

Iteration   Newton's method on the profile (3) of `huber_risk`, from least squares. Where rows are
            many and few of them outliers, the scale is positive and convergence quadratic.
Stages      Where so many rows lie on the best plane that the scale tends to 0, (3) tends to
            absolute deviations, whose kinks Newton's method does not see. So the scale is kept
            from falling at once: the minimum for scales from `least` on is found first, and from
            there that for a tenth of it, until a stage gains nothing that counts.
Exact fit   With more columns than rows all rows lie on a plane, the one with the least |w|. It is
            the optimum if the rows can hold it against the penalty,
                sum_i l_i x_i = 2 a w,   sum_i l_i = 0,   |l_i| <= 2 e s_i,                    (1)
            which is what the slopes of the loss at 0 reach.
e = 1       As c + r^2 / c >= 2 |r|, the best scale is the least residual, if not 0, and (3) is
            twice the absolute deviations at every theta: `interior_point` finds their minimum.
Cost        Per step two passes over X, and the Hessian of the rows that changed sides.
Reference   K. Madsen, H. Nielsen, A finite smoothing algorithm for linear l1 estimation, SIAM J.
            Optimization, 1993.
"""

import numpy as np

from skcourse.core.history import History
from skcourse.core.linalg import cholesky
from skcourse.linear_model import lbfgs
from skcourse.linear_model.huber_risk import FLOOR
from skcourse.linear_model.interior_point import Kinks, interior_point
from skcourse.linear_model.line_search import point_at, search
from skcourse.linear_model.newton import WORST, newton_step
from skcourse.linear_model.penalised_risk import (
    MAX_ITER,
    NO_DECREASE,
    SMALL_GRADIENT,
    STOPPED,
    STUCK,
    Minimum,
    fitted_at,
    has_converged,
)

SINGULAR = "singular"
MOST_COLUMNS = 1000  # for which a Hessian is made
AT_ONCE = 100.0  # how much smaller than that of least squares the scale may be at first
STAGE = 10.0  # and then from stage to stage
PRECISION = 1e-12  # of the objective: two steps in a row that gain no more are the last
GAIN = 1e-9  # likewise where the scale may not fall; and a stage that gains no more is the last
LEAST_GAP = 1e-10  # of the mean absolute deviation at the start
ALL_MET = 1e-12  # of the largest |y|: deviations that are rounding
SPARSE_WORK = 1e10  # products that densifying a sparse X may cost


def least_squares_start(problem):
    """Return the theta that is best if no row is an outlier; (0, mean of y) where there is none."""
    risk, theta = problem.risk, np.zeros(problem.risk.p + 1)
    y, weights = risk.targets
    if risk.fit_intercept:
        theta[-1] = np.average(y, weights=weights if len(weights) else None)
    if not takes_newton(risk):
        return theta
    risk.epsilon, epsilon = np.inf, risk.epsilon
    gradient = problem.value_and_gradient(theta)[1]
    factor = cholesky(problem.hessian_at_fixed_scale(risk.risk_hessian()))
    risk.epsilon = epsilon
    if factor is None or not factor.condition < WORST:
        return theta
    return theta - factor.solve(gradient[:, np.newaxis])[:, 0]


def takes_newton(risk):
    """Tell whether a Hessian is worth its cost."""
    work = risk.n * risk.p**2
    return risk.p <= MOST_COLUMNS and not (risk.sparse and work > SPARSE_WORK)


def minimise(problem, start, *, tol, max_iter, task, attributes):
    """Return the Minimum of the problem, found from scale to scale where the least is 0."""
    risk, history, n_iter = problem.risk, History(), 0
    point = point_at(problem, start)
    if np.abs(point.gradient).max() <= tol and risk.scale > FLOOR:
        return Minimum(start, 0, True, history.arrays(), SMALL_GRADIENT, "newton")
    if risk.n <= risk.p + 1 and max_iter and (exact := exact_fit(problem)) is not None:
        point = point_at(problem, exact)
        history.append(loss=point.value, gradient=np.abs(point.gradient).max())
        return Minimum(exact, 1, True, history.arrays(), NO_DECREASE, "least squares")
    options = {"tol": tol, "max_iter": max_iter, "task": task, "attributes": attributes}
    if not takes_newton(risk):
        return lbfgs.descend(problem, start, tol, max_iter, task, attributes, False)
    if risk.epsilon == 1 and (found := least_deviations(problem, start, **options)) is not None:
        return found
    point = point_at(problem, start)
    risk.least = max(risk.scale / AT_ONCE, FLOOR)
    reason, before = MAX_ITER, np.inf
    while n_iter < max_iter:
        point = point_at(problem, point.theta)
        left = (tol, max_iter - n_iter, task, attributes, history)
        point, n_steps, reason = newton_stage(problem, point, *left)
        n_iter += n_steps
        settled = reason in (SMALL_GRADIENT, NO_DECREASE)
        lowest = risk.scale > risk.least or risk.least <= FLOOR
        if lowest or not settled or before - point.value <= GAIN * point.value:
            break
        before = point.value
        risk.least = max(risk.least / STAGE, FLOOR)
    found = Minimum(point.theta, n_iter, has_converged(reason), history.arrays(), reason, "newton")
    if reason != SINGULAR:
        return found
    risk.least = FLOOR
    rest = lbfgs.descend(problem, point.theta, tol, max_iter - n_iter, task, attributes, False)
    joined = {
        name: np.concatenate([found.history.get(name, []), rest.history.get(name, [])])
        for name in ("loss", "gradient")
    }
    return rest._replace(n_iter=n_iter + rest.n_iter, history=joined)


def least_deviations(problem, start, *, tol, max_iter, task, attributes):
    """Return the Minimum for e = 1, or None if rounding is in the way; its history has "gap"."""
    risk = problem.risk
    y, s = risk.targets
    s = (s if len(s) else np.ones(risk.n)) / risk.total
    deviations = np.abs(risk.residuals(start))
    unit, used = s @ deviations, np.flatnonzero(s)
    if not np.isfinite(unit) or unit <= ALL_MET * np.abs(y[used]).max():
        return None
    pull = 2.0 * s[np.newaxis, used]
    found = interior_point(
        risk.X if len(used) == risk.n else risk.X[used],
        Kinks(y[np.newaxis, used] / unit, -pull, pull),
        start / unit,
        bends=np.zeros(risk.p),
        squares=problem.l2[:-1] * unit,
        fit_intercept=risk.fit_intercept,
        tol=max(tol, LEAST_GAP),
        max_iter=max_iter,
        task=task,
        attributes=attributes and (lambda theta: attributes(theta * unit)),
    )
    if found.reason == STUCK or not np.isfinite(found.theta).all():
        return None
    history = {name: values * unit for name, values in found.history.items()}
    return found._replace(theta=found.theta * unit, history=history)


def exact_fit(problem):
    """Return the theta of least norm on which all rows lie, if there is one and (1) holds."""
    risk = problem.risk
    X = risk.X.toarray() if risk.sparse else np.asarray(risk.X)
    y, s = risk.targets
    s = s if len(s) else np.ones(risk.n)
    X, y, s = X[s > 0].astype(np.float64), y[s > 0], s[s > 0]
    x_mean, y_mean = (s @ X / s.sum(), s @ y / s.sum()) if risk.fit_intercept else (0.0, 0.0)
    A = X - x_mean
    if not np.isfinite(A).all():
        return None
    w = np.linalg.lstsq(A, y - y_mean)[0]
    forces = problem.alpha * np.linalg.lstsq(A.T, 2.0 * w)[0]
    rounding = len(w) * np.finfo(float).eps * (np.abs(y - y_mean) + np.abs(A) @ np.abs(w))
    fits = np.abs(y - y_mean - A @ w) <= 100 * rounding
    holds = np.abs(forces) <= 2.0 * risk.epsilon * s
    return np.append(w, y_mean - np.sum(w * x_mean)) if np.all(fits & holds) else None


def newton_stage(problem, point, tol, max_iter, task, attributes, history):
    """Return the Point that is best for scales from `least` on, the steps taken, and the reason."""
    still = 0
    for n_iter in range(1, max_iter + 1):
        direction = newton_step(problem, point.gradient)
        if direction is None:
            return point, n_iter - 1, SINGULAR
        step = task.subtask("newton-iter", attributes=fitted_at(point, attributes))
        before, point = point, search(problem, point, direction, near=None) or point
        steepest = np.abs(point.gradient).max()
        history.append(loss=point.value, gradient=steepest)
        stop = step.end(fitted_at(point, attributes))
        if steepest <= tol:
            return point, n_iter, SMALL_GRADIENT
        gain = PRECISION if problem.risk.scale > problem.risk.least else GAIN
        idle = before.value - point.value <= gain * point.value + FLOOR
        still = still + 1 if idle else 0
        if still > 1 or point is before:
            return point, n_iter, NO_DECREASE
        if stop:
            return point, n_iter, STOPPED
    return point, max_iter, MAX_ITER
