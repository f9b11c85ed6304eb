"""Newton's method, the step by Cholesky with a certificate.

Problem     Minimise F(theta) = R(theta) + sum_j l_j theta_j^2 / 2, see `penalised_risk`.
Iteration   With gradient g and Hessian H at theta, the minimum of the parabola there is at
                theta + d,   H d = -g,                                                       (1)
            and theta moves towards it as far as F decreases enough (`line_search`).
Stop        max_j |g_j| <= tol, and the last step promised a decrease d'H d / 2 of at most tol.
Fallback    A Hessian that is singular, to working precision, or not positive has no step (1).
            The rest is then left to L-BFGS.
Cost        n p^2 products for a Hessian and p^3 / 3 for its factor; near the minimum each
            iteration doubles the digits.
Reference   S. Boyd, L. Vandenberghe, Convex Optimization, 2004, ch. 9.
"""

import warnings

import numpy as np
from scipy.linalg import LinAlgWarning
from sklearn.exceptions import ConvergenceWarning

from skcourse.core.chunks import one_blas_thread
from skcourse.core.history import SILENCE, History
from skcourse.core.linalg import cholesky
from skcourse.linear_model.lbfgs import lbfgs
from skcourse.linear_model.line_search import point_at, search
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

WORST = 1e14  # condition of H beyond which its steps are noise


class SingularHessian(ConvergenceWarning, LinAlgWarning):
    """L-BFGS takes over: whoever listens for either kind of warning hears of it."""


def newton_cholesky(
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

    Warns
    -----
    SingularHessian
        If L-BFGS has to take over.
    """
    problem = PenalisedRisk(risk, l2)
    with one_blas_thread():
        found, failed = iterate(problem, theta0, tol, max_iter, task, attributes, verbose)
    if failed is None:
        return found
    warnings.warn(failed, SingularHessian, stacklevel=2)
    rest = lbfgs(
        risk,
        found.theta,
        l2,
        tol=tol,
        max_iter=max_iter - found.n_iter - 1,  # the step that failed counts
        task=task,
        attributes=attributes,
        verbose=verbose,
    )
    names = rest.history if rest.history else found.history
    joined = {
        name: np.concatenate([found.history.get(name, []), rest.history.get(name, [])])
        for name in names
    }
    return rest._replace(n_iter=found.n_iter + rest.n_iter, history=joined)


def iterate(problem, theta0, tol, max_iter, task, attributes, verbose):
    """Run the iteration; return a Minimum, and why L-BFGS has to go on from there, or None."""
    history, reason, n_iter, stall = History(), MAX_ITER, 0, Stall()
    point = point_at(problem, np.array(theta0, np.float64))
    while n_iter < max_iter:
        direction = newton_step(problem, point.gradient)
        if direction is None:
            return Minimum(point.theta, n_iter, False, history.arrays(), reason, "lbfgs"), (
                "The inner solver of NewtonCholeskySolver stumbled upon a singular or very "
                f"ill-conditioned Hessian matrix at iteration {n_iter + 1}. It will now resort to "
                "lbfgs instead. Remove collinear features or penalise more to avoid this."
            )
        step = task.subtask("newton-iter", attributes=fitted_at(point, attributes))
        before, point = point, search(problem, point, direction, near=None) or point
        n_iter += 1
        steepest = np.abs(point.gradient).max()
        history.append(loss=point.value, gradient=steepest)
        if verbose:
            print(f"Newton iter={n_iter}, loss {point.value}, steepest slope {steepest}.")
        stop = step.end(fitted_at(point, attributes))
        promised = -0.5 * (before.gradient @ direction)
        stalled = stall.after(before.value, point.value, steepest)
        if (steepest <= tol and promised <= tol) or point is before or stalled:
            reason = SMALL_GRADIENT if steepest <= tol else why_no_lower(point, promised)
            break
        if stop:
            reason = STOPPED
            break
    converged = has_converged(reason)
    return Minimum(
        point.theta, n_iter, converged, history.arrays(), reason, "newton-cholesky"
    ), None


def newton_step(problem, gradient):
    """Return d of (1), or None if the Hessian gives none that can be trusted."""
    with np.errstate(over="ignore", invalid="ignore"):
        factor = cholesky(problem.hessian())
    if factor is None or not factor.condition < WORST:
        return None
    return -factor.solve(gradient[:, np.newaxis])[:, 0]
