"""Coordinate descent on the quadratic model of proximal Newton; see `proximal_newton`, (2), (3).

Written out The Hessian on the working set: a change of one coordinate changes the gradient q of the
            model by a row of it. For dense rows and one raw prediction.
By columns  The Hessian is sum_i (x_i x_i') (x) (diag(a_i) - a_i p_i'), with a_i = h_i and p_i = 0
            for one raw prediction, and s_i p_i and p_i for the scores of classes. With u_i the
            change of the raw predictions of row i and m_i = <p_i, u_i>, both kept,
                q_jk = g_jk + sum_i x_ij a_ik (u_ik - m_i).                                  (1)
"""

import functools
from typing import NamedTuple

import numpy as np
from scipy.sparse import csc_array

from skcourse.core.kernel import kernel
from skcourse.core.penalties import proximal
from skcourse.linear_model.risk import scatter_of

WRITTEN_OUT = 2000  # coordinates
EPOCHS = 200  # turns of all coordinates, at most
DAMPING = 1e-12  # of the largest curvature, lest a flat coordinate runs away


class Columns(NamedTuple):
    """Columns of a CSC matrix, with the entries of the Hessian that are not in them."""

    starts: np.ndarray
    indices: np.ndarray
    data: np.ndarray
    a: np.ndarray  # (n, K)
    p: np.ndarray  # (n, K)


class Terms(NamedTuple):
    """What belongs to the coordinates."""

    gradient: np.ndarray  # g
    weights: np.ndarray  # c
    diagonal: np.ndarray  # of the Hessian, positive


@kernel
def descend_written_out(H, penalty, terms, v, tol):
    """Run (3) of `proximal_newton` on v, which begins at theta, until steps are below `tol`."""
    q = terms.gradient.copy()
    for _ in range(EPOCHS):
        worst = 0.0
        for j in range(len(v)):
            h = terms.diagonal[j]
            new = proximal(penalty, v[j] - q[j] / h, terms.weights[j] / h)
            change = new - v[j]
            if change != 0:
                v[j] = new
                worst = max(worst, abs(change) * h)
                for m in range(len(v)):
                    q[m] += change * H[j, m]
        if worst <= tol:
            break


@kernel
def diagonal_by_columns(columns, chosen, diagonal):
    """Write the diagonal of the Hessian for the coordinates `chosen`, numbers j K + k."""
    n_rows, n_classes = columns.a.shape
    n_columns = len(columns.starts) - 1
    for c in range(len(chosen)):
        j, k = chosen[c] // n_classes, chosen[c] % n_classes
        total = 0.0
        if j == n_columns:  # the intercept
            for i in range(n_rows):
                total += columns.a[i, k] * (1.0 - columns.p[i, k])
        else:
            for e in range(columns.starts[j], columns.starts[j + 1]):
                i, x = columns.indices[e], np.float64(columns.data[e])
                total += x * x * columns.a[i, k] * (1.0 - columns.p[i, k])
        diagonal[c] = total


@kernel
def descend_by_columns(columns, chosen, penalty, terms, v, tol):
    """Run (3) of `proximal_newton` on v at the coordinates `chosen`, by (1), for K = 1."""
    n_rows, n_columns = len(columns.a), len(columns.starts) - 1
    a, pull = columns.a[:, 0], np.zeros(n_rows)  # pull: a_i u_i
    for _ in range(EPOCHS):
        worst = 0.0
        for c in range(len(chosen)):
            j, h, q = chosen[c], terms.diagonal[c], terms.gradient[c]
            if j == n_columns:  # the intercept
                for i in range(n_rows):
                    q += pull[i]
            else:
                for e in range(columns.starts[j], columns.starts[j + 1]):
                    q += columns.data[e] * pull[columns.indices[e]]
            new = proximal(penalty, v[c] - q / h, terms.weights[c] / h)
            change = new - v[c]
            if change == 0:
                continue
            v[c] = new
            worst = max(worst, abs(change) * h)
            if j == n_columns:
                for i in range(n_rows):
                    pull[i] += change * a[i]
            else:
                for e in range(columns.starts[j], columns.starts[j + 1]):
                    i = columns.indices[e]
                    pull[i] += change * columns.data[e] * a[i]
        if worst <= tol:
            break


