"""k-medoids by FasterPAM: swap a medoid for another row whenever that is a gain.

Problem     Choose k of the rows, m_1 .. m_k, the medoids, such that the sum of the dissimilarities
            of the rows, of weight w_o, to the nearest of them is least:
                J(m) = sum_o w_o min_i d(o, m_i)                                              (1)
Swap        Let n(o) be the nearest medoid of o, d1(o) and d2(o) the dissimilarities to it and to
            the second nearest. Without m_i its rows fall back to their second:
                R_i = sum over n(o) = i of w_o (d2(o) - d1(o))                                (2)
            With row j as a medoid in the place of m_i, J changes by
                R_i + A + C_i,   A   = sum over d(o, j) < d1(o) of w_o (d(o, j) - d1(o))      (3)
                C_i = sum over n(o) = i of  w_o (d1(o) - d2(o))   where d(o, j) < d1(o),
                                            w_o (d(o, j) - d2(o)) where d1(o) <= d(o, j) < d2(o)
            so one look at the dissimilarities to j tells the change for all i.
Iteration   Go through the rows; whenever the best i makes (3) negative, swap at once. End after n
            rows in a row without a swap: J is then least among all sets that differ in one medoid.
            By rising sums of dissimilarities, their order does not depend on how X is sorted.
Start       BUILD chooses one medoid after the other, each as the row that lowers J most. No row
            lowers it by more than at an earlier step, so few are looked at again (Minoux).
Cost        n additions per row that is tried, a few n^2 in all. Only the dissimilarities to the
            medoids and to the rows that are tried next are needed at a time: those of all pairs are
            kept where there is room, and else computed anew in each pass.
Reference   L. Kaufman, P. Rousseeuw, Clustering by means of medoids, 1987.
            E. Schubert, P. Rousseeuw, Fast and eager k-medoids clustering, Information Systems,
            2021.
            M. Minoux, Accelerated greedy algorithms for maximizing submodular set functions, 1978.
"""

from typing import NamedTuple

import numpy as np

from skcourse.core.history import History
from skcourse.core.interrupts import held
from skcourse.core.kernel import kernel

BLOCK = 256  # rows that are tried between two looks at interrupts
EPS = 2.3e-16


class Near(NamedTuple):
    """What is known of each row, and of each medoid."""

    medoids: np.ndarray  # m_i, int64 (k,)
    to_medoids: np.ndarray  # d(o, m_i), (k, n)
    first: np.ndarray  # n(o), int32 (n,)
    second: np.ndarray  # the medoid of d2(o), int32 (n,)
    d1: np.ndarray  # (n,), float64
    d2: np.ndarray  # (n,), float64; infinite for a single medoid
    removal: np.ndarray  # R_i of (2), (k,); 0 for a single medoid, which cannot be without
    change: np.ndarray  # room for C_i of (3), (k,)


class Medoids(NamedTuple):
    """What the swaps end at."""

    indices: np.ndarray  # m_i, int64 (k,)
    labels: np.ndarray  # n(o), int32 (n,)
    inertia: float  # J
    n_iter: int
    done: bool  # no swap is left, or a callback asked to stop
    history: dict


@kernel
def look_again(near, o):
    """Find the two nearest medoids of row o among all; the lower one of equals comes first."""
    first, d1 = 0, np.float64(near.to_medoids[0, o])
    second, d2 = -1, np.inf
    for i in range(1, len(near.medoids)):
        d = np.float64(near.to_medoids[i, o])
        if d < d1:
            second, d2 = first, d1
            first, d1 = i, d
        elif d < d2 or second < 0:
            second, d2 = i, d
    near.first[o], near.second[o] = first, second
    near.d1[o], near.d2[o] = d1, d2


@kernel
def sum_removals(weights, near):
    """Write R_i of (2), and return J of (1)."""
    near.removal[:] = 0.0
    total = np.float64(0.0)
    for o in range(len(weights)):
        total += weights[o] * near.d1[o]
        if near.second[o] >= 0:
            near.removal[near.first[o]] += weights[o] * (near.d2[o] - near.d1[o])
    return total


@kernel
def look_at_all(weights, near):
    """Find the nearest medoids of all rows; return J."""
    for o in range(len(weights)):
        look_again(near, o)
    return sum_removals(weights, near)


@kernel
def gain(distances, weights, near):
    """Return by how much (3) changes J at least, and for which i, given d(., j)."""
    common, change = np.float64(0.0), near.change
    change[:] = near.removal
    if len(change) == 1:
        for o in range(len(weights)):
            common += weights[o] * (distances[o] - near.d1[o])
        return common, 0
    for o in range(len(weights)):
        d = np.float64(distances[o])
        if d < near.d2[o]:
            if d < near.d1[o]:
                common += weights[o] * (d - near.d1[o])
                change[near.first[o]] += weights[o] * (near.d1[o] - near.d2[o])
            else:
                change[near.first[o]] += weights[o] * (d - near.d2[o])
    best, lowest = 0, np.inf
    for i in range(len(change)):
        surely = change[i] + rounding(len(weights), near.removal[i])
        if surely < lowest:
            best, lowest = i, surely
    return common + change[best], best


@kernel
def rounding(n, removal):
    """Return what rounding may do to R_i + C_i: to three sums of n terms that add up to R_i."""
    return 2 * n * EPS * removal


@kernel
def swap(distances, near, i, j):
    """Make row j the medoid in the place of m_i, given d(., j); bring d1 and d2 up to date."""
    near.medoids[i] = j
    near.to_medoids[i] = distances
    for o in range(len(distances)):
        d = np.float64(distances[o])
        if near.first[o] == i or near.second[o] == i:
            look_again(near, o)
        elif d < near.d1[o]:
            near.second[o], near.d2[o] = near.first[o], near.d1[o]
            near.first[o], near.d1[o] = i, d
        elif d < near.d2[o]:
            near.second[o], near.d2[o] = i, d


