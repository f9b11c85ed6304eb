"""A quadratic over coefficients that must not be negative.

Problem     Minimise f(b) = <b, H b> / 2 - <q, b> over b >= 0, with H positive semidefinite: the
            ridge problem has H = X'X + alpha I and q = X'y.                                  (1)
Optimality  With the gradient g = H b - q, b is a minimum if and only if (Karush, Kuhn, Tucker)
                b_j >= 0,   g_j >= 0,   b_j g_j = 0   for all j.                              (2)
Iteration   Coordinate by coordinate, exactly:
                b_j = max(0, b_j - g_j / H_jj),   g follows                                   (3)
            Soon only the coefficients that are positive at the minimum are so. Then f is free in
            them, and one linear system finds them,
                H_FF b_F = q_F,   F = {j : b_j > 0},                                          (4)
            and (2) tells whether that was the minimum. If not, (3) goes on. If (4) is too
            ill-conditioned to tell, or (3) too slow, this is a case for `lawson_hanson`.
Cost        p^2 products per sweep of (3), |F|^3 / 3 per trial of (4).
Reference   C. Lawson, R. Hanson, Solving Least Squares Problems, 1974, chapter 23.
            R. Byrd, P. Lu, J. Nocedal, C. Zhu, L-BFGS-B, SIAM J. Scientific Computing, 1995.
"""

import numpy as np
from scipy import optimize

from skcourse.core.kernel import kernel
from skcourse.core.linalg import cholesky

LIMIT = 1e8  # condition number of H_FF up to which (4) is believed
EPS = np.finfo(np.float64).eps


@kernel
def sweep(H, q, b, g):
    """Run (3) once over all coordinates; b and g, (p,), are changed."""
    for j in range(len(b)):
        if H[j, j] <= 0:
            continue
        value = max(0.0, b[j] - g[j] / H[j, j])
        change = value - b[j]
        if change != 0:
            b[j] = value
            for k in range(len(b)):
                g[k] += change * H[j, k]


def violation(b, g):
    """Return the largest violation of (2), in units of the gradient."""
    return float(np.max(np.where(b > 0, np.abs(g), np.maximum(-g, 0)), initial=0.0))


def finish(H, q, b):
    """Return the solution of (4) for the signs of b, or None if it breaks (2) or is uncertain."""
    free = np.flatnonzero(b > 0)
    solution = np.zeros_like(b)
    if len(free):
        certified = cholesky(H[np.ix_(free, free)])
        if certified is None or certified.condition > LIMIT:
            return None
        solution[free] = certified.solve(q[free, np.newaxis])[:, 0]
    rounding = 8 * len(b) * EPS * (np.abs(H) @ np.abs(solution) + np.abs(q))
    optimal = np.all(solution >= 0) and np.all(H @ solution - q >= -rounding)
    return solution if optimal else None


def coordinate_descent(H, q, max_iter):
    """Minimise (1) by (3) and (4).

    Parameters
    ----------
    H : array of shape (p, p), C-contiguous
    q : array of shape (p,)
    max_iter : int, sweeps at most

    Returns
    -------
    b : array of shape (p,), exact up to rounding, or None if `max_iter` was not enough
    n_iter : int, sweeps
    """
    b, g = np.zeros(len(q)), -q
    trial = 1e-2 * np.max(np.abs(q))  # (4) is tried whenever the violation has fallen tenfold
    for n_iter in range(1, max_iter + 1):
        sweep(H, q, b, g)
        worst = violation(b, g)
        if worst <= trial:
            solution = finish(H, q, b)
            if solution is not None:
                return solution, n_iter
            trial = worst / 10
    return None, max_iter


def bounded_lbfgs(value_and_gradient, p, *, max_iter, tol):
    """Minimise a smooth f over b >= 0, (p,), by L-BFGS-B from 0.

    Parameters
    ----------
    value_and_gradient : callable, b -> f(b), gradient of f at b
    p : int
    max_iter : int
    tol : float, bound on the relative decrease of f and on the projected gradient

    Returns
    -------
    b : array of shape (p,)
    n_iter : int
    converged : bool
    """
    result = optimize.minimize(
        value_and_gradient,
        np.zeros(p),
        method="L-BFGS-B",
        jac=True,
        tol=tol,
        bounds=[(0, np.inf)] * p,
        options={"maxiter": max_iter},
    )
    return result.x, result.nit, bool(result.success)
