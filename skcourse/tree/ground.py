"""Some rows in the order of every feature: the ground that nodes of a tree look for cuts on.

Problem     A node has m of n rows, in no order; it needs them in the order of a feature.
Idea        All rows were sorted once. The place of a row in that order is a number from 0 to n - 1,
            and to sort m such numbers, set m bits of n and read the bits that are set, in order: 64
            numbers a word, and a second layer of bits tells which words to look at.
Small       A node of few rows, and all nodes below it, lie far apart in the arrays of all rows.
            They get a ground of their own: the same arrays of these rows alone, in cache.
Cost        O(m + n / 4096) to sort m of n rows; O(m d) for a ground.
"""

from typing import NamedTuple

import numpy as np

from skcourse.core.bits import lowest_bit
from skcourse.core.kernel import kernel

FEW = 8  # rows that are sorted by insertion
SMALL = 512  # rows of a node that gets a ground of its own


class Ground(NamedTuple):
    """Rows 0 .. size - 1, and what is summed of each."""

    places: np.ndarray  # int32 (d, size), the place of a row in the order of a feature
    rows: np.ndarray  # int32 (d, size), the row at a place
    ranks: np.ndarray  # int32 (d, size), of the value at a place; equal values share a rank
    marks: np.ndarray  # int32 (size,), class and weight as in `Statistics`; (0,) for numbers
    products: np.ndarray  # float64 (size,), w y as in `Statistics`; (0,) for classes
    weights: np.ndarray  # float64 (size,)
    ids: np.ndarray  # int32 (size,), the row in X
    bits: np.ndarray  # uint64, a bit per place, 0 between calls
    summary: np.ndarray  # uint64, a bit per word of `bits`


def empty_ground(d, size, *, numbers):
    """Return a ground without rows, with room for `size` of them."""
    table = [np.empty((d, size), np.int32) for _ in range(3)]
    marks, products = np.empty(0 if numbers else size, np.int32), np.empty(size if numbers else 0)
    ids, words = np.empty(size, np.int32), -(-size // 64)
    return Ground(
        *table,
        marks,
        products,
        np.empty(size),
        ids,
        np.zeros(words, np.uint64),
        np.zeros(-(-words // 64), np.uint64),
    )


@kernel
def sort_places(places, f, members, span, layers, line):
    """Write the places of some rows in the order of feature f to `line`, ascending.

    Parameters
    ----------
    places : int32 (d, size)
    f : int
    members : int32 array, rows
    span : (start, end), of the members
    layers : (bits, summary) of the ground
    line : int32 array, overwritten up to end - start
    """
    start, end = span
    m = end - start
    if m == places.shape[1]:
        for i in range(m):
            line[i] = i
        return
    if m <= FEW:
        for i in range(m):
            p, j = places[f, members[start + i]], i
            while j > 0 and line[j - 1] > p:
                line[j] = line[j - 1]
                j -= 1
            line[j] = p
        return
    bits, summary = layers
    one, low = np.uint64(1), np.uint64(63)
    for i in range(start, end):
        p = np.uint64(places[f, members[i]])
        word = p >> np.uint64(6)
        bits[word] |= one << (p & low)
        summary[word >> np.uint64(6)] |= one << (word & low)
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
                line[k] = 64 * word + lowest_bit(left)
                left &= left - one
                k += 1


@kernel
def settle(ground, members, span, line, local, number_of):
    """Give the members of a node a ground of their own.

    Parameters
    ----------
    ground : Ground, of all rows
    members : int32 array, rows of `ground`
    span : (start, end), at most SMALL members
    line : int32 array, scratch
    local : Ground, overwritten; its row i is members[start + i]
    number_of : int32 array, scratch with an entry per row of `ground`
    """
    start, end = span
    m = end - start
    rows, ranks, layers = ground.rows, ground.ranks, (ground.bits, ground.summary)
    for i in range(m):
        row = members[start + i]
        number_of[row] = i
        local.ids[i] = ground.ids[row]
        local.weights[i] = ground.weights[row]
        if local.marks.shape[0]:
            local.marks[i] = ground.marks[row]
        else:
            local.products[i] = ground.products[row]
    for f in range(rows.shape[0]):
        sort_places(ground.places, f, members, span, layers, line)
        for k in range(m):
            p = line[k]
            own = number_of[rows[f, p]]
            local.places[f, own], local.rows[f, k], local.ranks[f, k] = k, own, ranks[f, p]
