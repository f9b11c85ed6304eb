"""Least angle regression, and the path of the lasso, on products alone: G = X'X and c = X'y.

Problem     Explain y by few columns x_j of X (atoms); of all, only G_ij = <x_i, x_j> and
            c_j = <x_j, y> are known. The lasso at the penalty m is the minimum of
                |y - X w|^2 / 2 + m sum_j |w_j|,                                                 (1)
            where <x_j, r> = m sign(w_j) on the active atoms A, w_j not 0, and |<x_j, r>| <= m on
            the others: all active atoms are equally close to the residual r.
Path        As m falls from max_j |c_j|, where w = 0, the minimum moves on straight lines:
                w_A = G_A^-1 (c_A - m s_A),   s_A = sign <x_A, r>,                               (2)
            so that with d = G_A^-1 s_A, each unit of m less adds d to w_A, and takes the
                a_j = sum_i G_ji d_i,  of an active one s_j,                                     (3)
            from <x_j, r>. A line ends where an atom joins, |<x_j, r>| = m, after
                (m - <x_j, r>) / (1 - a_j)  or  (m + <x_j, r>) / (1 + a_j),                      (4)
            whichever is the least over j; for the lasso, also where a w_i becomes 0, after
            -w_i / d_i: that atom leaves. Without the leaving, it is least angle regression.
Positive    w >= 0: only the first of (4), and m = max_j <x_j, r>.
Degenerate  An atom that rounding cannot tell from the span of A is barred until one leaves.
Ends        m at the penalty, or after so many lines; then (2) anew, without the roundings on the
            way. For (1), what is found is checked against its conditions.
Cost        p |A| products for (3) and |A|^2 for d, for a line: nothing depends on the rows of X.
Reference   B. Efron, T. Hastie, I. Johnstone, R. Tibshirani, Least angle regression, Annals of
            Statistics, 2004. M. Osborne, B. Presnell, B. Turlach, A new approach to variable
            selection in least squares problems, IMA J. Numerical Analysis, 2000.
"""

from typing import NamedTuple

import numpy as np

from skcourse.core.gram_pursuit import back_substitute, extend
from skcourse.core.kernel import kernel

FREE, ACTIVE, BARRED = 0, 1, 2
EPS = 2.0**-52
PARALLEL = 1e-12  # of the 1 -+ a_j in (4): an atom that keeps pace with the active ones never joins
HONEST = 1e-9  # of max_j |c_j|: what rounding may do to the conditions of (1)


class Route(NamedTuple):
    """Where to go."""

    penalty: float  # m at the end
    max_lines: int
    lasso: bool  # whether atoms leave
    positive: bool


class Room(NamedTuple):
    """What the path of one target writes; `limit` is the most atoms at a time."""

    order: np.ndarray  # int64 (limit,), the active atoms
    signs: np.ndarray  # s, (limit,)
    L: np.ndarray  # (limit, limit), lower triangle, G_A = L L'
    z: np.ndarray  # (limit,), L z = s; at the end L z = c - m s
    d: np.ndarray  # (limit,), L'd = z
    w: np.ndarray  # (p,)
    c: np.ndarray  # <x_j, r>, (p,)
    a: np.ndarray  # (3), (p,)
    state: np.ndarray  # int8 (p,), FREE, ACTIVE or BARRED


class Event(NamedTuple):
    """How a line ends."""

    length: float  # by which m falls
    new: int  # the atom that joins, or -1
    sign: float  # its s
    old: int  # the place in A of the one that leaves, or -1


def room_for(p, limit):
    """Return a Room for p atoms, `limit` of them at a time."""
    order, L = np.empty(limit, np.int64), np.empty((limit, limit))
    signs, z, d = (np.empty(limit) for _ in range(3))
    w, c, a = (np.empty(p) for _ in range(3))
    return Room(order, signs, L, z, d, w, c, a, np.empty(p, np.int8))


@kernel
def forward_substitute(L, b, k, z):
    """Solve L z = b for the first k atoms."""
    for i in range(k):
        s = b[i]
        for m in range(i):
            s -= L[i, m] * z[m]
        z[i] = s / L[i, i]


@kernel
def remove(L, old, k):
    """Take row `old` out of L, k x k; rotations of columns make it a triangle again."""
    for i in range(old, k - 1):
        for m in range(i + 2):
            L[i, m] = L[i + 1, m]
    for q in range(old, k - 1):
        u, v = L[q, q], L[q, q + 1]
        length = np.sqrt(u * u + v * v)
        cosine, sine = u / length, v / length
        for i in range(q, k - 1):
            u, v = L[i, q], L[i, q + 1]
            L[i, q] = cosine * u + sine * v
            L[i, q + 1] = cosine * v - sine * u


@kernel
def nearest(room, positive):
    """Return the free atom of the largest |<x_j, r>|, its sign and that largest; -1 for none."""
    new, sign, high = -1, 1.0, 0.0
    for j in range(len(room.c)):
        size = room.c[j] if positive else abs(room.c[j])
        if room.state[j] == FREE and size > high:
            new, sign, high = j, (1.0 if room.c[j] > 0 else -1.0), size
    return new, sign, high


