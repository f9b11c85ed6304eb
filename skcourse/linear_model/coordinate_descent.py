"""Coordinate descent for the elastic net, with extrapolation.

Problem     (1) of `duality_gap`: squares, and a penalty with a kink, over k features z_j.
Iteration   All others fixed, the best w_j is known. With u_j = <z_j, r> + |z_j|^2 w_j,
                w_j = S(|u_j|, a) / (|z_j|^2 + b)  u_j / |u_j|,   S(v, a) = max(v - a, 0)        (1)
            and for positive w_j, 0 where u_j < 0. A sweep does (1) for every j, in turn or drawn.
Slopes      <z_j, r> comes from r (k products of length n in a sweep, more for each w_j that
            moves), or all of them are kept up to date through the Gram matrix Z'Z:
                Z'r changes by -(Z'z_j) (change of w_j)                                          (2)
            which costs k products for each w_j that moves, and nothing for those that stay.
Speed       Once it is known which w_j are 0, a sweep is an affine map, and six iterates tell
            where it leads to: with U the five changes between them,
                w = sum_i c_i w^(i),   c = M / sum(M),   M = (UU')^-1 1.                         (3)
            It is taken if it lowers the objective, every five sweeps.
Newton      With the Gram matrix and one target there is better: with the signs s of the m
            coefficients that are not 0 as they are, the objective is a parabola, and
                (Z'Z + b I) d = Z'r - b w - a s,   all three on the m features,                  (4)
            leads to its bottom, or to the first w_j that becomes 0 on the way, where one stops.
            It costs m^3 / 6 products, and is done once sweeps have cost as many.
Cost        k^2 products per sweep with (2); no pass over the rows.
Reference   J. Friedman, T. Hastie, R. Tibshirani, J. Statistical Software, 2010. N. Simon,
            J. Friedman, T. Hastie, A blockwise descent algorithm, 2013. Q. Bertrand, M. Massias,
            Anderson acceleration of coordinate descent, AISTATS 2021.
"""

from typing import NamedTuple

import numpy as np

from skcourse.core.kernel import kernel
from skcourse.core.penalties import soft_threshold
from skcourse.core.random import below
from skcourse.linear_model.duality_gap import duality_gap, largest_slope

GRAM, DENSE, SPARSE = range(3)  # how slopes are found
SINGULAR = 1e-12  # of a diagonal entry: a smaller pivot is none
WINDOW = 5  # sweeps between extrapolations
RIDGE = 1e-5  # of the trace, added to UU': rounding is not amplified, and X may be sparse or dense
NOTHING, FLAT, NO_INDICES = np.empty((0, 0)), np.empty(0), np.empty(0, np.int64)


class Features(NamedTuple):
    """The k features at hand, by one of the three kinds; arrays of the others are empty."""

    kind: int
    norms: np.ndarray  # |z_j|^2, (k,); a feature with 0 is left alone
    gram: np.ndarray  # Z'Z, (k or more, k or more)
    rows: np.ndarray  # z_j in row j, (k or more, n)
    data: np.ndarray  # sparse: s_i x_ij, feature by feature
    indices: np.ndarray  # sparse: their i, int32 or int64
    starts: np.ndarray  # sparse: feature j has the entries from starts[j] to starts[j + 1]
    means: np.ndarray  # sparse: m_j; z_ij = s_i (x_ij - m_j)
    pulls: np.ndarray  # sparse: sum_i s_i s_i x_ij
    weight: float  # sparse: sum_i s_i s_i


class State(NamedTuple):
    """Where the descent is. With (2), `slopes` is kept up to date, else `residual`."""

    flat: np.ndarray  # what sweeps change, as one vector: w, and what follows from it affinely
    w: np.ndarray  # (t, k), a part of `flat`
    slopes: np.ndarray  # Z'r, (t, k); with (2) a part of `flat`
    residual: np.ndarray  # r, (t, n), without (2) a part of `flat`; sparse: less shift s
    shift: np.ndarray  # sparse: shift, and <s, r>; (t, 2), without (2) a part of `flat`
    u: np.ndarray  # scratch, (t,)


