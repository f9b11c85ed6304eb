"""The best cut of one feature of a plain node, whose rows are sorted, or at a random threshold.

Problem     As in `search_classes` and `search_numbers`, without missing values and constraints.
Idea        Where the weights of all classes fit side by side into one int64, a row is moved to the
            left side by one addition: no sum is waited for to come back from memory.
Cost        One read per row; a division only near the best cut so far.
"""

from typing import NamedTuple

import numpy as np

from skcourse.core.kernel import kernel
from skcourse.tree.columns import key_up_to, value_of
from skcourse.tree.draws import between
from skcourse.tree.search_classes import CLASS_MASK, NEAR, gini_merit
from skcourse.tree.search_numbers import means_merit
from skcourse.tree.search_ordered import middle
from skcourse.tree.statistics import CLASS_BITS

WORD = 63  # bits of an int64 that count
# the best cut: floats and ints
MERIT, THRESHOLD = range(2)
N_INTS = 6
FEATURE, PLACE, ROW, AFTER, STATE, N_CONSTANTS = range(N_INTS)  # rows on both sides of the cut
LEFT_NOW, NODE, LEFT_BEST = range(3)  # rows of the tally


class Best(NamedTuple):
    """The best cut so far."""

    floats: np.ndarray  # float64 (2,)
    ints: np.ndarray  # int64 (N_INTS,); it also keeps the state of the draws


@kernel(counted=False, inlined=True)
def differ(ground, f, start, desk, k):
    """Tell whether the values number k and l of the sorted rows differ."""
    i, j = desk.order[k[0]], desk.order[k[1]]
    if desk.keys[i] & np.uint32(1) == 0:
        return True
    column = f * ground.places.shape[0]
    low, high = ground.members[np.uintp(start + i)], ground.members[np.uintp(start + j)]
    return ground.values[column + low] != ground.values[column + high]


@kernel(counted=False, inlined=True)
def keep(best, f, merit, ground, start, desk, k):
    """Note the cut behind number k of the sorted rows; its threshold is found in the end."""
    i, j = desk.order[k], desk.order[k + 1]
    best.floats[MERIT] = merit
    best.ints[FEATURE], best.ints[PLACE] = f, desk.keys[i]
    best.ints[ROW], best.ints[AFTER] = (
        ground.members[np.uintp(start + i)],
        ground.members[np.uintp(start + j)],
    )


@kernel(counted=False, inlined=True)
def bits_for(weight, n_classes):
    """Return how many bits of one word count a class of a node; 0 if they are too few."""
    bits = WORD // n_classes
    return bits if weight >> bits == 0 else 0


@kernel(counted=False, inlined=True)
def lay_out_classes(ground, classes, node, desk):
    """Put the marks of the rows on the desk; the words too, if thresholds are random."""
    start, m, with_words = node[0], node[1] - node[0], desk.words.shape[0] > 0
    bits = bits_for(np.int64(node[3]), classes.tally.shape[1])
    for i in range(m):
        mark = classes.marks[ground.members[np.uintp(start + i)]]
        desk.marks[i] = mark
        if with_words:
            desk.words[i] = np.int64(mark >> CLASS_BITS) << ((mark & CLASS_MASK) * bits)


@kernel(counted=False, inlined=True)
def scan_classes(ground, f, node, rules, desk, best, tally):
    """Try all cuts of the sorted rows by Gini's impurity; `node` as in `look`."""
    start, m, w_all = node[0], node[1] - node[0], np.int64(node[3])
    order, marks, n_classes = desk.order, desk.marks, tally.shape[1]
    begin, merit = rules.min_samples_leaf - 1, best.floats[MERIT]
    stop = m - max(rules.min_samples_leaf, 1) if merit < 0.0 else 0  # nothing beats pure sides
    bits, slack, word, whole = bits_for(w_all, n_classes), w_all * NEAR, np.int64(0), np.int64(0)
    low, packed = (np.int64(1) << bits) - 1, bits > 0
    for c in range(n_classes):
        tally[LEFT_NOW, c] = 0
        whole |= tally[NODE, c] << (c * bits) if packed else 0
    a, b, w, bar = np.int64(0), np.int64(node[4]), np.int64(0), merit + w_all - slack
    for k in range(stop):
        mark = marks[order[k]]
        c, v = np.int64(mark & CLASS_MASK), np.int64(mark >> CLASS_BITS)
        if packed:
            shift = c * bits
            s, t = (word >> shift) & low, (whole >> shift) & low
            word += v << shift
        else:
            s, t = tally[LEFT_NOW, c], tally[NODE, c]
            tally[LEFT_NOW, c] = s + v
        a += v * (2 * s + v)
        b -= v * (2 * (t - s) - v)
        w += v
        left, right = np.float64(w), np.float64(w_all - w)
        worth, scale = a * right + b * left, left * right  # the gain is their ratio
        if worth > bar * scale and k >= begin:
            found = gini_merit(a, b, left, right)
            if (
                found > merit
                and min(left, right) >= rules.min_weight_leaf
                and differ(ground, f, start, desk, (k, k + 1))
            ):
                merit, bar = found, worth / scale - slack
                keep(best, f, merit, ground, start, desk, k)
                for j in range(n_classes):
                    one = (word >> (j * bits)) & low
                    tally[LEFT_BEST, j] = one if packed else tally[LEFT_NOW, j]


