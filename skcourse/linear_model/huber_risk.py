"""Huber's loss with a scale that is found along with the plane.

Problem     Of residuals r_i = y_i - z_i, z_i = <x_i, w> + b, weights s_i of sum S, and e >= 1,
                F(w, b, c) = c + sum_i (s_i / S) c H(r_i / c) + (a / S) |w|^2,                (1)
                H(u) = u^2 where |u| <= e,   2 e |u| - e^2 elsewhere,
            which is convex in all of them: c, the scale, needs no second criterion.
Scale       For residuals as they are, the best scale has
                sum_i s_i min(r_i^2 / c^2, e^2) = S.                                          (2)
            In 1 / c^2 the left side rises and is concave, of straight pieces: Newton's method from
            the root mean square, where all pieces are the first, comes up from below and ends on
            the root. If too few residuals differ from 0 there is none, and c is FLOOR.
Profile     Put the best scale into (1): what is left is convex in theta = (w, b), with d = e c
                value     c + 2 R / c,   R the risk of Huber's loss, straight from d on,      (3)
                gradient  2 R' / c  (c is best: its own change counts nothing),               (4)
                Hessian   2 (R'' - q q' / m) / c,                                             (5)
            where, over the rows with |r_i| <= d, q is the mean of s_i r_i (x_i, 1), m of s_i r_i^2.
Hessian     R'' is the scatter matrix of those rows. From one theta to the next, few rows come in
            or go: only these are added or taken off. Where so few rows are left that it is
            singular, the others count too, by little of the parabola that touches Huber's loss
            from above: h_i = t d / |r_i| in the place of 0, t = REST.                        (6)
Cost        Two passes over the rows for value and gradient.
Reference   P. Huber, Robust Statistics, 1981, section 7.7. A. Owen, A robust hybrid of lasso and
            ridge regression, Contemporary Mathematics, 2007.
"""

import numpy as np

from skcourse.core.chunks import sum_over_chunks
from skcourse.core.kernel import kernel
from skcourse.core.linalg import cholesky
from skcourse.core.losses import HUBER, Loss
from skcourse.linear_model.penalised_risk import PenalisedRisk
from skcourse.linear_model.risk import Risk, scatter_of

FLOOR = 10 * np.finfo(np.float64).eps  # the least scale
STEPS = 100  # of Newton's method for (2), which needs some 6
SINGULAR = 1e12  # condition beyond which rows are too few
REST = 1e-3
BENT = 1e-4  # share of the curvature that the second term of (5) must leave
LOST = 1e-6  # share of a trace that may remain of it before rows taken off are a loss of digits


@kernel
def capped(residuals, weights, precision, epsilon):
    """Return sum_i s_i min(r_i^2 precision, e^2), and sum_i s_i r_i^2 over the rows not capped."""
    total, squares, cap = np.float64(0.0), np.float64(0.0), epsilon * epsilon
    for i in range(len(residuals)):
        s = weights[i] if len(weights) else 1.0
        square = residuals[i] * residuals[i]
        if square * precision <= cap:
            squares += s * square
        else:
            total += s * cap
    return total + squares * precision, squares


def best_scale(residuals, weights, epsilon, total):
    """Return c of (2).

    Parameters
    ----------
    residuals : array of shape (n,)
    weights : array of shape (n,), or (0,) for ones
    epsilon : float, e
    total : float, S
    """
    counted = weights > 0 if len(weights) else True
    largest = np.abs(residuals).max(where=counted, initial=0.0)
    if not FLOOR < largest < np.inf:
        return FLOOR if largest <= FLOOR else np.nan
    units = residuals / largest
    precision = total / capped(units, weights, 0.0, epsilon)[1]
    for _ in range(STEPS):
        reached, slope = capped(units, weights, precision, epsilon)
        step = (total - reached) / slope if slope > 0 else 0.0
        if not step > 4 * np.finfo(float).eps * precision:
            break
        precision += step
    scale = largest / np.sqrt(precision)
    out_of_reach = slope == 0 and reached < total * (1 - 1e-12)
    return FLOOR if out_of_reach else max(scale, FLOOR)