@kernel
def aim(G, room, k):
    """Find d and (3) for k active atoms."""
    forward_substitute(room.L, room.signs, k, room.z)
    back_substitute(room.L, room.z, k, room.d)
    a = room.a
    for j in range(len(a)):
        a[j] = 0.0
    for i in range(k):
        atom, step = room.order[i], room.d[i]
        for j in range(len(a)):
            a[j] += G[atom, j] * step


@kernel
def next_event(room, k, m, route):
    """Return the Event at which the line from m on ends, by (4)."""
    c, a, state = room.c, room.a, room.state
    length, new, sign, old = m - route.penalty, -1, 1.0, -1
    for j in range(len(c)):
        if state[j] != FREE:
            continue
        if 1.0 - a[j] > PARALLEL and m - c[j] < length * (1.0 - a[j]):
            length, new, sign = max(m - c[j], 0.0) / (1.0 - a[j]), j, 1.0
        if not route.positive and 1.0 + a[j] > PARALLEL and m + c[j] < length * (1.0 + a[j]):
            length, new, sign = max(m + c[j], 0.0) / (1.0 + a[j]), j, -1.0
    if route.lasso:
        for i in range(k):
            coef, step = room.w[room.order[i]], room.d[i]
            if step * room.signs[i] < 0 and -coef * room.signs[i] > length * step * room.signs[i]:
                length, new, old = max(-coef / step, 0.0), -1, i
    return Event(length, new, sign, old)


@kernel
def leave(room, k, old):
    """Let the atom at place `old` of k leave; the barred ones may try again."""
    room.w[room.order[old]] = 0.0
    room.state[room.order[old]] = FREE
    for j in range(len(room.state)):
        if room.state[j] == BARRED:
            room.state[j] = FREE
    remove(room.L, old, k)
    for i in range(old, k - 1):
        room.order[i] = room.order[i + 1]
        room.signs[i] = room.signs[i + 1]


@kernel
def walk(G, products, route, room):
    """Follow the path line by line; return |A| and m at the end. The arguments are `follow`'s."""
    p, limit = len(products), len(room.order)
    for j in range(p):
        room.c[j], room.w[j], room.state[j] = products[j], 0.0, FREE
    new, sign, m = nearest(room, route.positive)
    floor, k, n_lines = max(route.penalty, p * EPS * m), 0, 0
    while n_lines < route.max_lines and m > floor:
        if new >= 0:
            if k < limit and extend(G, room.L[k], new, k, room) > EPS * G[new, new]:
                room.order[k], room.signs[k], room.state[new] = new, sign, ACTIVE
                k += 1
            else:
                room.state[new] = BARRED
        if k == 0:
            new, sign, m = nearest(room, route.positive)
            if new < 0:
                break
            continue
        aim(G, room, k)
        event = next_event(room, k, m, route)
        for i in range(k):
            room.w[room.order[i]] += event.length * room.d[i]
        for j in range(p):
            room.c[j] -= event.length * room.a[j]
        m, new, sign = m - event.length, event.new, event.sign
        n_lines += 1
        if event.old >= 0:
            leave(room, k, event.old)
            k -= 1
        elif new < 0:
            m = route.penalty
            break
    return k, m


@kernel
def settle(G, products, route, room, k, m):
    """Compute w by (2), and <x_j, r> from it; tell whether (1) has its minimum there."""
    p, largest = len(products), 0.0
    for j in range(p):
        room.c[j], room.w[j] = products[j], 0.0
        largest = max(largest, abs(products[j]))
    for i in range(k):
        room.a[i] = products[room.order[i]] - m * room.signs[i]
    forward_substitute(room.L, room.a, k, room.z)
    back_substitute(room.L, room.z, k, room.d)
    for i in range(k):
        atom, coef = room.order[i], room.d[i]
        if route.lasso and coef * room.signs[i] < 0:  # it has joined at the very end
            coef = 0.0
        room.w[atom] = coef
        for j in range(p):
            room.c[j] -= G[atom, j] * coef
    high = m + HONEST * largest
    for j in range(p):
        if not (room.c[j] <= high and (route.positive or room.c[j] >= -high)):
            return False
    for i in range(k):
        if room.w[room.order[i]] != 0 and not (
            abs(room.c[room.order[i]] - m * room.signs[i]) <= HONEST * largest
        ):
            return False
    return True


@kernel
def follow(G, products, route, room):
    """Follow the path of one target to its end; room.w holds the coefficients there.

    Parameters
    ----------
    G : array of shape (p, p), C-contiguous
    products : array of shape (p,), c
    route : Route
    room : Room

    Returns
    -------
    good : bool, whether room.w is the minimum of (1) for its m, the penalty if lines sufficed
    """
    k, m = walk(G, products, route, room)
    return settle(G, products, route, room, k, m)


@kernel
def follow_each(G, products, route, room, codes, good):
    """Follow the path of each row of `products`, (n, p); fill `codes`, (n, p), and `good`, (n,)."""
    for i in range(len(products)):
        good[i] = follow(G, products[i], route, room)
        for j in range(codes.shape[1]):
            codes[i, j] = room.w[j]
