"""A heap of the nodes that may be split, the one that gains most on top.

Ties fall as in the C++ library that scikit-learn uses: the hole that the top leaves sinks to the
bottom, to the right where both sides are equal, and the last element rises from there.

Reference   J. Williams, Algorithm 232: heapsort, Communications of the ACM, 1964.
"""

from skcourse.core.kernel import kernel
from skcourse.tree.workspace import N_FRONTIER, TASK_GAIN


@kernel
def push(frontier, counts, task, numbers):
    """Add a node to the heap."""
    counts[N_FRONTIER] += 1
    rise(frontier, counts[N_FRONTIER] - 1, task, numbers)


@kernel
def pop(frontier, counts, task, numbers):
    """Take the node with the largest gain from the heap, and overwrite task and numbers with it."""
    task[:], numbers[:] = frontier.ints[0], frontier.floats[0]
    counts[N_FRONTIER] -= 1
    n, hole = counts[N_FRONTIER], 0
    gains = frontier.floats[:, TASK_GAIN]
    while 2 * hole + 1 < n:
        child = 2 * hole + 2
        if child >= n or gains[child] < gains[child - 1]:
            child -= 1
        frontier.ints[hole], frontier.floats[hole] = frontier.ints[child], frontier.floats[child]
        hole = child
    if n:
        rise(frontier, hole, frontier.ints[n].copy(), frontier.floats[n].copy())


@kernel
def rise(frontier, hole, task, numbers):
    """Move the hole up to where (`task`, `numbers`) belongs, and fill it."""
    while hole > 0:
        above = (hole - 1) // 2
        if not frontier.floats[above, TASK_GAIN] < numbers[TASK_GAIN]:
            break
        frontier.ints[hole], frontier.floats[hole] = frontier.ints[above], frontier.floats[above]
        hole = above
    frontier.ints[hole], frontier.floats[hole] = task, numbers
