"""The cheapest assignment of rows to clusters whose sizes are bounded: a transportation problem.

Problem     Given what it costs to put row i into cluster j, find labels z that minimise
                sum_i a_{i z_i}    subject to    l <= n_j <= u,  n_j rows with z_i = j        (1)
Prices      z is optimal if, and only if, there are prices p_j with
                z_i = argmin_j (a_ij + p_j),                                                  (2)
                p_j > 0 only where n_j = u,  and p_j < 0 only where n_j = l                   (3)
            They are the dual variables of (1) as a linear program, whose vertices are integer.
Iteration   Keep (2) and (3), as far as room goes: a cluster has room for f_j rows, f_j = u where
            p_j > 0, l where p_j < 0, and any number between where p_j = 0. While the rows of
            some clusters exceed their room, find the cheapest chain of moves from one of these to
            a cluster with room. A move from j to h costs
                r_jh = min { a_ih + p_h - a_ij - p_j : z_i = j }  >= 0                        (4)
            Then raise the prices of what lies nearer, so that all moves of the chain cost 0, and
            make them. Each chain puts one row where it belongs.
Cost        n k at the start; per chain k^2 for the search (Dijkstra's, over k clusters and a store
            where rooms come from) and about n / k for each move, to look for the next row of (4).
Start       Good prices leave few rows to be moved: they are those of the last call, or those of a
            quarter of the rows, found by the same method.
Reference   R. Ahuja, T. Magnanti, J. Orlin, Network flows, 1993, 9.7: successive shortest paths.
"""

from typing import NamedTuple

import numpy as np

from skcourse.core.kernel import kernel

FEW = 2000  # rows are assigned at once, without prices from a part of them
PART = 4  # one row in so many tells the first prices


class Plan(NamedTuple):
    """An assignment under way; clusters are 0 .. k - 1, and k is the store of rooms."""

    labels: np.ndarray  # z_i, int32 (n,)
    before: np.ndarray  # the member of the same cluster before this one, or -1, int64 (n,)
    after: np.ndarray  # the one after it, or -1, int64 (n,)
    first: np.ndarray  # the first member of each cluster, or -1, int64 (k,)
    rooms: np.ndarray  # f_j, int64 (k,)
    excess: np.ndarray  # n_j - f_j, and at k sum f_j - n, int64 (k + 1,)
    prices: np.ndarray  # p_j, float64 (k + 1,)
    cheapest: np.ndarray  # the row of (4), or -1, int64 (k, k)
    change: np.ndarray  # its a_ih - a_ij, or inf, float64 (k, k)


class Search(NamedTuple):
    """What a search for the cheapest chain knows of each cluster, and of the store."""

    distance: np.ndarray  # cost of the cheapest chain that leads there, float64 (k + 1,)
    previous: np.ndarray  # where it comes from, or -1 at its start, int64 (k + 1,)
    done: np.ndarray  # whether that is final, bool (k + 1,)


def new_plan(n, k, prices):
    """Return a plan in which no row has a cluster; `prices`, (k,), are those to begin with."""
    return Plan(
        np.full(n, -1, np.int32),
        *np.full((2, n), -1, np.int64),
        np.full(k, -1, np.int64),
        np.zeros(k, np.int64),
        np.zeros(k + 1, np.int64),
        np.append(prices, 0.0),
        np.full((k, k), -1, np.int64),
        np.full((k, k), np.inf),
    )


@kernel
def offer(costs, plan, i, j, h):
    """Let row i of cluster j be the one that moves on to h, if none is cheaper."""
    change = np.float64(costs[i, h]) - np.float64(costs[i, j])
    if change < plan.change[j, h]:
        plan.cheapest[j, h], plan.change[j, h] = i, change


@kernel
def join(costs, plan, i, j):
    """Make row i a member of cluster j; perhaps it is the cheapest to be moved on."""
    head = plan.first[j]
    plan.labels[i], plan.before[i], plan.after[i] = j, -1, head
    if head >= 0:
        plan.before[head] = i
    plan.first[j] = i
    plan.excess[j] += 1
    for h in range(costs.shape[1]):
        if h != j:
            offer(costs, plan, i, j, h)


@kernel
def leave(costs, plan, i, j, stale):
    """Remove row i from cluster j, and look for the cheapest rows where it was that."""
    ahead, behind = plan.before[i], plan.after[i]
    if ahead >= 0:
        plan.after[ahead] = behind
    else:
        plan.first[j] = behind
    if behind >= 0:
        plan.before[behind] = ahead
    plan.excess[j] -= 1
    n_stale = 0
    for h in range(costs.shape[1]):
        if plan.cheapest[j, h] == i:
            plan.cheapest[j, h], plan.change[j, h] = -1, np.inf
            stale[n_stale] = h
            n_stale += 1
    member = plan.first[j]
    while member >= 0:
        for m in range(n_stale):
            offer(costs, plan, member, j, stale[m])
        member = plan.after[member]


