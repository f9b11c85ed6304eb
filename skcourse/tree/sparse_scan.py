"""The best cut of one feature of a sparse plain node, or a random one, from what is not 0.

Problem     As in `plain_scan`; but of the m values of a node only k are stored, the others are 0.
Idea        Zeros are one value: no cut goes through them. Cuts among the negative values come from
            the left, cuts among the positive ones from the right. On the way from either end, only
            the side behind is summed; the other one is what is left of the node. So the zeros are
            never counted, though they are most of the rows.
Cost        O(k), whatever m is.

Merits are those of `plain_scan`, and so is which of two equal cuts wins: the first from the left.
"""

from typing import NamedTuple

import numpy as np

from skcourse.core.kernel import kernel
from skcourse.tree.draws import between
from skcourse.tree.plain_scan import LEFT_BEST, LEFT_NOW, MERIT, NODE, THRESHOLD
from skcourse.tree.search_classes import CLASS_MASK, NEAR, gini_merit
from skcourse.tree.search_numbers import means_merit
from skcourse.tree.search_ordered import middle
from skcourse.tree.statistics import CLASS_BITS

SIDE_NOW = LEFT_NOW  # row of the tally: the side behind
N_FLOATS = 3
CUT = 2  # after MERIT and THRESHOLD: what goes left is not more than that
N_INTS = 4
FEATURE, STATE, N_CONSTANTS, STAMP = range(N_INTS)
ZERO = np.float32(0)


class SparseDesk(NamedTuple):
    """What a tree works with, and the best cut of the node at work."""

    position: np.ndarray  # int32 (n,), of a row among the members; -1 if it is not there
    rows: np.ndarray  # int32 (m + 1,), of the node, whose value is not 0, in order of the values
    values: np.ndarray  # float32 (m + 1,)
    keys: np.ndarray  # uint32 (m + 1,), to sort
    spare: np.ndarray  # uint32 (m,), those on the right of a cut
    sides: np.ndarray  # uint8 (m,), 1 for the left
    stamps: np.ndarray  # int32 (d,), STAMP where a row of the node has the feature
    features: np.ndarray  # int32 (d,), to draw from: a permutation, the constant ones first
    constants: np.ndarray  # int32 (d,), the constant ones on the way from the root
    drawn: np.ndarray  # int32 (d,), which of these were drawn, one after the other
    floats: np.ndarray  # float64 (N_FLOATS,)
    ints: np.ndarray  # int64 (N_INTS,)


def new_sparse_desk(n, members, d):
    """Return a desk for some of `n` rows."""
    m, position = len(members), np.full(n, -1, np.int32)
    position[members] = np.arange(m)
    return SparseDesk(
        position,
        np.empty(m + 1, np.int32),
        np.empty(m + 1, np.float32),
        np.empty(m + 1, np.uint32),
        np.empty(m, np.uint32),
        np.empty(m, np.uint8),
        np.zeros(d, np.int32),
        np.arange(d, dtype=np.int32),
        np.zeros(d, np.int32),
        np.empty(d, np.int32),
        np.zeros(N_FLOATS),
        np.zeros(N_INTS, np.int64),
    )


@kernel(counted=False, inlined=True)
def count_negative(desk, k):
    """Return how many of the k stored values are below 0."""
    low, high = 0, k
    while low < high:
        half = (low + high) // 2
        if desk.values[half] < ZERO:
            low = half + 1
        else:
            high = half
    return low


@kernel(counted=False, inlined=True)
def neighbour(desk, j, stop, n_found):
    """Return the value that follows the entry before j: zero, or of the other sign, at `stop`.

    n_found : (k, m), how many values of the node are not 0, and how many there are
    """
    k, m = n_found
    if j == stop and k < m:
        return ZERO
    return desk.values[min(max(j, 0), k - 1)]


@kernel(counted=False, inlined=True)
def keep_cut(desk, merit, f, x, y, step):
    """Note the cut between x and y, where y is the next value in the direction of `step`."""
    low, high = (x, y) if step > 0 else (y, x)
    desk.floats[MERIT], desk.floats[CUT] = merit, low
    desk.floats[THRESHOLD], desk.ints[FEATURE] = middle(low, high), f