@kernel
def descend_by_classes(columns, chosen, penalty, terms, v, tol):
    """Do the same for K > 1; the coordinates are numbers j K + k."""
    n_rows, n_classes = columns.a.shape
    n_columns = len(columns.starts) - 1
    u, m = np.zeros((n_rows, n_classes)), np.zeros(n_rows)
    for _ in range(EPOCHS):
        worst = 0.0
        for c in range(len(chosen)):
            j, k, h = chosen[c] // n_classes, chosen[c] % n_classes, terms.diagonal[c]
            q = terms.gradient[c]
            if j == n_columns:
                for i in range(n_rows):
                    q += columns.a[i, k] * (u[i, k] - m[i])
            else:
                for e in range(columns.starts[j], columns.starts[j + 1]):
                    i = columns.indices[e]
                    q += columns.data[e] * columns.a[i, k] * (u[i, k] - m[i])
            new = proximal(penalty, v[c] - q / h, terms.weights[c] / h)
            change = new - v[c]
            if change == 0:
                continue
            v[c] = new
            worst = max(worst, abs(change) * h)
            if j == n_columns:
                for i in range(n_rows):
                    u[i, k] += change
                    m[i] += change * columns.p[i, k]
            else:
                for e in range(columns.starts[j], columns.starts[j + 1]):
                    i = columns.indices[e]
                    u[i, k] += change * columns.data[e]
                    m[i] += change * columns.data[e] * columns.p[i, k]
        if worst <= tol:
            break


class QuadraticModel:
    """(2) of `proximal_newton`, for a Composite."""

    def __init__(self, problem):
        self.problem = problem
        self.matrices = not problem.risk.sparse and problem.risk.outputs == 1

    def minimum(self, chosen, point, tol):
        """Return where the model is least, nearly, if only the coordinates `chosen` move.

        Parameters
        ----------
        chosen : array of int, in order
        point : Point, where `value_and_gradient` was last asked
        tol : float, the gradient of the model that is small enough
        """
        theta = point.theta.copy()
        if len(chosen) == 0:  # all coefficients are best at 0, and there is no intercept
            return theta
        solve = (
            self.written_out if self.matrices and len(chosen) <= WRITTEN_OUT else self.by_columns
        )
        theta[chosen] = solve(chosen, point, tol)
        return theta

    def written_out(self, chosen, point, tol):
        """Return the coordinates at the minimum, by the Hessian as a matrix."""
        risk = self.problem.risk
        columns = chosen[chosen < risk.p]
        H = scatter_of(risk.X, risk.slopes.second, n_jobs=risk.n_jobs, columns=columns)
        H = np.ascontiguousarray(H[: len(chosen), : len(chosen)] / risk.total)
        terms, v = self.terms(chosen, point, np.diagonal(H).copy()), point.theta[chosen]
        descend_written_out(H, self.problem.penalty, terms, v, tol)
        return v

    def by_columns(self, chosen, point, tol):
        """Return the coordinates at the minimum, by the Hessian in factors."""
        X = self.columns
        columns = Columns(X.indptr, X.indices, X.data, *self.problem.risk.curvature_weights())
        diagonal, v = np.empty(len(chosen)), point.theta[chosen]
        diagonal_by_columns(columns, chosen, diagonal)
        terms = self.terms(chosen, point, diagonal)
        descend = descend_by_columns if self.problem.risk.outputs == 1 else descend_by_classes
        descend(columns, chosen, self.problem.penalty, terms, v, tol)
        return v

    @functools.cached_property
    def columns(self):
        """X by columns."""
        return csc_array(self.problem.risk.X)

    def terms(self, chosen, point, diagonal):
        """Return what belongs to the coordinates `chosen`."""
        diagonal = np.maximum(diagonal, DAMPING * diagonal.max() + 1e-300)
        return Terms(point.gradient[chosen], self.problem.weights[chosen], diagonal)
