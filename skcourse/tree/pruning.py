"""Minimal cost-complexity pruning: of all smaller trees, the best for a price per leaf.

Problem     Let R(t) be the impurity of node t times its share of the weight, and R(T) the sum of
            it over the leaves of a tree T. For a price alpha, find the smallest subtree with
                R(T) + alpha |leaves of T|  least.                                            (1)
Iteration   The branch below t pays for itself up to the price
                g(t) = (R(t) - R(T_t)) / (|leaves of T_t| - 1).                               (2)
            The node of the least g is made a leaf, again and again; the prices so met are the
            path, and the trees in between solve (1) for every alpha.
Cost        A heap finds the weakest node in O(log n); what changes by it are its ancestors.
Reference   Breiman, Friedman, Olshen and Stone, Classification and regression trees, 1984, ch. 3.
"""

from typing import NamedTuple

import numpy as np

from skcourse.core.kernel import kernel
from skcourse.tree.nodes import LEAF, UNDEFINED, Nodes

NOWHERE = -1  # the parent of the root; the place of a node that is not in the heap
GONE, INNER, END = 0, 1, 2  # what has become of a node: cut off, or a leaf of the smaller tree


class Branches(NamedTuple):
    """What the iteration keeps of each node."""

    left: np.ndarray  # int64, LEAF at leaves
    right: np.ndarray  # int64
    parent: np.ndarray  # int64
    cost: np.ndarray  # R(t)
    branch_cost: np.ndarray  # R(T_t)
    n_leaves: np.ndarray  # int64, of T_t; 0 at leaves
    state: np.ndarray  # int64: GONE, INNER or END
    price: np.ndarray  # g(t), inf where it is no number


class Heap(NamedTuple):
    """The inner nodes that are left, the one of the least price (and number) on top."""

    nodes: np.ndarray  # int64 (n,)
    place: np.ndarray  # int64 (n,): nodes[place[t]] == t


@kernel(exact=True)
def sum_up(branches):
    """Fill parents, and R(T_t) and leaves of all branches, adding leaves in order of number."""
    branches.parent[0] = NOWHERE
    for t in range(len(branches.left)):
        if branches.left[t] == LEAF:
            branches.state[t] = END
            branches.branch_cost[t] = branches.cost[t]
        else:
            branches.state[t] = INNER
            branches.parent[branches.left[t]] = t
            branches.parent[branches.right[t]] = t
    for t in range(len(branches.left)):
        if branches.state[t] == END:
            above = branches.parent[t]
            while above != NOWHERE:
                branches.branch_cost[above] += branches.cost[t]
                branches.n_leaves[above] += 1
                above = branches.parent[above]


@kernel(exact=True)
def set_price(branches, t):
    """Compute (2) of node t."""
    g = (branches.cost[t] - branches.branch_cost[t]) / (branches.n_leaves[t] - 1)
    branches.price[t] = np.inf if np.isnan(g) else g


@kernel(exact=True)
def comes_first(price, s, t):
    """Tell whether node s is to be cut before node t."""
    return price[s] < price[t] or (price[s] == price[t] and s < t)


