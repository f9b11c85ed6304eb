"""Some rows in the order of a feature, when all rows were sorted once.

Problem     A node has m of n rows, in no order; it needs them in the order of a feature.
Idea        The place of a row in the order of all is a number from 0 to n - 1, and no two rows have
            the same. So a row comes behind as many others as have a smaller number:
                rank_i = #{j: p_j < p_i}                                                      (1)
            Few rows are counted as (1) says, m^2 comparisons that a processor makes many at a time.
            For many rows, set m bits of n, and count the bits before p_i: those of whole words are
            added up beforehand, and the others are counted by one instruction. Neither way takes a
            branch that could be guessed wrong. If the node has most of the rows, they are picked
            from the order of all.
            (An index cast to uintp is known not to be negative.)
Memory      What a node reads of a row, its places or its values, lies side by side, since a node
            of few rows reads all of it.
Cost        O(m^2) or O(m + n / 64).
Reference   G. Jacobson, Space-efficient static trees and graphs, FOCS 1989 (rank by counting bits).
"""

from typing import NamedTuple

import numpy as np

from skcourse.core.bits import count_bits
from skcourse.core.kernel import kernel

MOST = 3  # a node has most of the rows if it has one in three
FEW = 64  # rows for which (1) is sooner, however few the words


class Ground(NamedTuple):
    """All rows: where they are in X."""

    places: (
        np.ndarray
    )  # uint32 (n, d), see `place_rows`; the keys of the values if thresholds are random
    orders: np.ndarray  # int32 (d, n), the row at a place
    values: np.ndarray  # float32 (d n,), X by columns
    members: np.ndarray  # uint32 array, the rows that are there, divided as the tree grows


class Numbers(NamedTuple):
    """Targets that are numbers."""

    products: np.ndarray  # float64 (n,), w y as in `Statistics`
    y: np.ndarray  # float64 (n,)
    weights: np.ndarray  # float64 (n,)


class Classes(NamedTuple):
    """Targets that are classes, and the weights of the classes of the node at work."""

    marks: np.ndarray  # int32 (n,), class and weight as in `Statistics`
    tally: np.ndarray  # int64 (3, n_classes), see `plain_scan`


class Desk(NamedTuple):
    """The rows of the node at work: number i is members[np.uintp(start + i)]."""

    keys: np.ndarray  # uint32 (n + 1,), their places in the order of a feature, or their keys
    order: np.ndarray  # uint32 (n + 1,), their numbers in that order
    words: np.ndarray  # int64 (n,), the weight of their class, shifted to where it is counted
    marks: np.ndarray  # int32 (n,), as in `Classes`
    products: np.ndarray  # float64 (n,)
    weights: np.ndarray  # float64 (n,)
    bits: np.ndarray  # uint64, a bit per place, 0 between calls
    before: np.ndarray  # int32, how many bits are set in the words before
    spare: np.ndarray  # uint32 (n,), those on the right of a cut
    numbers: np.ndarray  # uint32, the number of a row; n if it has none, as all between calls
    features: np.ndarray  # int64 (d,), to draw from: a permutation, the constant ones first
    constants: np.ndarray  # int64 (d,), the constant ones on the way from the root
    floats: np.ndarray  # float64 (2,), the best cut so far, see `plain_scan.Best`
    ints: np.ndarray  # int64 (N_INTS,)


def new_desk(n, m, d, n_ints, *, random, numbers):
    """Return a desk for `m` of `n` rows; thresholds are `random` or not, targets `numbers`."""
    sorted_, words = (0, 0) if random else (m + 1, -(-n // 64))
    return Desk(
        np.empty(m + 1, np.uint32),
        np.empty(sorted_, np.uint32),
        np.empty(m if random and not numbers else 0, np.int64),
        np.empty(0 if numbers else m, np.int32),
        np.empty(m if numbers else 0),
        np.empty(m if numbers else 0),
        np.zeros(words, np.uint64),
        np.empty(words, np.int32),
        np.empty(m, np.uint32),
        np.full(0 if random else n, m, np.uint32),
        np.arange(d),
        np.zeros(d, np.int64),
        np.zeros(2),
        np.zeros(n_ints, np.int64),
    )


def second_desk(desk):
    """Return a desk for another thread, which sorts the rows of the same node."""
    return desk._replace(
        keys=np.empty_like(desk.keys),
        order=np.empty_like(desk.order),
        bits=np.zeros_like(desk.bits),
        before=np.empty_like(desk.before),
    )


@kernel(counted=False, inlined=True)
def has_most(desk, span):
    """Tell whether a node has so many of all rows that it picks them from the order of all."""
    return MOST * (span[1] - span[0]) > desk.numbers.shape[0]


@kernel(counted=False, inlined=True)
def lay_out_numbers(ground, numbers, span, desk):
    """Put what is summed of the rows of a node on the desk."""
    for i in range(span[1] - span[0]):
        row = ground.members[np.uintp(span[0] + i)]
        desk.products[i] = numbers.products[row]
        desk.weights[i] = numbers.weights[row]


@kernel(counted=False, inlined=True)
def give_numbers(members, span, desk):
    """Give the rows of a node their numbers, if it picks them from the order of all."""
    if has_most(desk, span):
        for i in range(span[1] - span[0]):
            desk.numbers[members[np.uintp(span[0] + i)]] = i


@kernel(counted=False, inlined=True)
def take_numbers(members, span, desk):
    """Take the numbers of the rows back."""
    if has_most(desk, span):
        for i in range(span[0], span[1]):
            desk.numbers[members[i]] = desk.spare.shape[0]


@kernel(counted=False, inlined=True)
def sort_rows(ground, f, span, desk):
    """Write the numbers of the rows in the order of feature f to `desk.order`."""
    places, members, keys, order = ground.places, ground.members, desk.keys, desk.order
    start, m, k = span[0], span[1] - span[0], 0
    if has_most(desk, span):
        numbers, orders = desk.numbers, ground.orders
        for p in range(orders.shape[1]):
            number = numbers[orders[f, p]]
            order[k] = number
            keys[number] = 2 * p + 1
            k += number < m
        return
    for i in range(m):
        keys[i] = places[members[np.uintp(start + i)], f]
    if m <= FEW or m * m < places.shape[0] // 6:
        for i in range(m):
            key, rank = keys[i], np.uint32(0)
            for j in range(m):
                rank = np.uint32(rank + np.uint32(keys[j] < key))  # (1), in 32 bits
            order[rank] = i
        return
    bits, before, one, low = desk.bits, desk.before, np.uint64(1), np.uint64(63)
    for i in range(m):
        p = np.uint64(keys[i] >> one)
        bits[p >> np.uint64(6)] |= one << (p & low)
    n_before = np.int32(0)
    for word in range(bits.shape[0]):
        before[word] = n_before
        n_before += np.int32(count_bits(bits[word]))
    for i in range(m):
        p = np.uint64(keys[i] >> one)
        word = p >> np.uint64(6)
        smaller = bits[word] & ((one << (p & low)) - one)
        order[before[word] + np.int32(count_bits(smaller))] = i
    for word in range(bits.shape[0]):
        bits[word] = 0


@kernel(counted=False)
def place_rows(orders, values, places):
    """Write the place of each row in the order of each feature, twice; + 1 if the next one ties.

    Where rows do not tie, whoever compares them need not look at their values.
    """
    n = orders.shape[1]
    for f in range(orders.shape[0]):
        for p in range(n):
            row, after = orders[f, p], orders[f, min(p + 1, n - 1)]
            ties = p + 1 < n and values[f, row] == values[f, after]
            places[row, f] = 2 * p + ties
