"""Losses with kinks, and penalties with kinks or squares, by an interior point method.

Problem     Hinge, pinball and epsilon-insensitive losses, and |w_j|, are terms that bend once:
                min over theta of  sum_t max(h_t u_t, l_t u_t) + theta'Q theta / 2,
                u_t = <a_t, theta> - k_t,   l_t <= 0 <= h_t,   Q diagonal.                   (1)
            Its dual, l <= d <= h and A'd = -Q theta, has the value -<k, d> - theta'Q theta / 2.
            The difference of the two values is the gap: no theta is better by more.
Iteration   Let u = p - m with p, m > 0. At the optimum p (h - d) = 0 and m (d - l) = 0; the method
            goes by Newton steps to where they are s mu, mu their mean now and s in [0, 1): with
            W = 1 / (p / (h - d) + m / (d - l)), a step of theta solves
                (A'WA + Q) step = -(A'd + Q theta) + A'W (...),                              (2)
            and all else follows. As Mehrotra has it, a step for s = 0 tells which s to take.
Stop        gap <= tol max(1, |value|), and A'd + Q theta as small.
Cost        n p^2 products and one factorisation per iteration, of which there are 10 to 40.
Reference   S. Mehrotra, SIAM J. Optimization, 1992. R. Koenker, S. Portnoy, Statistical Science,
            1997. S. Wright, Primal-Dual Interior-Point Methods, 1997.
"""

from typing import NamedTuple

import numpy as np
from scipy.linalg import lapack
from scipy.sparse import issparse

from skcourse.core.chunks import one_blas_thread
from skcourse.core.history import SILENCE, History
from skcourse.linear_model.centred_rows import weighted_mean
from skcourse.linear_model.penalised_risk import MAX_ITER, SMALL_GRADIENT, STOPPED, STUCK, Minimum
from skcourse.linear_model.risk import scatter_of

SHARE = 0.99  # of the way to the border that a step may go
INSIDE = 1e-3  # of h: how far inside its bounds d of a coefficient must be for this to be 0
RIDGE = 1e-13  # of the diagonal: directions that no term sees


class Kinks(NamedTuple):
    """The terms of a loss: for each row of X as many as the first axis has."""

    at: np.ndarray  # k, (r, n)
    low: np.ndarray  # l, (r, n), times the weight of the row
    high: np.ndarray  # h, (r, n)


class Terms:
    """A, k, l and h of (1): the kinks of all rows, then those of the coefficients.

    Parameters
    ----------
    X : array or CSR matrix of shape (n, p)
    kinks : Kinks
    bends : array of shape (p,): the strength of |w_j|
    squares : array of shape (p,): Q
    fit_intercept : bool
    """

    def __init__(self, X, kinks, bends, squares, fit_intercept):
        self.fit_intercept, self.shape = fit_intercept, kinks.at.shape
        self.mean = np.zeros(X.shape[1])
        if fit_intercept and not issparse(X):  # as centred columns the Hessian is better known
            self.mean = weighted_mean(X)
        self.X = X if issparse(X) else np.ascontiguousarray(X - self.mean, dtype=np.float64)
        self.bent = np.flatnonzero(bends)
        extra = bends[self.bent]
        self.k = np.concatenate([kinks.at.ravel(), np.zeros(len(extra))])
        self.low = np.concatenate([kinks.low.ravel(), -extra])
        self.high = np.concatenate([kinks.high.ravel(), extra])
        self.Q = np.append(squares, 0.0)

    def products(self, theta):
        """Return A theta."""
        z = self.X @ theta[:-1] + theta[-1]
        return np.concatenate([np.tile(z, self.shape[0]), theta[self.bent]])

    def sums(self, d):
        """Return A'd."""
        rows = self.over_rows(d)
        total = np.append(self.X.T @ rows, rows.sum() if self.fit_intercept else 0.0)
        total[self.bent] += d[self.shape[0] * self.shape[1] :]
        return total

    def over_rows(self, d):
        """Return the sum of d over the terms of each row, (n,)."""
        return d[: self.shape[0] * self.shape[1]].reshape(self.shape).sum(axis=0)

    def factor(self, W):
        """Return the triangle of A'WA + Q."""
        H = scatter_of(self.X, self.over_rows(W))
        diagonal = np.einsum("jj->j", H)
        diagonal[self.bent] += W[self.shape[0] * self.shape[1] :]
        diagonal += self.Q
        if not self.fit_intercept:
            H[-1], H[:, -1], H[-1, -1] = 0.0, 0.0, 1.0
        diagonal += RIDGE * np.maximum(diagonal, diagonal.mean())
        return lapack.dpotrf(H)

    def value(self, u, theta):
        """Return (1)."""
        return np.maximum(self.high * u, self.low * u).sum() + 0.5 * (self.Q * theta) @ theta

    def dual_value(self, d, theta):
        """Return a bound below (1), but for what A'd + Q theta lacks to 0."""
        pull = self.sums(d)
        square = np.where(self.Q > 0, pull**2 / np.where(self.Q > 0, self.Q, 1.0), 0.0).sum()
        missing = np.abs(np.where(self.Q > 0, 0.0, pull * theta)).sum()
        return -self.k @ d - 0.5 * square - missing


