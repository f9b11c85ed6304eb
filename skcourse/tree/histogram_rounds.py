"""What a tree needs next: the order in which threads are given work.

A round is a number of tasks of one kind, which any threads may do in any order. When all are done,
the leader looks at what came of them, and says what the next round is:
    all rows    MAGNITUDES, GRID, and a SEARCH for the root's best split
    each split  PART the rows of the node whose split gains most, PLACE them, SEARCH both children
    the end     NUMBER the rows by their leaves
"""

import numpy as np

from skcourse.core.kernel import kernel
from skcourse.core.team import announce, dismiss, hand_in, take_task, wait_for_all, wait_for_task
from skcourse.tree.group_search import ROUNDING, Bounds, bounded_value
from skcourse.tree.histogram_partition import CHUNK
from skcourse.tree.histogram_restrictions import allow, restrict_children, restrict_root
from skcourse.tree.histogram_state import (
    FAILED,
    FREE,
    GRID,
    KIND,
    LARGE,
    LEFT,
    MAGNITUDES,
    MANY,
    N_DRAWN,
    N_FREE,
    N_LEAVES,
    N_NODES,
    N_WAITING,
    NOTHING,
    NUMBER,
    PARENT,
    PART,
    PLACE,
    RIGHT,
    SEARCH,
    SEARCH_LEFT,
    SEARCH_RIGHT,
    SMALL,
    SUBTRACT,
    WAITING,
    get_scale,
)
from skcourse.tree.histogram_tasks import (
    move_chunk,
    number_rows,
    read_rows,
    search_block,
)
from skcourse.tree.histograms import BINS, BITS, MISSING, grid_step, unpack


@kernel(counted=False)
def work(state, leads):
    """Do tasks until the tree is grown; the one thread that leads says which."""
    job = state.job
    while True:
        task = take_task(job) if leads else wait_for_task(job)
        if task >= 0:
            if job[KIND] == SEARCH:
                search_block(state, task)
            elif job[KIND] in (PART, PLACE):
                move_chunk(state.rows, state.table, state.chunks, job, task)
            elif job[KIND] == NUMBER:
                number_rows(state.rows, state.table, state.leaf_of_row, job[N_LEAVES], task)
            else:
                read_rows(state, task)
            hand_in(job)
        elif leads:
            wait_for_all(job)
            n_tasks = next_round(state, job[KIND])
            if n_tasks == 0:
                dismiss(job)
                return
            announce(job, n_tasks)
        else:
            return


