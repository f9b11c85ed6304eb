"""The rows of a node go to its children, each child's in ascending order.

The rows of a node are a stretch of one list. The stretch is cut into chunks, which several threads
may take. A chunk first writes its rows beside the list: those that go left from its beginning,
those that go right from its end, without a branch that a processor could guess wrong. When all
chunks are done, their numbers of rows on the left say where each of them puts its rows back.

Cost        Two moves of 4 bytes per row, and one of its statistics for the child that needs them.
"""

import numpy as np

from skcourse.core.kernel import kernel
from skcourse.core.prefetch import prefetch
from skcourse.tree.histograms import AHEAD

CHUNK = 8192  # rows


@kernel
def part_chunk(codes, goes_left, rows, spare):
    """Write the rows that go left to the front of `spare`, the others to its end, backwards.

    Parameters
    ----------
    codes : uint8 (n,), of the feature that splits
    goes_left : uint8 (256,), 1 for the codes that go left
    rows, spare : int32 (m,)

    Returns
    -------
    n_left : int
    """
    left, right, last = 0, len(rows) - 1, len(rows) - 1
    for i in range(len(rows)):
        prefetch(codes, rows[min(i + AHEAD, last)])
        row = rows[i]
        turn = np.int64(goes_left[codes[row]])
        spare[left] = row
        spare[right] = row
        left += turn
        right -= 1 - turn
    return left


@kernel
def place_left(spare, rows, statistics, gathered):
    """Put back what went left; gather the statistics of these rows if there is room for them.

    Parameters
    ----------
    spare : int32 (m,), the rows, in order
    rows : int32 (m,), overwritten
    statistics : int64 (n k,)
    gathered : int64 (m k,), overwritten, or empty
    """
    for i in range(len(rows)):
        rows[i] = spare[i]
    gather(rows, statistics, gathered)


@kernel
def place_right(spare, rows, statistics, gathered):
    """Put back what went right, which stands backwards in `spare`; as `place_left`."""
    last = len(rows) - 1
    for i in range(len(rows)):
        rows[i] = spare[last - i]
    gather(rows, statistics, gathered)


@kernel
def gather(rows, statistics, gathered):
    """Write the statistics of `rows` one after the other, if there is room for them."""
    last = len(rows) - 1
    if len(gathered) == len(rows):
        for i in range(len(rows)):
            prefetch(statistics, rows[min(i + AHEAD, last)])
            gathered[i] = statistics[rows[i]]
    elif len(gathered):
        for i in range(len(rows)):
            prefetch(statistics, 2 * rows[min(i + AHEAD, last)])
            gathered[2 * i] = statistics[2 * rows[i]]
            gathered[2 * i + 1] = statistics[2 * rows[i] + 1]
