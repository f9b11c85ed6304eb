"""A heap of the nodes that may be split, the one that gains most on top.

Ties fall as in the C++ library that scikit-learn uses: the hole that the top leaves sinks to the
bottom, to the right where both sides are equal, and the last element rises from there.

Reference   J. Williams, Algorithm 232: heapsort, Communications of the ACM, 1964.
"""

import numpy as np

from skcourse.core.kernel import kernel
from skcourse.tree.workspace import N_FRONTIER, TASK_GAIN


@kernel
def copy_task(source, i, target, j):
    """Copy a row of Tasks to another one."""
    for k in range(source.ints.shape[1]):
        target.ints[j, k] = source.ints[i, k]
    for k in range(source.floats.shape[1]):
        target.floats[j, k] = source.floats[i, k]


@kernel
def push(frontier, counts, current):
    """Add the node at work to the heap."""
    counts[N_FRONTIER] += 1
    rise(frontier, counts[N_FRONTIER] - 1, current, np.int64(0))


@kernel
def pop(frontier, counts, current):
    """Take the node with the largest gain from the heap, and put it to work."""
    hole, only = np.int64(0), np.int64(0)  # typed, as all numbers of rows: one kernel copies all
    copy_task(frontier, hole, current, only)
    counts[N_FRONTIER] -= 1
    n = counts[N_FRONTIER]
    while 2 * hole + 1 < n:
        child = 2 * hole + 2
        if child >= n or frontier.floats[child, TASK_GAIN] < frontier.floats[child - 1, TASK_GAIN]:
            child -= 1
        copy_task(frontier, child, frontier, hole)
        hole = child
    if n:
        last = np.int64(frontier.ints.shape[0] - 1)  # a spare row: there is always room
        copy_task(frontier, n, frontier, last)
        rise(frontier, hole, frontier, last)


@kernel
def rise(frontier, hole, source, i):
    """Move the hole up to where task i of `source` belongs, and fill it."""
    while hole > 0:
        above = (hole - 1) // 2
        if not frontier.floats[above, TASK_GAIN] < source.floats[i, TASK_GAIN]:
            break
        copy_task(frontier, above, frontier, hole)
        hole = above
    copy_task(source, i, frontier, hole)
