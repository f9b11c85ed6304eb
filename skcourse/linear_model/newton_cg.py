"""Newton's method, the step by conjugate gradients.

Problem     Minimise F(theta) = R(theta) + sum_j l_j theta_j^2 / 2, see `penalised_risk`.
Iteration   As in `newton`, but H d = -g is solved only nearly, by conjugate gradients in the metric
            M, until in its norm
                |H d + g| <= min(1/2, max_j |g_j|^(1/2)) |g|:                                 (1)
            roughly at first, precisely near the minimum. H is never written out: a product with it
            is a pass over the rows. M is made anew for each step.
Stop        max_j |g_j| <= tol.
Reference   J. Nocedal, S. Wright, Numerical Optimization, 2006, ch. 7.
"""

import numpy as np

from skcourse.core.chunks import one_blas_thread
from skcourse.core.history import SILENCE, History
from skcourse.linear_model.line_search import point_at, search
from skcourse.linear_model.metric import metric_at
from skcourse.linear_model.penalised_risk import (
    MAX_ITER,
    SMALL_GRADIENT,
    STOPPED,
    Minimum,
    PenalisedRisk,
    Stall,
    fitted_at,
    has_converged,
    why_no_lower,
)

MOST = 200  # steps of conjugate gradients for one step of Newton


def newton_cg(
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
    risk, theta0, l2, tol, max_iter, task, attributes, verbose
        See `skcourse.linear_model.lbfgs.lbfgs`.

    Returns
    -------
    minimum : Minimum
    """
    with one_blas_thread():
        return iterate(PenalisedRisk(risk, l2), theta0, tol, max_iter, task, attributes, verbose)


def iterate(problem, theta0, tol, max_iter, task, attributes, verbose):
    """Run the iteration."""
    history, reason, n_iter, stall = History(), MAX_ITER, 0, Stall()
    point = point_at(problem, np.array(theta0, np.float64))
    while n_iter < max_iter:
        step = task.subtask("newton-iter", attributes=fitted_at(point, attributes))
        metric = metric_at(problem, point.gradient)
        precision = min(0.5, np.sqrt(np.abs(point.gradient).max()))
        direction = conjugate_gradients(problem, metric, point.gradient, precision)
        before, point = point, search(problem, point, direction, near=None) or point
        n_iter += 1
        steepest = np.abs(point.gradient).max()
        history.append(loss=point.value, gradient=steepest)
        if verbose:
            print(f"Newton iter={n_iter}, loss {point.value}, steepest slope {steepest}.")
        stop = step.end(fitted_at(point, attributes))
        stalled = stall.after(before.value, point.value, steepest)
        if steepest <= tol or point is before or stalled:
            promised = -0.5 * (point.gradient @ direction)
            reason = SMALL_GRADIENT if steepest <= tol else why_no_lower(point, promised)
            break
        if stop:
            reason = STOPPED
            break
    converged = has_converged(reason)
    return Minimum(point.theta, n_iter, converged, history.arrays(), reason, "newton-cg")


def conjugate_gradients(problem, metric, gradient, precision):
    """Return d with H d = -g up to (1); where the curvature is not positive, as far as it was."""
    d, residual = np.zeros_like(gradient), -gradient
    scaled = metric.solve(residual)
    square = residual @ scaled
    search_along, enough = scaled, precision * precision * square
    for _ in range(MOST):
        product = problem.hessian_product(search_along)
        curvature = search_along @ product
        if not curvature > 0:
            return d if d.any() else scaled
        t = square / curvature
        d += t * search_along
        residual = residual - t * product
        scaled = metric.solve(residual)
        square, before = residual @ scaled, square
        if square <= enough:
            break
        search_along = scaled + (square / before) * search_along
    return d
