"""Coordinate descent for the elastic net, on the products of the features.

Problem     As in `coordinate_step`, for k features whose Gram matrix Z'Z is known.
Slopes      All of g = Z'r are kept up to date:
                g changes by -(Z'z_j) (change of w_j)                                            (1)
            which costs k products for each w_j that moves, and nothing for those that stay.
Squares     From w_0, where r was r_0 and Z'r was g_0, without rows:
                |r|^2 = |r_0|^2 - <w - w_0, g_0 + g>.                                            (2)
Speed       One target: `support_newton`, once sweeps have cost as many products as it does.
            Several: `extrapolation`.
Cost        k^2 products per sweep at most; no pass over the rows.
"""

import numpy as np

from skcourse.core.coordinate_step import Descended, Rules, draw, move
from skcourse.core.duality_gap import duality_gap, largest_slope
from skcourse.core.extrapolation import WINDOW, extrapolate, in_one_piece
from skcourse.core.kernel import kernel
from skcourse.core.support_newton import newton_steps

NO_PAST = np.empty((0, 0))
MANY = 200  # sweeps after which extrapolation is given up


@kernel
def sweep_once(gram, norms, net, rules, w, slopes, first):
    """Do (1) of `coordinate_step` for k coordinates, the steps from number `first` on.

    Returns
    -------
    change, size : float, of the largest change, and of the largest coefficient
    """
    k, u = w.shape[1], np.empty(w.shape[0])
    change, size = 0.0, 0.0
    for e in range(k):
        j = draw(rules, first, e, k)
        if norms[j] <= 0:
            continue
        for t in range(len(u)):
            u[t] = slopes[t, j]
        d, length = move(net, norms[j], w, j, u)
        change, size = max(change, d), max(size, length)
        if d != 0:
            for t in range(len(u)):
                step = u[t]
                for f in range(k):
                    slopes[t, f] -= gram[j, f] * step  # (1)
    return change, size


@kernel
def sweep_one(gram, norms, net, rules, w, slopes, first):
    """Do as `sweep_once` for one target, w and slopes of shape (k,)."""
    k = len(w)
    change, size = 0.0, 0.0
    for e in range(k):
        j = draw(rules, first, e, k)
        norm, old = norms[j], w[j]
        if norm <= 0:
            continue
        u = slopes[j] + norm * old
        new = 0.0 * u  # NaN stays NaN
        if u > net.l1:
            new = (u - net.l1) / (norm + net.l2)
        elif u < -net.l1 and not net.positive:
            new = (u + net.l1) / (norm + net.l2)
        step = new - old
        if step != 0:
            w[j] = new
            change = max(change, abs(step))
            for f in range(k):
                slopes[f] -= gram[j, f] * step  # (1)
        size = max(size, abs(new))
    return change, size


@kernel
def squares_after(start, w, slopes, squares):
    """(2), from `squares` where w and slopes were start[0] and start[1]."""
    total = 0.0
    for t in range(w.shape[0]):
        for j in range(w.shape[1]):
            total += (w[t, j] - start[0, t, j]) * (start[1, t, j] + slopes[t, j])
    return max(squares - total, 0.0)