def new_state(w, slopes, residual, shift, *, with_gram):
    """Return the state at w, (t, k), with slopes (t, k), residual (t, n) and shift (t, 2)."""
    follow = (slopes,) if with_gram else (residual, shift)
    flat = np.concatenate([part.ravel() for part in (w, *follow)])
    parts, first = [], 0
    for part in (w, *follow):
        parts.append(flat[first : first + part.size].reshape(part.shape))
        first += part.size
    rest = (parts[1], NOTHING, NOTHING) if with_gram else (slopes.copy(), parts[1], parts[2])
    return State(flat, parts[0], *rest, np.empty(len(w)))


class Rules(NamedTuple):
    """When to stop, and in which order to go."""

    tol: float  # on the largest change in a sweep, relative to the largest coefficient
    gap: float  # on the gap, once changes are that small
    loose: float  # on the gap, whatever the changes
    max_sweeps: int
    random: bool  # draw coordinates
    seed: np.uint64


@kernel
def find_slope(features, state, j):
    """u_t = <z_j, r_t> for all targets t."""
    u = state.u
    for t in range(len(u)):
        total = 0.0
        if features.kind == GRAM:
            total += state.slopes[t, j]
        elif features.kind == DENSE:
            for i in range(features.rows.shape[1]):
                total += features.rows[j, i] * state.residual[t, i]
        else:
            for e in range(features.starts[j], features.starts[j + 1]):
                total += features.data[e] * state.residual[t, features.indices[e]]
            total += state.shift[t, 0] * features.pulls[j] - state.shift[t, 1] * features.means[j]
        u[t] = total


@kernel
def take_step(features, state, j):
    """Let r, or by (2) the slopes, follow w_j, which has changed by u_t."""
    u = state.u
    for t in range(len(u)):
        d = u[t]
        if d == 0:
            continue
        if features.kind == GRAM:
            for f in range(state.slopes.shape[1]):
                state.slopes[t, f] -= features.gram[j, f] * d
        elif features.kind == DENSE:
            for i in range(features.rows.shape[1]):
                state.residual[t, i] -= features.rows[j, i] * d
        else:
            for e in range(features.starts[j], features.starts[j + 1]):
                state.residual[t, features.indices[e]] -= features.data[e] * d
            state.shift[t, 0] += features.means[j] * d
            state.shift[t, 1] -= (features.pulls[j] - features.means[j] * features.weight) * d


@kernel
def sweep(features, net, rules, state, first):
    """Do (1) for k coordinates, drawing from number `first` on; return two largest sizes.

    Returns
    -------
    change, size : float, of the largest change, and of the largest coefficient
    """
    w, u = state.w, state.u
    n_targets, k = w.shape
    change, size = 0.0, 0.0
    for e in range(k):
        j = below(rules.seed, np.uint64(first + e), k) if rules.random else e
        norm = features.norms[j]
        if norm <= 0:
            continue
        find_slope(features, state, j)
        square = 0.0
        for t in range(n_targets):
            u[t] += norm * w[t, j]
            square += u[t] * u[t]
        length, factor = np.sqrt(square), 0.0
        if length > 0 and not (net.positive and u[0] < 0):
            factor = soft_threshold(length, net.l1) / length / (norm + net.l2)  # (1)
        moved = False
        for t in range(n_targets):
            new = factor * u[t]
            u[t] = new - w[t, j]
            w[t, j] = new
            moved = moved or u[t] != 0
            change, size = max(change, abs(u[t])), max(size, abs(new))
        if moved:
            take_step(features, state, j)
    return change, size


@kernel
def refresh_slopes(features, state):
    """Z'r for all features, where only r was kept up to date."""
    if features.kind != GRAM:
        for j in range(state.w.shape[1]):
            find_slope(features, state, j)
            for t in range(len(state.u)):
                state.slopes[t, j] = state.u[t]