@kernel(exact=True)
def settle(heap, size, price, place):
    """Move the node at `place` up or down to where it belongs."""
    t = heap.nodes[place]
    while place > 0:
        above = heap.nodes[(place - 1) // 2]
        if not comes_first(price, t, above):
            break
        heap.nodes[place] = above
        heap.place[above] = place
        place = (place - 1) // 2
    while 2 * place + 1 < size:
        low = 2 * place + 1
        if low + 1 < size and comes_first(price, heap.nodes[low + 1], heap.nodes[low]):
            low += 1
        below = heap.nodes[low]
        if not comes_first(price, below, t):
            break
        heap.nodes[place] = below
        heap.place[below] = place
        place = low
    heap.nodes[place] = t
    heap.place[t] = place


@kernel(exact=True)
def take_out(heap, size, price, t):
    """Remove node t; return the size that is left."""
    place, last = heap.place[t], heap.nodes[size - 1]
    heap.place[t] = NOWHERE
    size -= 1
    if last != t:
        heap.nodes[place] = last
        settle(heap, size, price, place)
    return size


@kernel(exact=True)
def cut_below(branches, heap, size, t):
    """Make node t a leaf, and forget what is below it; return the size of the heap."""
    stack = np.empty(2 * branches.n_leaves[t], np.int64)
    stack[0] = t
    height = 1
    while height > 0:
        height -= 1
        s = stack[height]
        if branches.state[s] == INNER:
            size = take_out(heap, size, branches.price, s)
            stack[height] = branches.left[s]
            stack[height + 1] = branches.right[s]
            height += 2
        branches.state[s] = GONE
    branches.state[t] = END
    return size


@kernel(exact=True)
def weakest_links(branches, heap, alpha, prices, costs):
    """Cut the weakest branch while its price is at most `alpha`.

    Parameters
    ----------
    branches : Branches, of which `left`, `right` and `cost` are given, the rest zeros
    heap : Heap, overwritten
    alpha : float
    prices, costs : float64 arrays, overwritten with the path: the price of each cut, R(T) after it

    Returns
    -------
    n_steps : int, the length of the path, which begins with price 0 for the whole tree
    """
    sum_up(branches)
    size = 0
    for t in range(len(branches.left)):
        if branches.state[t] == INNER:
            set_price(branches, t)
            heap.nodes[size] = t
            size += 1
            settle(heap, size, branches.price, size - 1)
    prices[0] = 0.0
    costs[0] = branches.branch_cost[0]
    n_steps = 1
    while size > 0 and not branches.price[heap.nodes[0]] > alpha:
        t = heap.nodes[0]
        prices[n_steps] = branches.price[t]
        size = cut_below(branches, heap, size, t)
        fewer, dearer = branches.n_leaves[t] - 1, branches.cost[t] - branches.branch_cost[t]
        branches.n_leaves[t], branches.branch_cost[t] = 0, branches.cost[t]
        above = branches.parent[t]
        while above != NOWHERE:
            branches.n_leaves[above] -= fewer
            branches.branch_cost[above] += dearer
            set_price(branches, above)
            settle(heap, size, branches.price, heap.place[above])
            above = branches.parent[above]
        costs[n_steps] = branches.branch_cost[0]
        n_steps += 1
    return n_steps


def cut(nodes, alpha):
    """Run the iteration on `nodes` up to the price `alpha`.

    Returns
    -------
    branches : Branches; its `state` tells what is left
    prices, costs : float64 arrays of shape (n_steps,), the path
    """
    n_nodes = len(nodes.feature)
    weights = nodes.weighted_n_node_samples
    branches = Branches(
        left=np.ascontiguousarray(nodes.children_left),
        right=np.ascontiguousarray(nodes.children_right),
        parent=np.zeros(n_nodes, np.int64),
        cost=weights * nodes.impurity / weights[0],
        branch_cost=np.zeros(n_nodes),
        n_leaves=np.zeros(n_nodes, np.int64),
        state=np.zeros(n_nodes, np.int64),
        price=np.zeros(n_nodes),
    )
    heap = Heap(np.zeros(n_nodes, np.int64), np.full(n_nodes, NOWHERE))
    prices, costs = np.empty(n_nodes), np.empty(n_nodes)
    n_steps = weakest_links(branches, heap, float(alpha), prices, costs)
    return branches, prices[:n_steps].copy(), costs[:n_steps].copy()


def pruning_path(nodes):
    """Return the prices and the impurities R(T) on the way to the root alone.

    Returns
    -------
    prices, impurities : float64 arrays of shape (n_steps,)
    """
    _, prices, costs = cut(nodes, np.inf)
    return prices, costs


def prune(nodes, alpha):
    """Return the tree that solves (1), its nodes numbered depth first, left before right."""
    branches, _, _ = cut(nodes, alpha)
    order = np.empty(np.count_nonzero(branches.state), np.int64)
    left, right = np.full(len(order), LEAF), np.full(len(order), LEAF)
    number_depth_first(branches, order, left, right)
    inner = left != LEAF
    kept = {name: getattr(nodes, name)[order] for name in Nodes._fields[2:10]}
    kept["feature"][~inner] = UNDEFINED
    kept["threshold"][~inner] = UNDEFINED
    kept["missing_go_to_left"][~inner] = 0
    kept["category_set"][~inner] = -1
    sets = kept["category_set"]
    old = sets[sets >= 0]
    sets[sets >= 0] = np.arange(len(old))
    words = [nodes.set_words[nodes.set_start[s] : nodes.set_start[s + 1]] for s in old]
    start = np.cumsum([0, *map(len, words)])
    return Nodes(
        children_left=left,
        children_right=right,
        set_start=start,
        set_words=np.concatenate([np.zeros(0, np.uint64), *words]),
        **kept,
    )


@kernel
def number_depth_first(branches, order, left, right):
    """Number the nodes that are left; order[new] = old, and the children by new numbers."""
    stack = np.empty(len(order) + 1, np.int64)  # of old numbers
    above = np.empty(len(order) + 1, np.int64)  # new number of the parent of a right child
    stack[0], above[0] = 0, NOWHERE
    height, new = 1, 0
    while height > 0:
        height -= 1
        t = stack[height]
        if above[height] != NOWHERE:
            right[above[height]] = new
        order[new] = t
        if branches.state[t] == INNER:
            left[new] = new + 1
            stack[height], above[height] = branches.right[t], new
            stack[height + 1], above[height + 1] = branches.left[t], NOWHERE
            height += 2
        new += 1
