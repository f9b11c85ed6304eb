"""The tasks of growing a tree that any thread may take: chunks of rows, blocks of 8 features."""

import numpy as np

from skcourse.core.kernel import kernel
from skcourse.tree.histogram_partition import CHUNK, part_chunk, place_left, place_right
from skcourse.tree.histogram_search import search_feature
from skcourse.tree.histogram_state import (
    GRID,
    KIND,
    LARGE,
    LEFT,
    MANY,
    N_LEAVES,
    PARENT,
    PART,
    RIGHT,
    SEARCH_LEFT,
    SEARCH_RIGHT,
    SMALL,
    SUBTRACT,
    get_scale,
)
from skcourse.tree.histograms import (
    BINS,
    WIDTH,
    add_all_rows,
    add_rows,
    subtract,
    sum_magnitudes,
    to_grid,
    unpack,
)


@kernel
def read_rows(state, task):
    """Sum the magnitudes of a chunk of rows, and put these in order; or round them to the grid."""
    rows = state.rows
    start, stop = task * CHUNK, min((task + 1) * CHUNK, len(rows.order))
    if state.job[KIND] == GRID:
        to_grid(rows.gradients, rows.hessians, get_scale(state), start, stop, rows.statistics)
        return
    g, h = sum_magnitudes(rows.gradients, rows.hessians, start, stop)
    state.sums[task, 0], state.sums[task, 1] = g, h
    for i in range(start, stop):
        rows.order[i] = i


@kernel
def move_chunk(state, task):
    """Part the rows of one chunk of the parent; or put them back, parted."""
    job, rows, nodes = state.job, state.rows, state.table.nodes
    parent, left = nodes[job[PARENT]], nodes[job[LEFT]]
    origin = parent["start"]
    start = origin + task * CHUNK
    stop = min(start + CHUNK, parent["stop"])
    if job[KIND] == PART:
        codes = rows.codes[parent["feature"]]
        goes_left = state.table.goes_left[job[PARENT]]
        state.parts[task] = part_chunk(
            codes, goes_left, rows.order[start:stop], rows.spare[start:stop]
        )
        return
    n_left, before = state.parts[task], np.int64(0)
    for c in range(task):
        before += state.parts[c]
    at = origin + before
    to = gathered_rows(state, at, at + n_left, job[LEFT])
    place_left(
        rows.spare[start : start + n_left], rows.order[at : at + n_left], rows.statistics, to
    )
    at, n_right = left["stop"] + (task * CHUNK - before), stop - start - n_left
    to = gathered_rows(state, at, at + n_right, job[RIGHT])
    place_right(
        rows.spare[start + n_left : stop], rows.order[at : at + n_right], rows.statistics, to
    )


@kernel
def gathered_rows(state, start, stop, child):
    """Return the place for the statistics of some rows of a child; empty if it needs none."""
    job, gathered = state.job, state.rows.gathered
    if job[SEARCH_LEFT] + job[SEARCH_RIGHT] == 0 or (job[SUBTRACT] and child != job[SMALL]):
        return gathered[:0]
    k = len(state.rows.statistics) // len(state.rows.order)
    return gathered[start * k : stop * k]


@kernel
def fill_block(state, block):
    """Make the histograms of both children for 8 features; of the root, if it has no parent."""
    job, rows, table = state.job, state.rows, state.table
    if not block_allowed(state, block):
        return
    size = table.pool.shape[1] // len(rows.words)
    small = table.pool[table.nodes[job[SMALL]]["slot"], block * size : (block + 1) * size]
    small[:] = 0
    if job[PARENT] < 0:
        add_all_rows(rows.words[block], rows.statistics, small)
        return
    add_node(state, block, job[SMALL], small)
    large = table.pool[table.nodes[job[LARGE]]["slot"], block * size : (block + 1) * size]
    if job[SUBTRACT]:
        subtract(large, small)
    else:
        large[:] = 0
        add_node(state, block, job[LARGE], large)


@kernel
def add_node(state, block, i, histogram):
    """Add the rows of node i, whose statistics are gathered, to the histograms of 8 features."""
    rows = state.rows
    start, stop = state.table.nodes[i]["start"], state.table.nodes[i]["stop"]
    k = len(rows.statistics) // len(rows.order)
    gathered = rows.gathered[start * k : stop * k]
    add_rows(rows.words[block], rows.order[start:stop], gathered, histogram)


@kernel
def block_allowed(state, block):
    """Return whether any of the 8 features may come to a split below these nodes."""
    sets, active = state.sets, state.table.active[state.job[LEFT]]
    if len(sets) == 0:
        return True
    for f in range(block * WIDTH, min((block + 1) * WIDTH, sets.shape[1])):
        for s in range(len(sets)):
            if active[s] and sets[s, f]:
                return True
    return False


@kernel
def search_block(state, block):
    """Find the best split of each of 8 features, for the children that are searched."""
    job, table, found = state.job, state.table, state.found
    scale = get_scale(state)
    size = table.pool.shape[1] // len(state.rows.words)
    for side in range(2):
        if not job[SEARCH_LEFT + side]:
            continue
        node = table.nodes[job[LEFT + side]]
        histogram = table.pool[node["slot"], block * size : (block + 1) * size]
        total = unpack(node["packed"], node["hessian"], scale)[2]
        worth = total * node["value"]
        about = (worth, node["lower"], node["upper"])
        for f in range(block * WIDTH, min((block + 1) * WIDTH, found.gain.shape[1])):
            if found.allowed[side, f]:
                gain, goes_left = search_feature(
                    histogram, f, state.features, about, scale, state.rules
                )
                found.gain[side, f] = gain
                for b in range(BINS):
                    found.goes_left[side, f, b] = goes_left[b]


@kernel
def number_rows(state, task):
    """Write the numbers of some leaves at their rows; `waiting` is by now the list of leaves."""
    job = state.job
    for leaf in range(task, job[N_LEAVES], MANY):
        node = state.table.nodes[state.table.waiting[leaf]]
        for i in range(node["start"], node["stop"]):
            state.leaf_of_row[state.rows.order[i]] = node["number"]
