"""Orthogonal matching pursuit from products alone: G = X'X and X'y.

Problem     See `omp`: atoms x_j, of which only the products G_ij = <x_i, x_j> are known, and y, of
            which only the products c_j = <x_j, y> are.
Step        The chosen atoms, in their order, have the matrix G_a = L L'. A new one adds a row
                L l = G_a,new,   d = G_new,new - |l|^2,   L_new = (l', d^(1/2)),              (1)
            and one entry to z of L z = c_a. Then
                L'g = z,   <x_j, r> = c_j - sum_i G_ji g_i,   |r|^2 -= z_new^2.               (2)
            The next atom has the largest |<x_j, r>|.
Cost        p k products for (2), k^2 for (1), for an atom: nothing depends on the number of rows.
Reference   R. Rubinstein, M. Zibulevsky, M. Elad, Efficient implementation of the K-SVD algorithm
            using batch orthogonal matching pursuit, Technion, 2008.
"""

from typing import NamedTuple

import numpy as np

from skcourse.core.chunks import reduce_blocks
from skcourse.core.kernel import kernel

PREMATURE = (
    "Orthogonal matching pursuit ended prematurely due to linear dependence in the dictionary. "
    "The requested precision might not have been met."
)
GROUP = 16  # targets that a thread takes at a time


class Room(NamedTuple):
    """What the pursuit of one target writes."""

    order: np.ndarray  # int64 (limit,), the atoms as they were chosen
    L: np.ndarray  # (limit, limit), lower triangle
    z: np.ndarray  # (limit,)
    coefs: np.ndarray  # (limit, limit): row k - 1 holds the coefficients of k atoms
    errors: np.ndarray  # (limit,), |r|^2


@kernel
def extend(G, row, new, k, room):
    """Write l of (1) and its square root into row k of L; return d."""
    d = np.float64(G[new, new])
    for i in range(k):
        s = np.float64(G[new, room.order[i]])
        for m in range(i):
            s -= room.L[i, m] * row[m]
        row[i] = s / room.L[i, i]
        d -= row[i] * row[i]
    row[k] = np.sqrt(max(d, 0.0))
    return d


@kernel
def back_substitute(L, z, k, g):
    """Solve L'g = z for the first k atoms."""
    for i in range(k - 1, -1, -1):
        s = z[i]
        for m in range(i + 1, k):
            s -= L[m, i] * g[m]
        g[i] = s / L[i, i]


@kernel
def pursue(G, c, square, tol, eps, room):
    """Take atoms one by one, up to the room that there is.

    Parameters
    ----------
    G : array of shape (p, p), C-contiguous
    c : array of shape (p,)
    square : float, |y|^2
    tol : float, |r|^2 at which to end; negative for never
    eps : float, of the precision of G
    room : Room

    Returns
    -------
    n_atoms : int
    premature : bool, whether no further atom could be told from the span of those before
    """
    p, limit = len(c), len(room.z)
    products, used = np.empty(p), np.zeros(p, np.bool_)
    largest, error = 0.0, square
    for j in range(p):
        products[j] = c[j]
        largest = max(largest, abs(products[j]))
    for k in range(limit):
        new, high = -1, p * eps * largest
        for j in range(p):
            if not used[j] and abs(products[j]) > high:
                new, high = j, abs(products[j])
        if new < 0 or not extend(G, room.L[k], new, k, room) > eps * G[new, new]:
            return k, True
        s = np.float64(c[new])
        for i in range(k):
            s -= room.L[k, i] * room.z[i]
        room.z[k] = s / room.L[k, k]
        room.order[k] = new
        used[new] = True
        error -= room.z[k] * room.z[k]
        room.errors[k] = error
        back_substitute(room.L, room.z, k + 1, room.coefs[k])
        if abs(error) <= tol:
            return k + 1, False
        for j in range(p):
            products[j] = c[j]
        for i in range(k + 1):
            atom = room.order[i]
            for j in range(p):
                products[j] -= room.coefs[k, i] * G[atom, j]
    return limit, tol >= 0


@kernel
def pursue_each(G, products, eps, room, codes, good):
    """Pursue each row of `products`, (n, p), <x_j, y_i>, up to the room that there is.

    Fill `codes`, (n, p), with the coefficients, and `good`, (n,), with whether there were as many.
    """
    for i in range(len(products)):
        k, premature = pursue(G, products[i], 0.0, -1.0, eps, room)
        good[i] = not premature
        for j in range(codes.shape[1]):
            codes[i, j] = 0.0
        for a in range(k):
            codes[i, room.order[a]] = room.coefs[k - 1, a]


def room_for(limit):
    """Return a Room for up to `limit` atoms."""
    order, z, errors = np.empty(limit, np.int64), np.empty(limit), np.empty(limit)
    return Room(order, np.empty((limit, limit)), z, np.empty((limit, limit)), errors)


class Found(NamedTuple):
    """What was found for one target."""

    order: np.ndarray  # the atoms as they were chosen, (k,)
    norms: np.ndarray  # |r| after each, (k,)
    coefs: np.ndarray  # row i - 1: the coefficients of i atoms, (k, k); or the last row alone
    premature: bool


def pursue_gram(G, C, squares, limit, tol, *, path=False):
    """Pursue all targets; return a list of Found.

    Parameters
    ----------
    G : array of shape (p, p), symmetric
    C : array of shape (p, t), <x_j, y_t>
    squares : array of shape (t,), |y_t|^2; only for the history if tol is None
    limit : int, the most atoms
    tol : float or None
    path : bool, default=False
        Whether to return the coefficients of each step, not only of the last.
    """
    G = G.T if G.flags.f_contiguous else np.ascontiguousarray(G)
    G = G.view()
    G.flags.writeable = False  # always: one compilation serves all
    eps = float(np.finfo(G.dtype).eps)

    def group(targets):
        room, found = room_for(limit), []
        for t in targets:
            c = np.ascontiguousarray(C[:, t], dtype=np.float64)
            k, premature = pursue(G, c, float(squares[t]), -1.0 if tol is None else tol, eps, room)
            coefs = np.tril(room.coefs[:k, :k]) if path else room.coefs[max(k - 1, 0) : k, :k]
            norms = np.sqrt(np.maximum(room.errors[:k], 0.0))
            found.append(Found(room.order[:k].copy(), norms, coefs.copy(), premature))
        return found

    targets = range(C.shape[1])
    groups = [targets[start : start + GROUP] for start in targets[::GROUP]]
    return reduce_blocks(group, groups, list.__add__)