@kernel
def try_rows(block, rows, weights, near, quiet, inertia):
    """Try each of `rows` as a medoid, and swap where that lowers J by more than rounding.

    `block` holds d(., j) for these rows, (len(rows), n). `quiet` rows were tried since the last
    swap. Returns it anew, and J; ends early after n.
    """
    n = len(weights)
    for r in range(len(rows)):
        if quiet >= n:
            break
        quiet += 1
        j = rows[r]
        taken = weights[j] <= 0
        for i in range(len(near.medoids)):
            taken = taken or near.medoids[i] == j
        if taken:
            continue
        change, i = gain(block[r], weights, near)
        if change < -(n * EPS * inertia + rounding(n, near.removal[i])):
            swap(block[r], near, i, j)
            inertia = sum_removals(weights, near)
            quiet = 0
    return quiet, inertia


@kernel
def gains(block, weights, nearest, out):
    """Write sum_o w_o max(nearest_o - d(o, j), 0) into `out` for the rows j of `block`.

    It is by how much J falls with j as one more medoid, where `nearest` holds min_i d(o, m_i).
    """
    for r in range(len(block)):
        total = np.float64(0.0)
        for o in range(len(weights)):
            total += weights[o] * max(nearest[o] - np.float64(block[r, o]), 0.0)
        out[r] = total


@kernel
def totals(block, weights, out):
    """Write sum_o w_o d(o, j) into `out` for the rows j of `block`."""
    for r in range(len(block)):
        total = np.float64(0.0)
        for o in range(len(weights)):
            total += weights[o] * block[r, o]
        out[r] = total


def total_dissimilarities(D, weights):
    """Return sum_o w_o d(o, j) of each row j, (n,); infinite where j has weight 0."""
    sums = np.empty(len(D))
    for rows in np.split(np.arange(len(D)), range(BLOCK, len(D), BLOCK)):
        totals(D.rows(rows), weights, sums[rows[0] : rows[-1] + 1])
    return np.where(weights > 0, sums, np.inf)


def build(D, weights, sums, k):
    """Return the rows that BUILD chooses, int64 (k,), given their total dissimilarities.

    With more medoids no row gains more: `bounds` are what each gained when it was last looked at,
    and only those are looked at again that could still be the best.
    """
    chosen, one = np.empty(k, np.int64), np.empty(1)
    chosen[0] = np.argmin(sums)
    nearest = D.rows(chosen[:1])[0].astype(np.float64)
    bounds = np.empty(len(D))
    for rows in np.split(np.arange(len(D)), range(BLOCK, len(D), BLOCK)):
        gains(D.rows(rows), weights, nearest, bounds[rows[0] : rows[-1] + 1])
    bounds[weights <= 0] = -np.inf
    for i in range(1, k):
        bounds[chosen[:i]] = -np.inf
        fresh = np.zeros(len(D), bool) if i > 1 else np.ones(len(D), bool)
        while not fresh[best := np.argmax(bounds)]:
            gains(D.rows(np.array([best])), weights, nearest, one)
            bounds[best], fresh[best] = one[0], True
        chosen[i] = best
        nearest = np.minimum(nearest, D.rows(chosen[i : i + 1])[0])
        held.deliver()
    return chosen


def plus_plus(D, weights, k, rng):
    """Draw rows one by one, each with probability w_o min_i d(o, m_i), int64 (k,)."""
    chosen = np.empty(k, np.int64)
    shares = weights
    nearest = np.full(len(D), np.inf)
    for i in range(k):
        total = shares.sum()
        if not total > 0:  # all that is left lies on a medoid already
            shares = np.where(np.isin(np.arange(len(D)), chosen[:i]), 0.0, weights)
            total = shares.sum()
        chosen[i] = rng.choice(len(D), p=shares / total)
        np.minimum(nearest, D.rows(chosen[i : i + 1])[0], out=nearest)
        shares = weights * nearest
        shares[chosen[: i + 1]] = 0.0
    return chosen


def fasterpam(D, weights, medoids, *, order, max_iter, task, fitted):
    """Swap until no single swap lowers J.

    Parameters
    ----------
    D : Stored or Computed, the dissimilarities
    weights : float64 array of shape (n,), not negative
    medoids : int64 array of shape (k,), different rows
    order : int64 array of shape (n,), the order in which rows are tried
    max_iter : int, how often to go through all rows
    task : Task or Silence
    fitted : callable, makes the attributes of a fit from indices, labels and inertia

    Returns
    -------
    medoids : Medoids
    """
    n, k = len(D), len(medoids)
    near = Near(
        medoids.copy(),
        np.array(D.rows(medoids)),
        np.zeros(n, np.int32),
        np.zeros(n, np.int32),
        np.zeros(n),
        np.zeros(n),
        np.zeros(k),
        np.zeros(k),
    )
    inertia, quiet, history = look_at_all(weights, near), 0, History()
    for _ in range(max_iter):
        iteration = task.subtask("iteration")
        for rows in np.split(order, range(BLOCK, n, BLOCK)):
            quiet, inertia = try_rows(D.rows(rows), rows, weights, near, quiet, inertia)
            held.deliver()
            if quiet >= n:
                break
        history.append(inertia=inertia)
        stopped = iteration.end(lambda: fitted(near.medoids.copy(), near.first.copy(), inertia))  # noqa: B023  called at once
        if stopped or quiet >= n:
            break
    inertia, passes = look_at_all(weights, near), history.arrays()
    n_iter, done = len(passes["inertia"]), bool(stopped or quiet >= n)
    return Medoids(near.medoids, near.first, inertia, n_iter, done, passes)
