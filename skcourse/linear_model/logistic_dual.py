"""Logistic regression of two classes by coordinate descent on its dual problem.

Problem     With the rows x_i, their intercept's constant included, and y_i = -1 or 1, the dual of
            |w|^2 / 2 + sum_i c_i log(1 + exp(-y_i <w, x_i>)) is to minimise over 0 < a_i < c_i
                |w|^2 / 2 + sum_i a_i log a_i + (c_i - a_i) log(c_i - a_i),
                w = sum_i a_i y_i x_i.                                                        (1)
Iteration   One a_i after the other, in an order drawn anew for each epoch. With a_i = c_i s(u),
            s(u) = 1 / (1 + exp(-u)), the best u is the zero of a rising function,
                u + y_i <w, x_i> + |x_i|^2 (c_i s(u) - a_i),                                  (2)
            found by Newton's method within a bracket.
Stop        No slope of (1), u_i + y_i <w, x_i>, was larger than tol in an epoch.
Cost        An epoch reads the rows twice. Worth it for fewer samples than features.
Reference   H.-F. Yu, F.-L. Huang, C.-J. Lin, Dual coordinate descent methods for logistic
            regression and maximum entropy models, Machine Learning, 2011.
"""

import numpy as np
from scipy.sparse import csr_array

from skcourse.core.elementary import exp
from skcourse.core.history import SILENCE, History
from skcourse.core.kernel import kernel
from skcourse.core.random import below, seeds
from skcourse.linear_model.penalised_risk import (
    MAX_ITER,
    SMALL_GRADIENT,
    STOPPED,
    Minimum,
    has_converged,
)
from skcourse.linear_model.risk import SparseRows

STEPS = 100  # of Newton's method for (2): a few do
START = 1e-3  # a_i / c_i


@kernel
def zero_of(u, score, square, c, a):
    """Return the zero of (2), from u; `score` is y <w, x>."""
    low, high = -np.inf, np.inf
    for _ in range(STEPS):
        e = exp(-abs(u))
        share = (1.0 if u > 0 else e) / (1.0 + e)
        value = u + score + square * (c * share - a)
        if value > 0:
            high = min(high, u)
        else:
            low = max(low, u)
        change = value / (1.0 + square * c * e / ((1.0 + e) * (1.0 + e)))
        new = u - change
        if not low <= new <= high:
            new = 0.5 * (low + high)
        if abs(new - u) <= 1e-13 * (1.0 + abs(u)):
            return new
        u = new
    return u


@kernel
def dual_epoch(rows, y, c, u, w, order, seed):
    """Run over all rows once; w, of the columns and the constant, follows (1).

    Parameters
    ----------
    rows : SparseRows
    y, c, u : arrays of shape (n,); u is overwritten
    w : array of shape (p + 1,), overwritten
    order : array of shape (n,), overwritten with the order of this epoch
    seed : uint64

    Returns
    -------
    worst : float, the largest slope of (1)
    """
    worst, n, p = 0.0, len(y), len(w) - 2
    constant = w[p + 1]
    for i in range(n):
        other = i + below(seed, np.uint64(i), n - i)
        order[i], order[other] = order[other], order[i]
    for i in order:
        if c[i] <= 0:
            continue
        score, square = w[p] * constant, constant * constant
        for e in range(rows.starts[i], rows.starts[i + 1]):
            score += rows.data[e] * w[rows.indices[e]]
            square += np.float64(rows.data[e]) * rows.data[e]
        score *= y[i]
        worst = max(worst, abs(score + u[i]))
        a = c[i] / (1.0 + exp(-u[i]))
        u[i] = zero_of(u[i], score, square, c[i], a)
        change = y[i] * (c[i] / (1.0 + exp(-u[i])) - a)
        for e in range(rows.starts[i], rows.starts[i + 1]):
            w[rows.indices[e]] += change * rows.data[e]
        w[p] += change * constant
    return worst


def dual_descent(
    risk,
    C,
    *,
    scaling,
    random_state=None,
    tol=1e-4,
    max_iter=100,
    task=SILENCE,
    attributes=None,
    verbose=False,
):
    """Minimise the dual problem of two classes.

    Parameters
    ----------
    risk : Risk, of the logistic loss
    C : float
    scaling : float
        The constant in each row; the intercept is its coefficient times it. 0 for none.
    random_state : int, RandomState instance or None, default=None
    tol : float, default=1e-4
    max_iter : int, default=100
        Epochs.
    task, attributes, verbose
        See `skcourse.linear_model.lbfgs.lbfgs`.

    Returns
    -------
    minimum : Minimum
        `history` has "slope", the largest of the dual problem in each epoch.
    """
    X, (y, weights) = csr_array(risk.X), risk.targets
    rows = SparseRows(X.indptr, X.indices, X.data)
    c = C * (weights if len(weights) else np.ones(risk.n))
    u = np.full(risk.n, np.log(START / (1 - START)))
    w = np.append(X.T @ (START * c * y), [scaling * START * (c @ y), scaling])
    order, history, reason, n_iter = np.arange(risk.n), History(), MAX_ITER, 0
    draws = seeds(random_state, max(max_iter, 1))

    def theta():
        return np.append(w[: risk.p], w[risk.p] * scaling)

    while n_iter < max_iter:
        step = task.subtask("epoch", attributes=attributes and (lambda: attributes(theta())))
        worst = dual_epoch(rows, y, c, u, w, order, draws[n_iter])
        n_iter += 1
        history.append(slope=worst)
        if verbose:
            print(f"Epoch {n_iter}, largest slope {worst}.")
        stop = step.end(attributes and (lambda: attributes(theta())))
        if worst <= tol or stop:
            reason = SMALL_GRADIENT if worst <= tol else STOPPED
            break
    found = theta() if n_iter else np.zeros(risk.p + 1)
    return Minimum(found, n_iter, has_converged(reason), history.arrays(), reason, "liblinear")
