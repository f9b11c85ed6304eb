"""Some rows in the order of a feature, when all rows were sorted once.

Problem     A node has m of n rows, in no order; it needs them in the order of a feature.
Idea        The place of a row in the order of all is a number from 0 to n - 1. To sort m such
            numbers, set m bits of n and read the bits that are set, in order: 64 numbers a word,
            and a second layer of bits tells which words to look at. Few rows are sorted by
            insertion.
Memory      What a node reads of a row, its places and its values, lies side by side, since a node
            of few rows reads all of it.
Cost        O(m + n / 4096).
"""

from typing import NamedTuple

import numpy as np

from skcourse.core.bits import lowest_bit
from skcourse.core.kernel import kernel

FEW = 16  # rows that are sorted by insertion


class Ground(NamedTuple):
    """All rows, and what is summed of each."""

    places: np.ndarray  # int32 (n, d), the place of a row in the order of a feature
    orders: np.ndarray  # int32 (d, n), the row at a place
    marks: np.ndarray  # int32 (n,), class and weight as in `Statistics`; (0,) for numbers
    products: np.ndarray  # float64 (n,), w y as in `Statistics`; (0,) for classes
    weights: np.ndarray  # float64 (n,)
    row_at: np.ndarray  # int32 (n,), scratch
    bits: np.ndarray  # uint64, a bit per place, 0 between calls
    summary: np.ndarray  # uint64, a bit per word of `bits`


class Table(NamedTuple):
    """The values of X, where they lie."""

    flat: np.ndarray  # float32, the value of row i and feature f is flat[a i + b f]
    steps: tuple  # (a, b)


@kernel(counted=False)
def mark_places(ground, f, members, span):
    """Set the bits of the places of some rows in the order of feature f; note who is there."""
    places, bits, summary, row_at = ground.places, ground.bits, ground.summary, ground.row_at
    one, low = np.uint64(1), np.uint64(63)
    for i in range(span[0], span[1]):
        p = np.uint64(places[members[i], f])
        word = p >> np.uint64(6)
        bits[word] |= one << (p & low)
        summary[word >> np.uint64(6)] |= one << (word & low)
        row_at[p] = members[i]


@kernel(counted=False)
def sort_members(ground, table, f, members, span, rows, keys):
    """Write some rows in the order of feature f, and their values.

    Parameters
    ----------
    ground : Ground
    table : Table
    f : int
    members : int32 array, rows
    span : (start, end), of the members
    rows, keys : int32 and float32 arrays, overwritten up to end - start
    """
    bits, summary, row_at, m = ground.bits, ground.summary, ground.row_at, span[1] - span[0]
    flat, step, first, one = table.flat, table.steps[0], table.steps[1] * f, np.uint64(1)
    if m == row_at.shape[0]:
        for i in range(m):
            rows[i] = ground.orders[f, i]
            keys[i] = flat[first + step * rows[i]]
        return
    mark_places(ground, f, members, span)
    k = 0
    for s in range(summary.shape[0]):
        above = summary[s]
        summary[s] = 0
        while above != 0:
            word = 64 * s + lowest_bit(above)
            above &= above - one
            left = bits[word]
            bits[word] = 0
            while left != 0:
                row = row_at[64 * word + lowest_bit(left)]
                rows[k], keys[k] = row, flat[first + step * row]
                left &= left - one
                k += 1


@kernel(counted=False)
def sort_few(table, f, members, span, rows, keys):
    """Do as `sort_members` for few rows, by insertion."""
    flat, step, first, start = table.flat, table.steps[0], table.steps[1] * f, span[0]
    for i in range(span[1] - start):
        row = members[start + i]
        x, j = flat[first + step * row], i
        while j > 0 and keys[j - 1] > x:
            keys[j], rows[j] = keys[j - 1], rows[j - 1]
            j -= 1
        keys[j], rows[j] = x, row


@kernel
def place_rows(orders, places):
    """Write the place of each row in the orders of all features."""
    for f in range(orders.shape[0]):
        for p in range(orders.shape[1]):
            places[orders[f, p], f] = p