class HuberRisk(Risk):
    """(3) as a function of theta.

    Parameters
    ----------
    X, y, weights, fit_intercept : see `Risk`
    epsilon : float, e
    """

    def __init__(self, X, y, epsilon, weights=None, *, fit_intercept=True):
        super().__init__(X, y, Loss(HUBER, np.inf), weights, fit_intercept=fit_intercept)
        self.epsilon, self.scale, self.least = epsilon, 1.0, FLOOR
        self.counted, self.scatter, self.most = np.zeros(self.n), None, 0.0

    def residuals(self, theta):
        """Return y - z, of shape (n,)."""
        return self.targets.values - self.raw(theta)

    def value_and_gradient(self, theta):
        """Return (3) and (4); `scale` then is the best one that is not below `least`."""
        residuals = self.residuals(theta)
        best = best_scale(residuals, self.targets.weights, self.epsilon, self.total)
        self.scale = max(best, self.least)
        self.loss = Loss(HUBER, self.epsilon * self.scale)
        value, gradient = super().value_and_gradient(theta)
        return self.scale + 2.0 / self.scale * value, 2.0 / self.scale * gradient

    def hessian(self, step=1):
        """Return 2 R'' / c from every `step`-th row, without the second term of (5)."""
        return 2.0 / self.scale * super().hessian(step)

    def hessian_diagonal(self):
        """Return the diagonal of 2 R'' / c."""
        return 2.0 / self.scale * super().hessian_diagonal()

    def risk_hessian(self):
        """Return S R'', from what it was where it was asked last."""
        h = self.slopes.second
        changed = np.flatnonzero(h != self.counted)
        if self.scatter is None or 2 * len(changed) > self.n:
            self.scatter = scatter_of(self.X, h)
            self.most = 0.0
        elif len(changed):
            some = (h - self.counted)[changed]
            self.scatter += scatter_of(self.X[changed], some)
        self.counted = h.copy()
        trace = np.trace(self.scatter)
        if trace < LOST * self.most:
            self.scatter, self.most = scatter_of(self.X, h), 0.0
            trace = np.trace(self.scatter)
        self.most = max(self.most, trace)
        return self.scatter

    def lifted_hessian(self):
        """Return S R'' with (6)."""
        d, weights = self.epsilon * self.scale, self.targets.weights
        residuals = np.abs(self.targets.values - self.slopes.raw)
        h = np.where(residuals <= d, 1.0, REST * d / np.maximum(residuals, d))
        return scatter_of(self.X, h * weights if len(weights) else h)

    def pull_of_scale(self):
        """Return q and m of (5)."""
        inside = self.slopes.second > 0
        pulls = np.where(inside, -self.slopes.first, 0.0)  # s_i r_i
        r = self.targets.values - self.slopes.raw

        def part(rows):
            return pulls[rows] @ self.X[rows], pulls[rows].sum(), pulls[rows] @ r[rows]

        q, last, m = sum_over_chunks(part, self.n, **self.chunks)
        q = np.append(q, last if self.fit_intercept else 0.0)
        return q / self.total, m / self.total


class HuberProblem(PenalisedRisk):
    """(1) with the best scale, as a function of theta.

    Parameters
    ----------
    risk : HuberRisk
    alpha : float, a
    """

    def __init__(self, risk, alpha):
        super().__init__(risk, 2.0 * alpha / risk.total)
        self.alpha = alpha

    def hessian_at_fixed_scale(self, scatter):
        """Return 2 R'' / c with the penalty, from S R''."""
        risk = self.risk
        hessian = 2.0 / (risk.scale * risk.total) * scatter
        if not risk.fit_intercept:
            hessian[-1], hessian[:, -1], hessian[-1, -1] = 0.0, 0.0, 1.0
        hessian.flat[:: len(hessian) + 1] += self.l2
        return hessian

    def hessian(self):
        """Return (5), or a matrix near it that is positive definite.

        Where all residuals within d can shrink alike, (3) is straight that way: some of the first
        term has to remain.
        """
        risk = self.risk
        hessian = self.hessian_at_fixed_scale(risk.risk_hessian())
        factor = cholesky(hessian)
        if factor is None or factor.condition > SINGULAR:
            return self.hessian_at_fixed_scale(risk.lifted_hessian())
        if risk.scale > risk.least:
            q, m = risk.pull_of_scale()
            reach = q @ factor.solve(q[:, np.newaxis])[:, 0]
            share = min(2.0 / (risk.scale * m), (1 - BENT) / reach) if reach > 0 else 0.0
            hessian -= share * np.outer(q, q)
        return hessian