@kernel(counted=False, inlined=True)
def scan_classes(classes, f, node, rules, desk, way, k):
    """Try the cuts on one way by Gini's impurity.

    Parameters
    ----------
    node : as in `plain_search.look`
    way : (first, stop, step) over the k entries, from an end
    """
    (first, stop, step), tally, marks = way, classes.tally, classes.marks
    m, w_all, leaf = node[1] - node[0], np.int64(node[3]), max(rules.min_samples_leaf, 1)
    before = desk.floats[MERIT]  # of other features, and of the other way: they came first
    merit, slack = before, w_all * NEAR
    for c in range(tally.shape[1]):
        tally[SIDE_NOW, c] = 0
    a, b, w, bar = np.int64(0), np.int64(node[4]), np.int64(0), merit + w_all - slack
    j, n_behind = first, 0
    while j != stop:
        x, mark = desk.values[j], marks[desk.rows[j]]
        c, v = np.int64(mark & CLASS_MASK), np.int64(mark >> CLASS_BITS)
        s, t = tally[SIDE_NOW, c], tally[NODE, c]
        tally[SIDE_NOW, c] = s + v
        a += v * (2 * s + v)
        b -= v * (2 * (t - s) - v)
        w += v
        j += step
        n_behind += 1
        behind, ahead = np.float64(w), np.float64(w_all - w)
        worth, scale = a * ahead + b * behind, behind * ahead
        if not (worth > bar * scale and min(n_behind, m - n_behind) >= leaf):
            continue
        y = neighbour(desk, j, stop, (k, m))
        if x == y or min(behind, ahead) < rules.min_weight_leaf:
            continue
        left_first = step > 0
        if left_first:
            found = gini_merit(a, b, behind, ahead)
        else:
            found = gini_merit(b, a, ahead, behind)
        if found > before and (found > merit or (found == merit and not left_first)):
            merit, bar = found, worth / scale - slack
            keep_cut(desk, merit, f, x, y, step)
            for i in range(tally.shape[1]):
                side = tally[SIDE_NOW, i]
                tally[LEFT_BEST, i] = side if left_first else tally[NODE, i] - side


@kernel(counted=False, inlined=True)
def scan_numbers(numbers, f, node, rules, desk, way, k):
    """Try the cuts on one way by the squared error; parameters as in `scan_classes`."""
    first, stop, step = way
    m, w_all, s_all, leaf = node[1] - node[0], node[3], node[4], max(rules.min_samples_leaf, 1)
    before = desk.floats[MERIT]
    merit, s, w, j, n_behind = before, 0.0, 0.0, first, 0
    while j != stop:
        x, row = desk.values[j], desk.rows[j]
        s += numbers.products[row]
        w += numbers.weights[row]
        j += step
        n_behind += 1
        if min(n_behind, m - n_behind) < leaf:
            continue
        y, rest, ahead = neighbour(desk, j, stop, (k, m)), s_all - s, w_all - w
        if x == y or min(w, ahead) < rules.min_weight_leaf:
            continue
        if step > 0:
            found = means_merit(s, rest, w, ahead)
        else:
            found = means_merit(rest, s, ahead, w)
        if found > before and (found > merit or (found == merit and step < 0)):
            merit = found
            keep_cut(desk, merit, f, x, y, step)


@kernel(counted=False, inlined=True)
def try_threshold(numbers, classes, f, node, rules, desk, k):
    """Try the cut of feature f at a random threshold, by the state of the draws on the desk."""
    m, w_all = node[1] - node[0], node[3]
    low, high = desk.values[0], desk.values[k - 1]
    if k < m:
        low, high = min(low, ZERO), max(high, ZERO)
    threshold = between(desk.ints[STATE], np.float64(low), np.float64(high))
    threshold = np.float64(low) if threshold == high else threshold
    zeros_left = threshold >= 0.0
    w, s, n_behind, w_behind, merit = 0.0, 0.0, 0, np.int64(0), -np.inf
    if classes is not None:
        for c in range(classes.tally.shape[1]):
            classes.tally[SIDE_NOW, c] = 0
    for j in range(k):
        if (desk.values[j] <= threshold) == zeros_left:
            continue
        row = desk.rows[j]
        n_behind += 1
        if numbers is not None:
            s += numbers.products[row]
            w += numbers.weights[row]
        if classes is not None:
            mark = classes.marks[row]
            classes.tally[SIDE_NOW, mark & CLASS_MASK] += np.int64(mark >> CLASS_BITS)
            w_behind += np.int64(mark >> CLASS_BITS)
    if numbers is not None:
        rest = node[4] - s
        if zeros_left:
            merit = means_merit(rest, s, w_all - w, w)
        else:
            merit = means_merit(s, rest, w, w_all - w)
    if classes is not None:
        w, merit = np.float64(w_behind), judge_side(classes.tally, w_all, zeros_left)
    if (
        min(n_behind, m - n_behind) >= rules.min_samples_leaf
        and min(w, w_all - w) >= rules.min_weight_leaf
        and merit > desk.floats[MERIT]
    ):
        desk.floats[MERIT], desk.floats[THRESHOLD] = merit, threshold
        desk.floats[CUT], desk.ints[FEATURE] = threshold, f
        if classes is not None:
            tally = classes.tally
            for c in range(tally.shape[1]):
                side = tally[SIDE_NOW, c]
                tally[LEFT_BEST, c] = tally[NODE, c] - side if zeros_left else side


@kernel(counted=False, inlined=True)
def judge_side(tally, w_all, on_right):
    """Return the merit of a cut, one side of which was counted."""
    a, b, w = np.int64(0), np.int64(0), np.int64(0)
    for c in range(tally.shape[1]):
        s = tally[SIDE_NOW, c]
        a += s * s
        b += (tally[NODE, c] - s) ** 2
        w += s
    behind = np.float64(w)
    if on_right:
        return gini_merit(b, a, w_all - behind, behind)
    return gini_merit(a, b, behind, w_all - behind)