@kernel
def begin(costs, lower, upper, plan):
    """Give each row its label by (2) and each cluster the room that (3) leaves it."""
    n, k = costs.shape
    for i in range(n):
        z = 0
        for j in range(1, k):
            if costs[i, j] + plan.prices[j] < costs[i, z] + plan.prices[z]:
                z = j
        join(costs, plan, i, z)
    plan.excess[k] = -n
    for j in range(k):
        room = min(max(plan.excess[j], lower), upper)
        if plan.prices[j] > 0.0:
            room = upper
        elif plan.prices[j] < 0.0:
            room = lower
        plan.rooms[j] = room
        plan.excess[j] -= room
        plan.excess[k] += room


@kernel
def length(lower, upper, plan, u, v):
    """Return what a move from u to v costs: (4), or of a room from or to the store; else inf."""
    k = len(plan.rooms)
    price = plan.prices[v] - plan.prices[u]
    if v == k:
        return max(price, 0.0) if plan.rooms[u] < upper else np.inf
    if u == k:
        return max(price, 0.0) if plan.rooms[v] > lower else np.inf
    return max(plan.change[u, v] + price, 0.0)


@kernel
def find_chain(lower, upper, plan, search):
    """Find the cheapest chain from an excess to a lack, and raise prices so that it costs 0.

    Returns
    -------
    end : int, where it ends; -1 if there is no excess, -2 if no chain can be found
    """
    n_nodes = len(plan.prices)
    any_excess = False
    for v in range(n_nodes):
        search.distance[v] = 0.0 if plan.excess[v] > 0 else np.inf
        search.previous[v] = -1
        search.done[v] = False
        any_excess |= plan.excess[v] > 0
    if not any_excess:
        return -1
    while True:
        u = -1
        for v in range(n_nodes):
            found = not search.done[v] and search.distance[v] < np.inf
            if found and (u < 0 or search.distance[v] < search.distance[u]):
                u = v
        if u < 0:
            return -2
        if plan.excess[u] < 0:
            break
        search.done[u] = True
        for v in range(n_nodes):
            if not search.done[v]:
                t = search.distance[u] + length(lower, upper, plan, u, v)
                if t < search.distance[v]:
                    search.distance[v], search.previous[v] = t, u
    for v in range(n_nodes):
        if search.done[v]:
            plan.prices[v] += search.distance[u] - search.distance[v]
    return u


@kernel
def follow(costs, plan, search, end, stale):
    """Make the moves of the chain, the last one first."""
    k, v = costs.shape[1], end
    while search.previous[v] >= 0:
        u = search.previous[v]
        if v == k:
            plan.rooms[u] += 1
            plan.excess[u] -= 1
            plan.excess[k] += 1
        elif u == k:
            plan.rooms[v] -= 1
            plan.excess[v] += 1
            plan.excess[k] -= 1
        else:
            i = plan.cheapest[u, v]
            leave(costs, plan, i, u, stale)
            join(costs, plan, i, v)
        v = u


@kernel
def settle(costs, lower, upper, plan, search):
    """Move rows, chain by chain, until no cluster exceeds its room; return whether that ended."""
    begin(costs, lower, upper, plan)
    stale = np.empty(costs.shape[1], np.int64)
    end = find_chain(lower, upper, plan, search)
    while end >= 0:
        follow(costs, plan, search, end, stale)
        end = find_chain(lower, upper, plan, search)
    return end == -1


def bounded_assignment(costs, lower, upper, prices=None):
    """Assign each row to one of k clusters of `lower` to `upper` rows, at the least cost.

    Parameters
    ----------
    costs : array of shape (n, k), C-contiguous, float32 or float64
    lower, upper : int, with k lower <= n <= k upper
    prices : array of shape (k,) or None
        To begin with; those of a similar problem spare work.

    Returns
    -------
    labels : int32 array of shape (n,)
    prices : float64 array of shape (k,), which prove by (2) and (3) that no assignment is cheaper

    Raises
    ------
    ValueError
        If costs are not finite.
    """
    n, k = costs.shape
    if prices is None:
        prices = np.zeros(k)
        if n > FEW:
            part = np.ascontiguousarray(costs[::PART])
            few, many = lower * len(part) // n, -(-upper * len(part) // n)
            prices = bounded_assignment(part, few, many)[1]
    plan = new_plan(n, k, prices)
    search = Search(np.empty(k + 1), np.empty(k + 1, np.int64), np.empty(k + 1, np.bool_))
    if not settle(costs, lower, upper, plan, search):
        raise ValueError("Distances to the centres overflow: scale X down.")
    between = (plan.rooms > lower) & (plan.rooms < upper)
    return plan.labels, np.where(between, 0.0, plan.prices[:k] - plan.prices[k])  # (3) to the bit
