"""Losses with kinks, and penalties with kinks or squares, by an interior point method.

Problem     Hinge, pinball and epsilon-insensitive losses, and |w_j|, are terms that bend once:
                min over theta of  sum_t max(h_t u_t, l_t u_t) + theta'Q theta / 2,
                u_t = <a_t, theta> - k_t,   l_t <= 0 <= h_t,   Q diagonal.                   (1)
            Its dual, l <= d <= h and A'd = -Q theta, has the value -<k, d> - theta'Q theta / 2.
            The difference of the two values is the gap: no theta is better by more. Columns are
            divided by their spread first, l and h of |w_j| too, and Q by its square.
Iteration   Let u = p - m with p, m > 0. At the optimum p (h - d) = 0 and m (d - l) = 0; the method
            goes by Newton steps to where they are s mu, mu their mean now and s in [0, 1): with
            W = 1 / (p / (h - d) + m / (d - l)), a step of theta solves
                (A'WA + Q) step = -(A'd + Q theta) + A'W (...),                              (2)
            and all else follows. As Mehrotra has it, a step for s = 0 tells which s to take.
Bound       On the way A'd + Q theta is not 0. With z from (A'WA + Q) z = A'd + Q theta,
            d - W A z pulls at no column without squares, nor does a share of it, and with
            q = A'(d - W A z) for the others its value is -<k, d - W A z> - q'Q^-1 q / 2.        (3)
Stop        gap <= tol max(1, |value|), of the largest share that keeps within l and h.
Cost        n p^2 products and one factorisation per iteration, of which there are 10 to 40.
Reference   S. Mehrotra, SIAM J. Optimization, 1992. R. Koenker, S. Portnoy, Statistical Science,
            1997. S. Wright, Primal-Dual Interior-Point Methods, 1997.
"""

from typing import NamedTuple

import numpy as np
from scipy.linalg import lapack
from scipy.sparse import diags_array, issparse

from skcourse.core.chunks import one_blas_thread
from skcourse.core.history import SILENCE, History
from skcourse.linear_model.centred_rows import weighted_mean
from skcourse.linear_model.penalised_risk import MAX_ITER, SMALL_GRADIENT, STOPPED, STUCK, Minimum
from skcourse.linear_model.risk import scatter_of

SHARE = 0.99  # of the way to the border that a step may go
INSIDE = 1e-3  # of h: how far inside its bounds d of a coefficient must be for this to be 0
RIDGE = 1e-13  # of the diagonal: directions that no term sees
ROUNDED = 100 * np.finfo(float).eps  # spread, as a share of the mean, of a constant column
SMALLEST = 1e-100  # spread of a column, whose square has to be a number
REFINEMENTS = 2  # of z


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
        self.X, self.spread = in_spreads(X, self.mean)
        self.bent = np.flatnonzero(bends)
        extra = (bends / self.spread)[self.bent]
        self.k = np.concatenate([kinks.at.ravel(), np.zeros(len(extra))])
        self.low = np.concatenate([kinks.low.ravel(), -extra])
        self.high = np.concatenate([kinks.high.ravel(), extra])
        self.Q = np.append(squares / self.spread**2, 0.0)

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
        usual = diagonal.mean()
        diagonal[self.bent] += W[self.shape[0] * self.shape[1] :]
        diagonal += self.Q
        if not self.fit_intercept:
            H[-1], H[:, -1], H[-1, -1] = 0.0, 0.0, 1.0
        diagonal += RIDGE * np.maximum(diagonal, usual)
        return lapack.dpotrf(H)

    def value(self, u, theta):
        """Return (1)."""
        return np.maximum(self.high * u, self.low * u).sum() + 0.5 * (self.Q * theta) @ theta

    def dual_value(self, d, theta, factor, W):
        """Return (3), a bound below (1) but for rounding; `factor` is that of W."""
        for _ in range(REFINEMENTS):
            z = lapack.dpotrs(factor, self.sums(d) + self.Q * theta)[0]
            d = d - W * self.products(z)
        ends = np.where(d > 0, self.high, self.low)
        share = np.min(ends[d != 0] / d[d != 0], initial=1.0)
        pull, squared = share * self.sums(d), self.Q > 0
        square = (pull[squared] ** 2 / self.Q[squared]).sum()
        missing = np.abs(pull * theta)[~squared].sum()  # what rounding left
        return -share * (self.k @ d) - 0.5 * square - missing


