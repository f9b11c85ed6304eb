"""A first guess of the Hessian, which makes the level sets of a risk nearly round.

Problem     L-BFGS and conjugate gradients need as many iterations as the level sets are long. In
            coordinates u = M^(1/2) theta, with M near the Hessian, they are round. Neither the
            minimum nor the rule that stops at it changes, only the number of passes.
Guess       For K raw predictions per row the Hessian is a sum of products A_i (x) x_i x_i', A_i
            the K x K curvature of the loss in them. With A their mean,
                M = A (x) S + diag(l),   S = sum_i h_i (x_i, 1) (x_i, 1)'                    (1)
            is exact at theta = 0. In the eigenvectors of A, a system in M is K systems in
            a_k S + diag(l), each of p + 1 unknowns.
Sample      S from a few rows per column is near enough: its eigenvalues are off by a factor of 2
            or so. Yet a column that these rows miss must not look flat: the diagonal of S is
            raised to that of all rows.
Redundant   A number added to all scores of classes changes nothing: A has the eigenvalue 0. What
            M^-1 makes of rounding there would grow from step to step, so it makes 0 of it.
Many columns  Then M is diagonal.
Cost        About that of one or two passes over the rows.
"""

import numpy as np
from scipy.linalg import lapack

ROWS_PER_COLUMN = 5
MIN_ROWS = 1000
WORK = 40  # columns^2 per row at which the factorisation costs a few passes
FEW_COLUMNS = 100  # up to which it never does
MOST_COLUMNS = 4000
FLOOR = 1e-10  # of the mean diagonal entry: lest a flat direction makes M singular


class Identity:
    """M = c I: no guess, for a problem that has no single minimum."""

    def __init__(self, gradient):
        self.scale = 1.0 / max(np.sqrt(gradient @ gradient), 1e-300)

    def solve(self, v):
        """Return M^-1 v."""
        return self.scale * v


class Diagonal:
    """The diagonal of (1)."""

    def __init__(self, A, squares, l2):
        entries = np.outer(np.abs(squares), np.maximum(np.diagonal(A), FLOOR)).ravel() + l2
        entries[entries <= FLOOR * entries.mean()] = entries.mean() or 1.0
        self.entries, self.outputs = entries, len(A)

    def solve(self, v):
        """Return M^-1 v."""
        solution = v / self.entries
        if self.outputs > 1:
            scores = solution.reshape(-1, self.outputs)
            scores -= scores.mean(axis=1, keepdims=True)
        return solution


class Kronecker:
    """(1), factored: the triangle of a_k S + diag(l) for each k, or None where a_k = 0."""

    def __init__(self, axes, factors):
        self.axes, self.factors = axes, factors

    def solve(self, v):
        """Return M^-1 v."""
        if len(self.factors) == 1:
            return lapack.dpotrs(self.factors[0], v)[0]
        columns = v.reshape(-1, len(self.axes)) @ self.axes
        for k, factor in enumerate(self.factors):
            columns[:, k] = 0.0 if factor is None else lapack.dpotrs(factor, columns[:, k])[0]
        return (columns @ self.axes.T).ravel()


def metric_at(problem, gradient):
    """Return M where `value_and_gradient` of a PenalisedRisk was last asked.

    Parameters
    ----------
    problem : PenalisedRisk
    gradient : array, what it returned
    """
    risk = problem.risk
    n, p = risk.n, risk.p
    if n < p and not problem.l2.any():
        return Identity(gradient)  # and so theta stays within the rows: the least norm
    worth = WORK * n * (risk.density if risk.sparse else 1.0)
    if p <= FEW_COLUMNS or (p <= MOST_COLUMNS and p * p <= worth):
        found = kronecker(problem, sampling_step(n, p, risk.outputs))
        if found is not None:
            return found
    A, squares = risk.curvature_diagonal()
    return Diagonal(A, squares, problem.l2)


def sampling_step(n, p, outputs):
    """Return which rows make S: every 1st, 2nd, ..."""
    wanted = max(ROWS_PER_COLUMN * p, MIN_ROWS, n * outputs // (8 * p))
    return max(1, n // wanted)


def kronecker(problem, step):
    """Return a Kronecker metric, or None if (1) is not positive definite."""
    risk = problem.risk
    A, S = risk.curvature(step)
    if step > 1:
        diagonal = np.einsum("jj->j", S)
        diagonal += np.maximum(risk.curvature_diagonal()[1] - diagonal, 0.0)
    shares, axes = np.linalg.eigh(A)
    if not shares[-1] > 0:
        return None
    l2 = problem.l2.reshape(-1, risk.outputs)[:, 0]
    factors = []
    for share in shares:
        if share <= FLOOR * shares[-1]:
            factors.append(None)
            continue
        M = share * S
        diagonal = np.einsum("jj->j", M)
        diagonal += l2
        diagonal += FLOOR * diagonal.mean()
        factor, failed = lapack.dpotrf(M)
        if failed or not np.isfinite(factor[-1, -1]):
            return None
        factors.append(factor)
    return Kronecker(axes, factors)