@kernel(counted=False, inlined=True)
def scan_numbers(ground, f, node, rules, desk, best):
    """Try all cuts of the sorted rows by the squared error; `node` as in `look`."""
    start, m, w_all, s_all = node[0], node[1] - node[0], node[3], node[4]
    order, products, weights = desk.order, desk.products, desk.weights
    begin, merit, s, w = rules.min_samples_leaf - 1, best.floats[MERIT], 0.0, 0.0
    bar = merit - NEAR * abs(merit)
    for k in range(m - max(rules.min_samples_leaf, 1)):
        i = order[k]
        s += products[i]
        w += weights[i]
        rest, right = s_all - s, w_all - w
        worth = s * s * right + rest * rest * w  # the gain is worth / (w right)
        if worth > bar * (w * right) and k >= begin:
            found = means_merit(s, rest, w, right)
            if (
                found > merit
                and min(w, right) >= rules.min_weight_leaf
                and differ(ground, f, start, desk, (k, k + 1))
            ):
                merit, bar = found, found - NEAR * abs(found)
                keep(best, f, merit, ground, start, desk, k)


@kernel(counted=False, inlined=True)
def find_threshold(ground, best):
    """Write the threshold between the two rows of the best cut."""
    column = best.ints[FEATURE] * ground.places.shape[0]
    low, high = ground.values[column + best.ints[ROW]], ground.values[column + best.ints[AFTER]]
    best.floats[THRESHOLD] = middle(low, high)


@kernel(counted=False, inlined=True)
def count_left(cut, m, desk, tally, bits):
    """Count the rows and the weights of the classes up to the key `cut`; return how many rows.

    Where `bits` is 0, the classes do not fit into one word.
    """
    keys, words, marks, n_left, word = desk.keys, desk.words, desk.marks, 0, np.int64(0)
    for c in range(tally.shape[1]):
        tally[LEFT_NOW, c] = 0
    if bits == 0:
        for i in range(m):
            inside = np.int64(keys[i] <= cut)
            tally[LEFT_NOW, marks[i] & CLASS_MASK] += inside * np.int64(marks[i] >> CLASS_BITS)
            n_left += inside
        return n_left
    for i in range(m):
        n_left += np.int64(keys[i] <= cut)
        word += words[i] if keys[i] <= cut else np.int64(0)
    for c in range(tally.shape[1]):
        tally[LEFT_NOW, c] = (word >> (c * bits)) & ((np.int64(1) << bits) - 1)
    return n_left


@kernel(counted=False, inlined=True)
def sum_left(cut, m, desk):
    """Sum the numbers of the rows up to the key `cut`; return how many rows, W and S."""
    keys, products, weights = desk.keys, desk.products, desk.weights
    n_left, w_left, s_left = 0, 0.0, 0.0
    for i in range(m):
        n_left += np.int64(keys[i] <= cut)
        w_left += weights[i] if keys[i] <= cut else 0.0
        s_left += products[i] if keys[i] <= cut else 0.0
    return n_left, w_left, s_left


@kernel(counted=False, inlined=True)
def judge_counts(tally, weight):
    """Return the merit of the cut whose left side was counted, and the weight of that side."""
    a, b, w = np.int64(0), np.int64(0), np.int64(0)
    for c in range(tally.shape[1]):
        s = tally[LEFT_NOW, c]
        a += s * s
        b += (tally[NODE, c] - s) ** 2
        w += s
    w_left = np.float64(w)
    return gini_merit(a, b, w_left, weight - w_left), w_left


@kernel(counted=False, inlined=True)
def try_threshold(drawn, node, rules, desk, best, numbers, classes):
    """Try the cut of a feature at a random threshold between its least and its largest value.

    The keys of the values are on the desk; `drawn` is (f, least key, largest key, state), the rest
    as in `look`.
    """
    m, weight, total = node[1] - node[0], node[3], node[4]
    low, high = np.float64(value_of(drawn[1])), np.float64(value_of(drawn[2]))
    threshold = between(drawn[3], low, high)
    threshold = low if threshold == high else threshold
    cut, n_left, w_left, merit = key_up_to(threshold), 0, 0.0, -np.inf
    if numbers is not None:
        n_left, w_left, s_left = sum_left(cut, m, desk)
        merit = means_merit(s_left, total - s_left, w_left, weight - w_left)
    if classes is not None:
        bits = bits_for(np.int64(weight), classes.tally.shape[1])
        n_left = count_left(cut, m, desk, classes.tally, bits)
        merit, w_left = judge_counts(classes.tally, weight)
    if (
        min(n_left, m - n_left) >= rules.min_samples_leaf
        and min(w_left, weight - w_left) >= rules.min_weight_leaf
        and merit > best.floats[MERIT]
    ):
        best.floats[MERIT], best.floats[THRESHOLD] = merit, threshold
        best.ints[FEATURE], best.ints[PLACE] = drawn[0], cut
        if classes is not None:
            for c in range(classes.tally.shape[1]):
                classes.tally[LEFT_BEST, c] = classes.tally[LEFT_NOW, c]
