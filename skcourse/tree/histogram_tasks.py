"""The tasks of growing a tree that any thread may take: chunks of rows, blocks of 8 features."""

import numpy as np

from skcourse.core.kernel import kernel
from skcourse.tree.histogram_partition import CHUNK, part_chunk, place_left, place_right
from skcourse.tree.histogram_restrictions import is_block_allowed
from skcourse.tree.histogram_search import search_categories, search_numbers
from skcourse.tree.histogram_state import (
    GRID,
    KIND,
    LARGE,
    LEFT,
    MANY,
    PARENT,
    PART,
    RIGHT,
    SEARCH_LEFT,
    SEARCH_RIGHT,
    SMALL,
    SUBTRACT,
    WAITING,
    get_scale,
)
from skcourse.tree.histograms import (
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
        scale = get_scale(state.limits, state.chunks)
        to_grid(rows.gradients, rows.hessians, scale, start, stop, rows.statistics)
        return
    g, h = sum_magnitudes(rows.gradients, rows.hessians, start, stop)
    state.chunks[task, 0], state.chunks[task, 1] = g, h
    for i in range(start, stop):
        rows.order[i] = i


@kernel
def move_chunk(rows, table, chunks, job, task):
    """Part the rows of one chunk of the parent; or put them back, parted."""
    parent, left = table.nodes[job[PARENT]], table.nodes[job[LEFT]]
    origin, order, spare = parent["start"], rows.order, rows.spare
    start = origin + task * CHUNK
    stop = min(start + CHUNK, parent["stop"])
    if job[KIND] == PART:
        codes, goes_left = rows.codes[parent["feature"]], table.goes_left[job[PARENT]]
        chunks[task, 0] = part_chunk(codes, goes_left, order[start:stop], spare[start:stop])
        return
    n_left, before = np.int64(chunks[task, 0]), np.int64(0)
    for c in range(task):
        before += np.int64(chunks[c, 0])
    k = len(rows.statistics) // len(order)
    searched = job[SEARCH_LEFT] + job[SEARCH_RIGHT] > 0
    both = searched and job[SUBTRACT] == 0
    at = origin + before
    wanted = n_left * k if both or (searched and job[SMALL] == job[LEFT]) else 0
    to = rows.gathered[at * k : at * k + wanted]
    place_left(spare[start : start + n_left], order[at : at + n_left], rows.statistics, to)
    at, n_right = left["stop"] + (task * CHUNK - before), stop - start - n_left
    wanted = n_right * k if both or (searched and job[SMALL] == job[RIGHT]) else 0
    to = rows.gathered[at * k : at * k + wanted]
    place_right(spare[start + n_left : stop], order[at : at + n_right], rows.statistics, to)


@kernel
def fill_block(rows, table, job, block):
    """Make the histograms of both children for 8 features; of the root, if it has no parent."""
    size, words = table.pool.shape[1] // len(rows.words), rows.words[block]
    k = len(rows.statistics) // len(rows.order)
    small, large = table.nodes[job[SMALL]], table.nodes[job[LARGE]]
    for part in range(2):  # the smaller child, then the larger one
        node = large if part else small
        histogram = table.pool[node["slot"], block * size : (block + 1) * size]
        if part and job[SUBTRACT]:
            sibling = table.pool[small["slot"], block * size : (block + 1) * size]
            subtract(histogram, sibling)
            return
        for b in range(size):
            histogram[b] = 0
        if job[PARENT] < 0:
            add_all_rows(words, rows.statistics, histogram)
            return
        start, stop = node["start"], node["stop"]
        gathered = rows.gathered[start * k : stop * k]
        add_rows(words, rows.order[start:stop], gathered, histogram)


@kernel
def search_block(state, block):
    """Find the best split of each of 8 features, for the children that are searched."""
    job, table, gain = state.job, state.table, state.gain
    if not is_block_allowed(state.extras, job[LEFT], block):
        return
    fill_block(state.rows, table, job, block)
    scale = get_scale(state.limits, state.chunks)
    size = table.pool.shape[1] // len(state.rows.words)
    for side in range(2):
        if not job[SEARCH_LEFT + side]:
            continue
        node = table.nodes[job[LEFT + side]]
        histogram = table.pool[node["slot"], block * size : (block + 1) * size]
        _, _, total = unpack(node["packed"], node["hessian"], scale)
        about = (total * node["value"], node["lower"], node["upper"])
        for f in range(block * WIDTH, min((block + 1) * WIDTH, gain.shape[1])):
            if gain[side, f] == np.inf:
                feature, goes_left, rules = state.features[f], state.sides[side, f], state.rules
                if feature["is_categorical"]:
                    gain[side, f] = search_categories(
                        state.extras, histogram, f % WIDTH, feature, about, scale, rules, goes_left
                    )
                else:
                    scratch = state.scratch[block]
                    gain[side, f] = search_numbers(
                        histogram, f % WIDTH, feature, about, scale, rules, scratch, goes_left
                    )


@kernel
def number_rows(rows, table, leaf_of_row, n_leaves, task):
    """Write the numbers of some leaves at their rows; `lists` has by now a list of leaves."""
    for leaf in range(task, n_leaves, MANY):
        node = table.nodes[table.lists[WAITING, leaf]]
        for i in range(node["start"], node["stop"]):
            leaf_of_row[rows.order[i]] = node["number"]