def in_spreads(X, mean):
    """Return X - mean, float64, over the spread of its columns, and that; 1 for constant ones."""
    if issparse(X):
        X = X.astype(np.float64)
        peak = abs(X).max(axis=0).toarray().ravel()
    else:
        X = np.ascontiguousarray(X - mean, dtype=np.float64)
        peak = np.abs(X).max(axis=0, initial=0.0)
    seen = peak > np.maximum(ROUNDED * np.abs(mean), SMALLEST)
    peak[~seen] = 1.0
    X = in_units(X, np.where(seen, peak, np.inf))
    squares = (X.multiply(X) if issparse(X) else X * X).sum(axis=0)
    share = np.sqrt(np.asarray(squares).ravel() / X.shape[0])
    share[~seen] = 1.0
    return in_units(X, share), peak * share


def in_units(X, units):
    """Return X with its columns divided by `units`."""
    return (X @ diags_array(1.0 / units)).tocsr() if issparse(X) else X / units


class State:
    """theta, p, m, d, and the slacks s = h - d and v = d - l, all but theta positive."""

    def __init__(self, terms, theta):
        self.terms, self.theta = terms, theta
        self.u = terms.products(theta) - terms.k
        room = np.abs(self.u).mean() + 1e-8
        self.p, self.m = np.maximum(self.u, 0.0) + room, np.maximum(-self.u, 0.0) + room
        self.d = 0.5 * (terms.low + terms.high)
        self.s = self.v = 0.5 * (terms.high - terms.low)
        self.factor = None
        self.sound = self.factorise()

    @property
    def mu(self):
        """The mean of p s and m v."""
        return (self.p @ self.s + self.m @ self.v) / (2 * len(self.p))

    def factorise(self):
        """Set `W` and `factor` of (2); return False, and leave them, if rounding is in the way."""
        with np.errstate(over="ignore"):  # W is 0 then
            W = 1.0 / (self.p / self.s + self.m / self.v)
        factor, failed = self.terms.factor(W)
        if failed or not np.isfinite(factor).all():
            return False
        self.factor, self.W = factor, W
        return True

    def bound(self):
        """Return what (1) is not below."""
        if self.factor is None:
            return -np.inf
        return self.terms.dual_value(self.d, self.theta, self.factor, self.W)

    def towards(self, c1, c2):
        """Return the step to where p s = c1 + p s and m v = c2 + m v, nearly; see (2)."""
        terms = self.terms
        missing = self.p - self.m - self.u
        rest = missing + c1 / self.s - c2 / self.v
        right = -(terms.sums(self.d) + terms.Q * self.theta) + terms.sums(self.W * rest)
        theta = lapack.dpotrs(self.factor, right)[0]
        d = self.W * (terms.products(theta) - rest)
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
        self.sound = self.factorise()


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
        start[:-1] *= terms.spread
        return descend(terms, State(terms, start), tol, max_iter, task, attributes, verbose)


def descend(terms, state, tol, max_iter, task, attributes, verbose):
    """Run the iteration."""
    history, reason, n_iter, bound = History(), MAX_ITER, 0, -np.inf
    common = bool(terms.Q.any())
    while n_iter < max_iter:
        turn = task.subtask("interior-point-iter", attributes=told(terms, state, attributes))
        moved = advance(state, common)
        n_iter += 1
        value = terms.value(state.u, state.theta)
        bound = max(bound, state.bound())
        gap = value - bound
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


def advance(state, common):
    """Make an iteration; return False if rounding leaves no step."""
    if not state.sound:
        return False
    ps, mv = state.p * state.s, state.m * state.v
    first = state.towards(-ps, -mv)
    a, b = state.lengths(first, common)
    _, dp, dm, dd = first
    ahead = (state.p + a * dp) @ (state.s - b * dd) + (state.m + a * dm) @ (state.v + b * dd)
    mu = state.mu
    aim = (ahead / (2 * len(state.p)) / mu) ** 3 * mu
    step = state.towards(aim - ps + dp * dd, aim - mv - dm * dd)
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
    """Return theta for columns as they were given."""
    w = theta[:-1] / terms.spread
    return np.append(w, theta[-1] - terms.mean @ w)


def told(terms, state, attributes):
    """Return a callable that makes the fitted attributes as of now, for callbacks, or None."""
    return attributes and (lambda: attributes(plain(terms, state.theta)))