@kernel
def next_round(state, last):
    """Write into the job what is to be done after `last`; return the number of tasks, or 0."""
    job, table, n_chunks = state.job, state.table, -(-len(state.rows.order) // CHUNK)
    if last == NOTHING:
        job[KIND] = MAGNITUDES
        return n_chunks
    if last == MAGNITUDES:
        finite = find_steps(state.chunks, state.limits.count_bits, len(state.rows.order))
        job[KIND] = GRID if finite else FAILED
        return n_chunks if finite else 0
    if last == NUMBER:
        return 0
    if last == PART:
        parent = table.nodes[job[PARENT]]
        job[KIND] = PLACE
        return -(-(parent["stop"] - parent["start"]) // CHUNK)
    if last == GRID:
        begin(state)
    elif last == SEARCH:
        choose(state)
    if last != SEARCH and job[SEARCH_LEFT] + job[SEARCH_RIGHT] > 0:
        allow_features(state)
        job[KIND] = SEARCH
        return len(state.rows.words)
    release(table, job, job[LEFT])
    if job[PARENT] >= 0:
        release(table, job, job[RIGHT])
    if job[N_WAITING] > 0 and job[N_LEAVES] != state.limits.max_leaf_nodes:
        job[KIND] = PART
        return split(state, pop(table, job))
    job[KIND] = NUMBER
    return min(list_leaves(table, job), MANY)


@kernel
def find_steps(chunks, count_bits, n):
    """Choose the grids for gradients and Hessians; return False if these are not finite."""
    last, g, h = len(chunks) - 1, 0.0, 0.0
    for c in range(last):
        g += chunks[c, 0]
        h += chunks[c, 1]
    chunks[last, 0] = grid_step(g, BITS - count_bits, n)
    chunks[last, 1] = grid_step(h, BITS, n)
    return np.isfinite(g) and np.isfinite(h)


@kernel
def begin(state):
    """Make the root."""
    job, table, rows = state.job, state.table, state.rows
    root, n, k = table.nodes[0], len(rows.order), len(rows.statistics) // len(rows.order)
    packed, hessian = np.int64(0), np.int64(0)
    for i in range(n):
        packed += rows.statistics[k * i]
        hessian += rows.statistics[k * i + k - 1]
    root["start"], root["stop"], root["depth"], root["slot"] = 0, n, 0, 0
    root["feature"], root["left"], root["value"], root["gain"] = -1, -1, 0.0, 0.0
    root["lower"], root["upper"], root["packed"], root["hessian"] = -np.inf, np.inf, packed, hessian
    restrict_root(state.extras)
    job[N_NODES], job[N_LEAVES], job[N_WAITING], job[N_DRAWN] = 1, 1, 0, 0
    job[N_FREE] = len(table.pool) - 3  # slot 0 is the root's, the last two are nobody's
    for i in range(job[N_FREE]):
        table.lists[FREE, i] = job[N_FREE] - i
    job[PARENT], job[LEFT], job[SMALL], job[LARGE], job[SUBTRACT] = -1, 0, 0, 0, 1
    count, weight, _ = unpack(packed, hessian, get_scale(state.limits, state.chunks))
    job[SEARCH_LEFT] = count >= 2 * state.rules.min_count and weight >= state.rules.min_weight
    job[SEARCH_RIGHT] = 0


@kernel
def allow_features(state):
    """Write which features the children may be split by: inf, a gain that is yet to be found."""
    job, gain = state.job, state.gain
    for side in range(2):
        if job[SEARCH_LEFT + side]:
            job[N_DRAWN] += allow(state.extras, job[LEFT], job[N_DRAWN], state.features, gain[side])


@kernel
def choose(state):
    """Let the children that were searched wait for their best splits, if they have one."""
    job, gain, table = state.job, state.gain, state.table
    k = len(state.rows.statistics) // len(state.rows.order)
    for side in range(2):
        best, margin, feature, i = -np.inf, 0.0, np.int64(-1), job[LEFT + side]
        for v in range(len(state.features)):
            f = state.features[v]["visited"]
            if job[SEARCH_LEFT + side] and gain[side, f] > best + margin:
                best, margin, feature = gain[side, f], ROUNDING * gain[side, f], f
        if feature < 0:
            continue
        node, histogram = table.nodes[i], table.pool[table.nodes[i]["slot"]]
        packed, hessian = np.int64(0), np.int64(0)
        for b in range(BINS):
            left = state.sides[side, feature, b]
            table.goes_left[i, b] = left
            packed += histogram[(feature * BINS + b) * k] * left
            hessian += histogram[(feature * BINS + b) * k + k - 1] * left
        node["gain"], node["feature"] = best, feature
        node["left_packed"], node["left_hessian"] = packed, hessian
        push(table, job, i)


@kernel
def release(table, job, i):
    """Give back the histograms of a node that will not be split; or that had no room to stay."""
    node = table.nodes[i]
    if node["slot"] >= len(table.pool) - 2:
        node["slot"] = -1
    elif node["feature"] < 0 and node["slot"] >= 0:
        table.lists[FREE, job[N_FREE]] = node["slot"]
        job[N_FREE] += 1
        node["slot"] = -1


@kernel
def push(table, job, i):
    """Add node i to the heap, as Python's heapq does."""
    job[N_WAITING] += 1
    rise(table.lists[WAITING], table.nodes, job[N_WAITING] - 1, i)


@kernel
def rise(heap, nodes, at, i):
    """Put node i at its place on the way from `at` to the top."""
    while at > 0:
        above = (at - 1) >> 1
        if nodes[i]["gain"] <= nodes[heap[above]]["gain"]:
            break
        heap[at] = heap[above]
        at = above
    heap[at] = i


@kernel
def pop(table, job):
    """Take the node of most gain from the heap, as Python's heapq does."""
    heap, nodes = table.lists[WAITING], table.nodes
    job[N_WAITING] -= 1
    n = job[N_WAITING]
    top, last, at, below = heap[0], heap[n], 0, 1
    while below < n:
        other = below + 1
        if other < n and nodes[heap[below]]["gain"] <= nodes[heap[other]]["gain"]:
            below = other
        heap[at] = heap[below]
        at, below = below, 2 * below + 1
    if n > 0:
        rise(heap, nodes, at, last)
    return top


@kernel
def split(state, i):
    """Make the children of node i; return the number of chunks of its rows."""
    job, table, limits = state.job, state.table, state.limits
    left = job[N_NODES]
    right = left + 1
    job[N_NODES] += 2
    job[N_LEAVES] += 1
    node, first, second = table.nodes[i], table.nodes[left], table.nodes[right]
    feature = state.features[node["feature"]]
    node["left"], node["right"] = left, right
    first["packed"], first["hessian"] = node["left_packed"], node["left_hessian"]
    second["packed"] = node["packed"] - node["left_packed"]
    second["hessian"] = node["hessian"] - node["left_hessian"]
    n_left = node["left_packed"] & ((1 << limits.count_bits) - 1)
    n_right = node["stop"] - node["start"] - n_left
    first["start"], first["stop"] = node["start"], node["start"] + n_left
    second["start"], second["stop"] = first["stop"], node["stop"]
    if not feature["has_missing"]:
        table.goes_left[i, MISSING] = n_left > n_right
    scale = get_scale(limits, state.chunks)
    inherit(node, first, scale, state.rules.l2)
    inherit(node, second, scale, state.rules.l2)
    restrict_children(state.extras, i, left, node["feature"])
    bound_children(first, second, feature["monotonic"])
    full = job[N_LEAVES] == limits.max_leaf_nodes or first["depth"] == limits.max_depth
    job[PARENT], job[LEFT], job[RIGHT] = i, left, right
    job[SEARCH_LEFT] = not full and n_left >= 2 * state.rules.min_count
    job[SEARCH_RIGHT] = not full and n_right >= 2 * state.rules.min_count
    job[SMALL], job[LARGE] = (left, right) if n_left < n_right else (right, left)
    place_histograms(table, job)
    return -(-(n_left + n_right) // CHUNK)


@kernel
def inherit(above, node, scale, l2):
    """Write what a child has from its parent, and its value."""
    node["depth"], node["feature"], node["left"] = above["depth"] + 1, -1, -1
    node["slot"], node["gain"] = -1, 0.0
    node["lower"], node["upper"] = above["lower"], above["upper"]
    _, weight, total = unpack(node["packed"], node["hessian"], scale)
    bounds = Bounds(above["lower"], above["upper"], 0.0)
    node["value"] = bounded_value(total, weight, l2, bounds)


@kernel
def bound_children(left, right, sign):
    """Keep what is below either child on its side of the middle, if the feature is monotonic."""
    middle = (left["value"] + right["value"]) / 2
    if sign > 0.0:
        left["upper"], right["lower"] = middle, middle
    elif sign < 0.0:
        left["lower"], right["upper"] = middle, middle


@kernel
def place_histograms(table, job):
    """Choose where the children's histograms go: the larger child takes the parent's place."""
    nodes, last = table.nodes, len(table.pool) - 1
    slot = nodes[job[PARENT]]["slot"]
    nodes[job[PARENT]]["slot"] = -1
    job[SUBTRACT] = slot >= 0
    for place in range(LARGE, SMALL - 1, -1):
        if slot < 0 and job[N_FREE] > 0:
            job[N_FREE] -= 1
            slot = table.lists[FREE, job[N_FREE]]
        elif slot < 0:
            slot, last = last, last - 1
        nodes[job[place]]["slot"] = slot
        slot = -1


@kernel
def list_leaves(table, job):
    """Number the nodes in preorder; list the leaves, and return how many."""
    nodes, leaves = table.nodes, table.lists[WAITING]
    stack = table.lists[FREE]  # nobody asks for room any more
    stack[0], height, number, n_leaves = 0, 1, 0, 0
    while height > 0:
        height -= 1
        i = stack[height]
        nodes[i]["number"] = number
        number += 1
        if nodes[i]["left"] < 0:
            leaves[n_leaves] = i
            n_leaves += 1
        else:
            stack[height], stack[height + 1] = nodes[i]["right"], nodes[i]["left"]
            height += 2
    return n_leaves