@kernel
def squared_residual(features, state, start, squares):
    """|r|^2; with (2) from `start`, w and Z'r where it was `squares`: less <w - w_0, g_0 + g>."""
    total = 0.0
    if features.kind == GRAM:
        for t in range(state.w.shape[0]):
            for j in range(state.w.shape[1]):
                d = state.w[t, j] - start[0, t, j]
                total += d * (start[1, t, j] + state.slopes[t, j])
        return max(squares - total, 0.0)
    return residual_norm(features, state)


@kernel
def residual_norm(features, state):
    """|r|^2, from r."""
    total = 0.0
    for t in range(len(state.u)):
        square, shift = 0.0, state.shift[t, 0]
        for i in range(state.residual.shape[1]):
            square += state.residual[t, i] * state.residual[t, i]
        # |r|^2 = |v + shift s|^2, where <s, r> = <s, v> + shift |s|^2
        total += square + shift * (2.0 * state.shift[t, 1] - shift * features.weight)
    return total


@kernel
def objective(state, squares, net):
    """P(w) of (1) of `duality_gap`, from |r|^2 = `squares`."""
    lengths, norm = 0.0, 0.0
    for j in range(state.w.shape[1]):
        square = 0.0
        for t in range(state.w.shape[0]):
            square += state.w[t, j] * state.w[t, j]
        lengths += np.sqrt(square)
        norm += square
    return 0.5 * squares + net.l1 * lengths + 0.5 * net.l2 * norm


@kernel
def mixture(past, m):
    """Return the c of (3); all zero where UU' has no inverse to speak of.

    `past`, (WINDOW + 1, m or more), holds the iterates.
    """
    A, c = np.zeros((WINDOW, WINDOW)), np.ones(WINDOW)
    trace, total = 0.0, 0.0
    for a in range(WINDOW):
        for b in range(a + 1):
            for i in range(m):
                A[a, b] += (past[a + 1, i] - past[a, i]) * (past[b + 1, i] - past[b, i])
            A[b, a] = A[a, b]
        trace += A[a, a]
    for a in range(WINDOW):  # elimination; A is positive definite
        A[a, a] += RIDGE * trace
        if not A[a, a] > 0:
            return np.zeros(WINDOW)
        for b in range(a + 1, WINDOW):
            ratio = A[b, a] / A[a, a]
            for i in range(a + 1, WINDOW):
                A[b, i] -= ratio * A[a, i]
            c[b] -= ratio * c[a]
    for a in range(WINDOW - 1, -1, -1):
        for b in range(a + 1, WINDOW):
            c[a] -= A[a, b] * c[b]
        c[a] /= A[a, a]
        total += c[a]
    for a in range(WINDOW):
        c[a] = c[a] / total if total != 0 else 0.0
    return c


@kernel
def extrapolate(features, net, state, past, start, squares):
    """Move to (3) if that lowers the objective; `past` ends with the current iterate."""
    flat, m = state.flat, state.w.size
    before = objective(state, squared_residual(features, state, start, squares), net)
    c = mixture(past, m)
    good = False
    for i in range(len(flat)):
        total = 0.0
        for a in range(WINDOW):
            total += c[a] * past[a + 1, i]
        flat[i] = total
        good = good or total != 0
        if net.positive and i < m and total < 0:
            good = False
            break
    if good:
        after = objective(state, squared_residual(features, state, start, squares), net)
        good = after < before
    if not good:
        for i in range(len(flat)):
            flat[i] = past[WINDOW, i]


@kernel
def factorise(H):
    """Overwrite the lower triangle of H by that of Cholesky; return False if H is singular."""
    m = len(H)
    for a in range(m):
        size = H[a, a]
        for b in range(a + 1):
            total = 0.0
            for i in range(b):
                total += H[a, i] * H[b, i]
            if b < a:
                H[a, b] = (H[a, b] - total) / H[b, b]
            else:
                if not H[a, a] - total > SINGULAR * size:
                    return False
                H[a, a] = np.sqrt(H[a, a] - total)
    return True


@kernel
def solve_factorised(L, d):
    """Overwrite d by the solution of L L' x = d."""
    m = len(d)
    for a in range(m):
        total = 0.0
        for i in range(a):
            total += L[a, i] * d[i]
        d[a] = (d[a] - total) / L[a, a]
    for a in range(m - 1, -1, -1):
        d[a] /= L[a, a]
        for i in range(a):
            d[i] -= L[a, i] * d[a]