class State:
    """theta, p, m, d, and the slacks s = h - d and v = d - l, all but theta positive."""

    def __init__(self, terms, theta):
        self.terms, self.theta = terms, theta
        self.u = terms.products(theta) - terms.k
        room = np.abs(self.u).mean() + 1e-8
        self.p, self.m = np.maximum(self.u, 0.0) + room, np.maximum(-self.u, 0.0) + room
        self.d = 0.5 * (terms.low + terms.high)
        self.s = self.v = 0.5 * (terms.high - terms.low)

    @property
    def mu(self):
        """The mean of p s and m v."""
        return (self.p @ self.s + self.m @ self.v) / (2 * len(self.p))

    def towards(self, c1, c2, factor, W):
        """Return the step to where p s = c1 + p s and m v = c2 + m v, nearly; see (2)."""
        terms = self.terms
        missing = self.p - self.m - self.u
        rest = missing + c1 / self.s - c2 / self.v
        right = -(terms.sums(self.d) + terms.Q * self.theta) + terms.sums(W * rest)
        theta = lapack.dpotrs(factor, right)[0]
        d = W * (terms.products(theta) - rest)
        return theta, (c1 + self.p * d) / self.s, (c2 - self.m * d) / self.v, d

    def lengths(self, step, common):
        """Return how far theta, p, m and how far d may go."""
        _, dp, dm, dd = step
        primal = min(longest(self.p, dp), longest(self.m, dm))
        dual = min(longest(self.s, -dd), longest(self.v, dd))
        return (min(primal, dual),) * 2 if common else (primal, dual)

    def move(self, step, lengths):
        """Go there."""
        a, b = lengths
        theta, dp, dm, dd = step
        self.theta = self.theta + a * theta
        self.u = self.terms.products(self.theta) - self.terms.k
        self.p, self.m = self.p + a * dp, self.m + a * dm
        self.d = self.d + b * dd
        self.s, self.v = self.s - b * dd, self.v + b * dd


def longest(x, step):
    """Return the largest t <= 1 for which x + t step keeps a part of x everywhere."""
    falling = step < 0
    return min(1.0, SHARE * np.min(-x[falling] / step[falling], initial=np.inf))


def interior_point(
    X,
    kinks,
    theta0,
    *,
    bends,
    squares,
    fit_intercept=True,
    tol=1e-8,
    max_iter=100,
    task=SILENCE,
    attributes=None,
    verbose=False,
):
    """Minimise (1).

    Parameters
    ----------
    X : array of shape (n, p), or CSR matrix
    kinks : Kinks, with low < high
    theta0 : array of shape (p + 1,), where to begin; the last is the intercept
    bends, squares : arrays of shape (p,)
        The penalty sum_j bends_j |w_j| + squares_j w_j^2 / 2.
    fit_intercept : bool, default=True
    tol : float, default=1e-8
    max_iter : int, default=100
    task, attributes, verbose
        See `skcourse.linear_model.lbfgs.lbfgs`.

    Returns
    -------
    minimum : Minimum
        `history` has "loss", (1), and "gap".
    """
    with one_blas_thread():
        terms = Terms(X, kinks, bends, squares, fit_intercept)
        start = np.array(theta0, np.float64)
        start[-1] += terms.mean @ start[:-1]
        return descend(terms, State(terms, start), tol, max_iter, task, attributes, verbose)


def descend(terms, state, tol, max_iter, task, attributes, verbose):
    """Run the iteration."""
    history, reason, n_iter = History(), MAX_ITER, 0
    common = bool(terms.Q.any())
    while n_iter < max_iter:
        turn = task.subtask("interior-point-iter", attributes=told(terms, state, attributes))
        moved = advance(terms, state, common)
        n_iter += 1
        value = terms.value(state.u, state.theta)
        gap = value - terms.dual_value(state.d, state.theta)
        history.append(loss=value, gap=gap)
        if verbose:
            print(f"Iteration {n_iter}, loss {value}, gap {gap}.")
        stop = turn.end(told(terms, state, attributes))
        if gap <= tol * max(1.0, abs(value)) or not moved:
            reason = SMALL_GRADIENT if gap <= tol * max(1.0, abs(value)) else STUCK
            break
        if stop:
            reason = STOPPED
            break
    theta = plain(terms, settle(terms, state, tol))
    return Minimum(
        theta, n_iter, reason == SMALL_GRADIENT, history.arrays(), reason, "interior-point"
    )


def advance(terms, state, common):
    """Make an iteration; return False if rounding leaves no step."""
    W = 1.0 / (state.p / state.s + state.m / state.v)
    factor, failed = terms.factor(W)
    if failed or not np.isfinite(factor).all():
        return False
    ps, mv = state.p * state.s, state.m * state.v
    first = state.towards(-ps, -mv, factor, W)
    a, b = state.lengths(first, common)
    _, dp, dm, dd = first
    ahead = (state.p + a * dp) @ (state.s - b * dd) + (state.m + a * dm) @ (state.v + b * dd)
    mu = state.mu
    aim = (ahead / (2 * len(state.p)) / mu) ** 3 * mu
    step = state.towards(aim - ps + dp * dd, aim - mv - dm * dd, factor, W)
    lengths = state.lengths(step, common)
    if max(lengths) < 1e-10 or not np.isfinite(step[0]).all():
        return False
    state.move(step, lengths)
    return True


def settle(terms, state, tol):
    """Return theta with coefficients on their kink put there exactly, if that costs no more."""
    theta, first = state.theta.copy(), terms.shape[0] * terms.shape[1]
    room = np.minimum(state.s, state.v)[first:] / terms.high[first:]
    theta[terms.bent[room > INSIDE]] = 0.0  # then p (h - d) = 0 says p = 0, and m = 0 likewise
    before, after = (terms.value(terms.products(t) - terms.k, t) for t in (state.theta, theta))
    return theta if after <= before + tol * max(1.0, abs(before)) else state.theta


def plain(terms, theta):
    """Return theta for columns that are not centred."""
    return np.append(theta[:-1], theta[-1] - terms.mean @ theta[:-1])


def told(terms, state, attributes):
    """Return a callable that makes the fitted attributes as of now, for callbacks, or None."""
    return attributes and (lambda: attributes(plain(terms, state.theta)))
