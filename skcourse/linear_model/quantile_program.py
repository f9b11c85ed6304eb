"""Quantile regression as a linear program for a library: in its dual, which is the smaller one.

Problem     min over b_0, b of  sum_i w_i rho_q(y_i - b_0 - <b, x_i>) + c |b|_1               (1)
Dual        max over d, s of  <d, y>,   X'd + s = 0,   sum_i d_i = 0 (if b_0 is free),
                w_i (q - 1) <= d_i <= w_i q,   -c <= s_j <= c.                                (2)
            n + p bounded variables in p + 1 equations, where (1) written out needs n equations in
            2 n + 2 p + 2 variables. The multipliers of the equations are minus b and b_0.
Primal      Solvers that give no multipliers get (1), with r = u - v and b = s - t:
                min  sum_i w_i (q u_i + (1 - q) v_i) + c sum_j (s_j + t_j),
                X (s - t) + u - v = y,   u, v, s, t >= 0, likewise for b_0.                   (3)
Reference   R. Koenker, Quantile Regression, Cambridge, 2005, chapter 6. Q. Huangfu, J. Hall,
            Parallelizing the dual revised simplex method, Math. Prog. Comp., 2018 (HiGHS).
"""

from typing import NamedTuple

import numpy as np
from scipy import sparse
from scipy.optimize import linprog

HIGHS = ("highs", "highs-ds", "highs-ipm")


class Outcome(NamedTuple):
    """What the library said."""

    coef: np.ndarray | None  # b, (p,); None if it has not come so far
    intercept: float
    n_iter: int
    result: object  # of scipy.optimize.linprog


def penalty(problem):
    """Return c."""
    return problem.alpha * problem.weights.sum()


def solve_dual(problem, method, options):
    """Return the outcome of (2) by one of HIGHS.

    Parameters
    ----------
    problem : quantile_rows.Quantile
    method : str
    options : dict or None, of `scipy.optimize.linprog`
    """
    (n, p), w, q, c = problem.X.shape, problem.weights, problem.quantile, penalty(problem)
    columns = sparse.csr_array(problem.X.T) if sparse.issparse(problem.X) else problem.X.T
    equations = sparse.hstack([sparse.csr_array(columns), sparse.eye_array(p)])
    if problem.fit_intercept:
        sums = sparse.csr_array(np.concatenate([np.ones(n), np.zeros(p)])[np.newaxis])
        equations = sparse.vstack([equations, sums])
    bounds = np.empty((n + p, 2))
    bounds[:n, 0], bounds[:n, 1] = w * (q - 1), w * q
    bounds[n:] = -c, c
    result = linprog(
        -np.concatenate([problem.y, np.zeros(p)]),
        A_eq=equations.tocsc(),
        b_eq=np.zeros(equations.shape[0]),
        bounds=bounds,
        method=method,
        options=options,
    )
    theta = result.eqlin.marginals
    if theta is None or not result.success:
        return Outcome(None, 0.0, result.nit, result)
    theta = -np.asarray(theta, np.float64)
    return Outcome(theta[:p], theta[p] if problem.fit_intercept else 0.0, result.nit, result)


def solve_primal(problem, method, options):
    """Return the outcome of (3) by a method that takes dense equations."""
    (n, p), w, q, c = problem.X.shape, problem.weights, problem.quantile, penalty(problem)
    first = int(problem.fit_intercept)
    A = np.concatenate([np.ones((n, first)), problem.X], axis=1)
    price = np.concatenate([np.zeros(first), np.full(p, c)])
    result = linprog(
        np.concatenate([price, price, w * q, w * (1 - q)]),
        A_eq=np.concatenate([A, -A, np.eye(n), -np.eye(n)], axis=1),
        b_eq=problem.y,
        method=method,
        options=options,
    )
    if result.x is None:
        return Outcome(None, 0.0, result.nit, result)
    theta = result.x[: p + first] - result.x[p + first : 2 * (p + first)]
    return Outcome(theta[first:], theta[0] if first else 0.0, result.nit, result)