@kernel
def newton_step(features, net, state, members):
    """Do (4) for one target; return whether a w_j became 0. `members`: the j with w_j not 0."""
    w, slopes, gram = state.w[0], state.slopes[0], features.gram
    m = len(members)
    H, d = np.empty((m, m)), np.empty(m)
    for a in range(m):
        j = members[a]
        for b in range(a + 1):
            H[a, b] = gram[j, members[b]]
        H[a, a] += net.l2
        d[a] = slopes[j] - net.l2 * w[j] - (net.l1 if w[j] > 0 else -net.l1)
    if not factorise(H):
        return False
    solve_factorised(H, d)
    length, first = 1.0, -1
    for a in range(m):
        if net.l1 > 0 or net.positive:
            ratio = -w[members[a]] / d[a] if d[a] != 0 else -1.0
            if 0 < ratio < length:
                length, first = ratio, a
    for a in range(m):
        j, step = members[a], length * d[a]
        w[j] = 0.0 if a == first else w[j] + step
        for f in range(len(w)):
            slopes[f] -= gram[j, f] * step
    return first >= 0


@kernel
def newton_steps(features, net, state, credit):
    """Do (4) until no w_j becomes 0 any more, or `credit` is used up; return what is left of it.

    Once anything was done, nothing is left: what follows does not depend on what has been.
    """
    saved = credit
    indices = np.empty(state.w.shape[1], np.int64)
    while True:
        m = 0
        for j in range(state.w.shape[1]):
            if state.w[0, j] != 0:
                indices[m] = j
                m += 1
        members = indices[:m]
        cost = m**3 // 6 + m * state.w.shape[1]
        if m == 0 or cost > credit:
            return saved if credit == saved else 0
        credit -= cost
        if not newton_step(features, net, state, members):
            return 0


@kernel
def keep(state, iterate):
    """Note where we are."""
    for i in range(len(iterate)):
        iterate[i] = state.flat[i]


@kernel
def descend(features, net, rules, state, squares):
    """Sweep until changes and gap are small, the gap of these features alone.

    Parameters
    ----------
    features : Features
    net : Net
    rules : Rules
    state : State, changed
    squares : float, |r|^2 at the beginning

    Returns
    -------
    n_sweeps : int
    settled : bool, whether the changes of the last sweep were within `rules.tol`
    ended : bool, whether it is the rules of the gap that ended it
    squares : float, |r|^2 at the end
    """
    w = state.w
    past = np.empty((WINDOW + 1, len(state.flat)))
    start = np.empty((2, w.shape[0], w.shape[1]))
    for t in range(w.shape[0]):
        for j in range(w.shape[1]):
            start[0, t, j], start[1, t, j] = w[t, j], state.slopes[t, j]
    newton = features.kind == GRAM and w.shape[0] == 1
    n_past, credit, moves = 0, 0, w.shape[1] ** 2
    for n in range(1, rules.max_sweeps + 1):
        if n_past == 0:
            keep(state, past[0])
        change, size = sweep(features, net, rules, state, (n - 1) * w.shape[1])
        settled = change <= rules.tol * size
        n_past += 1
        keep(state, past[n_past])
        full = n_past == WINDOW
        if full:
            n_past = 0
            if newton:
                credit += WINDOW * moves
                if not settled:
                    credit = newton_steps(features, net, state, credit)
            elif not (settled or rules.random):
                extrapolate(features, net, state, past, start, squares)
        if settled or full or n == rules.max_sweeps:
            refresh_slopes(features, state)
            now = squared_residual(features, state, start, squares)
            top = largest_slope(state.slopes, w, net)
            gap = duality_gap(w, state.slopes, now, top, net)
            ended = (settled and gap <= rules.gap) or gap <= rules.loose or not np.isfinite(gap)
            if ended or n == rules.max_sweeps:
                return n, settled, ended, now
            if full and settled and not (newton or rules.random):
                extrapolate(features, net, state, past, start, squares)
    return 0, True, True, squares
