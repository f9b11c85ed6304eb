"""Coordinate descent on the quadratic model of proximal Newton; see `proximal_newton`, (2), (3).

Written out The Hessian on the working set: a change of one coordinate changes the gradient q of the
            model by a row of it. For few coordinates, of rows that are not very sparse.
By columns  The Hessian is sum_i (x_i x_i') (x) (diag(a_i) - a_i p_i'), with a_i = h_i and p_i = 0
            for one raw prediction, and s_i p_i and p_i for the scores of classes. With u_i the
            change of the raw predictions of row i and m_i = <p_i, u_i>, both kept,
                q_jk = g_jk + sum_i x_ij a_ik (u_ik - m_i).                                  (1)
Support     Columns that are nearly the same make turns of coordinates slow. Where the Hessian is
            written out and they have not ended soon, all coordinates S off the kink of P move
            together, towards
                v_S - (H_SS + C'')^-1 (q_S + C'),   C the sum of c_j P(v_j),                 (2)
            as far as none of them changes its sign.
"""

import functools
from typing import NamedTuple

import numpy as np
from scipy.linalg import lapack
from scipy.sparse import csc_array

from skcourse.core.kernel import kernel
from skcourse.core.penalties import ELASTIC_NET, L1, L2, NO_PENALTY, proximal
from skcourse.linear_model.risk import scatter_of

WRITTEN_OUT = 2000  # coordinates, if rows are dense and have one raw prediction
SEVERAL = 600  # times the share of entries that are not 0, else
EPOCHS = 200  # turns of the coordinates, at most, if it is written out
PASSES = 60  # turns, at most, by columns: each costs about as much as a new model
SOON = 10  # after these turns (2) comes, and again whenever there have been twice as many
SIGNS = 20  # (2) is stopped by so many signs in a row, at most
SLOW = 0.1  # of the tolerance: a coordinate that moves less hardly moves
LONGEST_REST = 8  # turns
FLAT = 1e-12  # of the largest entry of the diagonal: lest (2) divides by 0
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
def descend_written_out(H, penalty, terms, v, turns, tol):
    """Run (3) of `proximal_newton` on v; return whether steps fell below `tol` in `turns`.

    `terms.gradient` is q at v, here and at the end.
    """
    q = terms.gradient
    for _ in range(turns):
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
            return True
    return False


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
    """Run (3) of `proximal_newton` on v at the coordinates `chosen`, by (1), for K = 1.

    A coordinate that hardly moves is left out of the next turn, then of two, of four. When those
    that take part have come to rest, all take part again.
    """
    n_rows, n_columns = len(columns.a), len(columns.starts) - 1
    a, pull = columns.a[:, 0], np.zeros(n_rows)  # pull: a_i u_i
    absent, rest = np.zeros(len(chosen), np.int64), np.ones(len(chosen), np.int64)
    for _ in range(PASSES):
        worst, n_absent = 0.0, 0
        for c in range(len(chosen)):
            if absent[c] > 0:
                absent[c] -= 1
                n_absent += 1
                continue
            j, h, q = chosen[c], terms.diagonal[c], terms.gradient[c]
            if j == n_columns:  # the intercept
                for i in range(n_rows):
                    q += pull[i]
            else:
                for e in range(columns.starts[j], columns.starts[j + 1]):
                    q += columns.data[e] * pull[columns.indices[e]]
            new = proximal(penalty, v[c] - q / h, terms.weights[c] / h)
            change = new - v[c]
            if abs(change) * h <= SLOW * tol:
                absent[c], rest[c] = rest[c], min(2 * rest[c], LONGEST_REST)
            else:
                rest[c] = 1
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
        if worst <= tol and n_absent == 0:
            break
        if worst <= tol:
            absent[:] = 0


@kernel
def descend_by_classes(columns, chosen, penalty, terms, v, tol):
    """Do the same for K > 1; the coordinates are numbers j K + k."""
    n_rows, n_classes = columns.a.shape
    n_columns = len(columns.starts) - 1
    u, m = np.zeros((n_rows, n_classes)), np.zeros(n_rows)
    for _ in range(PASSES):
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


def move_support(H, penalty, terms, v):
    """Move v, and q with it, by (2), where P is a sum of |v_j| and v_j^2.

    Return whether a sign has stopped it, and (2) without that coordinate brings more.
    """
    r = penalty.shape
    shares = {NO_PENALTY: (0, 0), L2: (0, 1), L1: (1, 0), ELASTIC_NET: (r, 1 - r)}
    if penalty.code not in shares:
        return False
    l1, l2 = shares[penalty.code]
    on = np.flatnonzero((v != 0) | (terms.weights * l1 == 0))
    here, strength = v[on], penalty.strength * terms.weights[on]
    slopes = terms.gradient[on] + strength * (l1 * np.sign(here) + l2 * here)
    curvature = H[np.ix_(on, on)]
    largest = np.diagonal(curvature).max(initial=0.0)
    curvature.flat[:: len(on) + 1] += strength * l2 + FLAT * largest
    step, failed = lapack.dposv(curvature, -slopes)[1:]
    if failed or not np.all(np.isfinite(step)):
        return False
    with np.errstate(divide="ignore", invalid="ignore"):
        until = np.where((here * step < 0) & (strength * l1 > 0), -here / step, np.inf)
    t = min(1.0, until.min(initial=1.0))
    v[on] = np.where(until <= t, 0.0, here + t * step)
    terms.gradient[:] += H[:, on] @ (v[on] - here)
    return t < 1


def hessian_on(risk, chosen):
    """Return the Hessian's rows and columns `chosen`, numbers j K + k in order."""
    features, classes = np.divmod(chosen, risk.outputs)
    columns = np.unique(features[features < risk.p])
    at = np.searchsorted(columns, features)  # the intercept's is the last
    a, p = risk.curvature_weights()
    H = np.empty((len(chosen), len(chosen)))
    for k in np.unique(classes):
        for m in np.unique(classes[classes <= k]):
            scatter = scatter_of(risk.X, a[:, k] * ((k == m) - p[:, m]), 1, risk.n_jobs, columns)
            here, there = np.flatnonzero(classes == k), np.flatnonzero(classes == m)
            H[np.ix_(here, there)] = scatter[np.ix_(at[here], at[there])]
            H[np.ix_(there, here)] = H[np.ix_(here, there)].T
    return H


class QuadraticModel:
    """(2) of `proximal_newton`, for a Composite."""

    def __init__(self, problem):
        self.problem, risk = problem, problem.risk
        self.matrices = not risk.sparse and risk.outputs == 1
        self.most = WRITTEN_OUT if self.matrices else SEVERAL * risk.density

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
        solve = self.written_out if len(chosen) <= self.most else self.by_columns
        theta[chosen] = solve(chosen, point, tol)
        return theta

    def written_out(self, chosen, point, tol):
        """Return the coordinates at the minimum, by the Hessian as a matrix."""
        H, penalty = hessian_on(self.problem.risk, chosen), self.problem.penalty
        terms, v = self.terms(chosen, point, np.diagonal(H).copy()), point.theta[chosen]
        done, turns = 0, SOON
        while not descend_written_out(H, penalty, terms, v, turns, tol) and done < EPOCHS:
            done += turns
            turns = done
            for _ in range(SIGNS):
                if not move_support(H, penalty, terms, v):
                    break
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