@kernel
def descend(gram, norms, net, rules, w, slopes, squares, past):
    """Sweep until changes and gap are small, the gap of these features alone.

    Parameters
    ----------
    gram : array of shape (k or more, k or more), Z'Z
    norms : array of shape (k,), its diagonal; a feature with 0 is left alone
    net : Net
    rules : Rules
    w : array of shape (t, k), changed
    slopes : array of shape (t, k), Z'r, changed
    squares : float, |r|^2 at the beginning
    past : array of shape (WINDOW + 1, 2 t k) to be filled with the iterates w and slopes, the first
        one apart, by WINDOW sweeps at most; or without rows

    Returns
    -------
    n_sweeps, settled, ended, squares : as in `Descended`
    """
    n_targets, k = w.shape
    start = np.empty((2, n_targets, k))
    for t in range(n_targets):
        for j in range(k):
            start[0, t, j], start[1, t, j] = w[t, j], slopes[t, j]
    credit = 0
    for n in range(1, rules.max_sweeps + 1):
        if n_targets == 1:
            change, size = sweep_one(gram, norms, net, rules, w[0], slopes[0], (n - 1) * k)
        else:
            change, size = sweep_once(gram, norms, net, rules, w, slopes, (n - 1) * k)
        settled = change <= rules.tol * size
        full = n % WINDOW == 0
        last = n == rules.max_sweeps or (full and len(past) > 0)
        if len(past):
            for t in range(n_targets):
                for j in range(k):
                    past[n, t * k + j] = w[t, j]
                    past[n, (n_targets + t) * k + j] = slopes[t, j]
        elif full and n_targets == 1:
            credit += WINDOW * k * k
            if not settled:
                credit = newton_steps(gram, net, w[0], slopes[0], credit)
        if settled or full or last:
            now = squares_after(start, w, slopes, squares)
            gap = duality_gap(w, slopes, now, largest_slope(slopes, w, net), net)
            ended = (settled and gap <= rules.gap) or gap <= rules.loose or not np.isfinite(gap)
            if ended or last:
                return n, settled, ended, now
    return 0, True, True, squares


@kernel
def descend_each(gram, net, rules, products, squares, codes, good):
    """Minimise for each row of `products` by itself, one target after the other.

    Parameters
    ----------
    gram : array of shape (p, p), Z'Z
    net : Net
    rules : Rules, its `gap` a part of |y|^2
    products : array of shape (n, p), Z'y_i
    squares : array of shape (n,), |y_i|^2
    codes : array of shape (n, p), the coefficients, changed from where they are to begin
    good : bool array of shape (n,), filled with whether the rules ended it, not `max_sweeps`
    """
    p = gram.shape[0]
    w, slopes, norms, no_past = np.empty((1, p)), np.empty((1, p)), np.empty(p), np.empty((0, 0))
    for j in range(p):
        norms[j] = gram[j, j]
    for i in range(len(products)):
        for j in range(p):
            w[0, j], slopes[0, j] = codes[i, j], products[i, j]
            if norms[j] <= 0 or (net.positive and w[0, j] < 0):
                w[0, j] = 0.0
        for j in range(p):
            if w[0, j] != 0:
                for f in range(p):
                    slopes[0, f] -= gram[j, f] * w[0, j]
        left = np.float64(squares[i])
        for j in range(p):
            left -= w[0, j] * (products[i, j] + slopes[0, j])
        some = Rules(rules.tol, rules.gap * squares[i], -1.0, rules.max_sweeps, False, rules.seed)
        _, settled, ended, _ = descend(gram, norms, net, some, w, slopes, max(left, 0.0), no_past)
        good[i] = settled and ended
        for j in range(p):
            codes[i, j] = w[0, j]


def descend_gram(gram, norms, net, rules, w, slopes, squares):
    """Do as `descend` does, with extrapolation for several targets; return the Descended."""
    if len(w) == 1:
        n, *rest = descend(gram, norms, net, rules, w, slopes, squares, NO_PAST)
        return Descended(w, slopes, rest[2], n, *rest[:2])
    flat, w, slopes = in_one_piece(w, slopes)
    start, past = np.stack([w, slopes]), np.empty((WINDOW + 1, len(flat)))
    n, left = 0, rules.max_sweeps

    def now():
        return squares_after(start, w, slopes, squares)

    while True:
        past[0], note = flat, past if n < MANY else NO_PAST
        some = rules._replace(max_sweeps=left - n, seed=rules.seed + np.uint64(n))
        more, settled, ended, _ = descend(gram, norms, net, some, w, slopes, now(), note)
        n += more
        if ended or n >= left:
            return Descended(w, slopes, now(), n, settled, ended)
        if not rules.random:
            extrapolate(flat, w, past, net, now)
