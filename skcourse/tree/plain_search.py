"""What a node of a plain tree looks at: it draws features, and finds the best cut of each.

The draws, and the merits that are compared, are those of `node_search`; here no value is missing,
no feature is of categories, and there is one output: classes with integer weights, by Gini's
impurity, or numbers, by the squared error.
"""

from typing import NamedTuple

import numpy as np

from skcourse.core.kernel import kernel
from skcourse.tree.draws import below, between, next_state
from skcourse.tree.ground import FEW, sort_few, sort_members
from skcourse.tree.search_classes import CLASS_MASK, NEAR, gini_merit
from skcourse.tree.search_numbers import means_merit
from skcourse.tree.search_ordered import middle
from skcourse.tree.statistics import CLASS_BITS

# what a search found: floats and ints
MERIT, THRESHOLD = range(2)
FEATURE, STATE, N_CONSTANTS = range(3)


class Plain(NamedTuple):
    """The rules of growth, as numbers."""

    random: bool
    numbers: bool  # not classes
    max_depth: int
    min_samples_split: int
    min_samples_leaf: int
    min_weight_leaf: float
    max_features: int
    min_impurity_decrease: float
    total_weight: float
    n_classes: int  # 1 for numbers


class Memory(NamedTuple):
    """What a search writes to."""

    features: np.ndarray  # int64 (d,), a permutation: the constant ones first
    constants: np.ndarray  # int64 (d,), the constant ones on the way from the root
    rows: np.ndarray  # int32 (n,), those of the node in the order of a feature
    keys: np.ndarray  # float32 (n,), and their values
    tally: np.ndarray  # int64 (2, n_classes), weights of the classes: on the left, in the node
    floats: np.ndarray  # float64 (2,), the best cut
    ints: np.ndarray  # int64 (3,), the best cut, and the state of the draws


@kernel(counted=False)
def look(ground, table, members, node, rules, memory):
    """Draw features and write the best of their cuts to `memory`; its merit is -inf if none is.

    Parameters
    ----------
    ground : Ground
    table : Table
    members : int32 array, rows
    node : (start, end, n_known, weight, total): its members, how many features are known to be
        constant, W, and S for numbers or the sum of squares of the weights of classes
    rules : Plain
    memory : Memory
    """
    start, end, n_known, weight, total = node
    features, constants, ints = memory.features, memory.constants, memory.ints
    rows, keys, span, m = memory.rows, memory.keys, (start, end), end - start
    memory.floats[MERIT], state = -np.inf, ints[STATE]
    n_left, n_constant, n_drawn_known, n_visited = features.shape[0], n_known, 0, 0
    while n_left > n_constant and (
        n_visited < rules.max_features or n_visited <= n_constant - n_known + n_drawn_known
    ):
        n_visited += 1
        state = next_state(state)
        j = below(state, n_drawn_known, n_left - (n_constant - n_known))
        if j < n_known:
            features[n_drawn_known], features[j] = features[j], features[n_drawn_known]
            n_drawn_known += 1
            continue
        j += n_constant - n_known
        f = features[j]
        if rules.random:
            low, high = read_values(table, f, members, span, keys)
        else:
            if m <= FEW:
                sort_few(table, f, members, span, rows, keys)
            else:
                sort_members(ground, table, f, members, span, rows, keys)
            low, high = keys[0], keys[m - 1]
        if low == high:
            features[j], features[n_constant] = features[n_constant], f
            n_constant += 1
            continue
        n_left -= 1
        features[j], features[n_left] = features[n_left], f
        if rules.random:
            state = next_state(state)
            judge_threshold(ground, members, node, (f, low, high, state), rules, memory)
        elif rules.numbers:
            scan_numbers(ground, f, m, (weight, total), rules, memory)
        else:
            scan_classes(ground, f, m, (weight, total), rules, memory)
    for j in range(n_known):
        features[j] = constants[j]
    for j in range(n_known, n_constant):
        constants[j] = features[j]
    ints[STATE], ints[N_CONSTANTS] = state, n_constant


@kernel(counted=False)
def read_values(table, f, members, span, keys):
    """Copy the values of some rows to `keys`; return the least and the largest."""
    flat, step, first, start = table.flat, table.steps[0], table.steps[1] * f, span[0]
    low = high = flat[step * members[start] + first]
    for i in range(span[1] - start):
        x = flat[step * members[start + i] + first]
        keys[i] = x
        low, high = min(low, x), max(high, x)
    return low, high


@kernel(counted=False)
def keep(memory, f, merit, threshold):
    """Note the best cut so far."""
    memory.floats[MERIT], memory.floats[THRESHOLD] = merit, threshold
    memory.ints[FEATURE] = f


@kernel(counted=False)
def scan_classes(ground, f, m, node, rules, memory):
    """Try all cuts of the sorted places by Gini's impurity; see `search_classes`."""
    rows, keys, marks, tally = memory.rows, memory.keys, ground.marks, memory.tally
    w_all, begin = np.int64(node[0]), rules.min_samples_leaf - 1
    best, slack = memory.floats[MERIT], w_all * NEAR
    a, b, w, bar = np.int64(0), np.int64(node[1]), np.int64(0), best + w_all - slack
    for c in range(tally.shape[1]):
        tally[0, c] = 0
    stop = m - max(rules.min_samples_leaf, 1) if best < 0.0 else 0  # nothing beats pure sides
    for k in range(stop):
        mark = marks[rows[k]]
        c, v = mark & CLASS_MASK, np.int64(mark >> CLASS_BITS)
        s = tally[0, c]
        a += v * (2 * s + v)
        b -= v * (2 * (tally[1, c] - s) - v)
        w += v
        tally[0, c] = s + v
        left, right = np.float64(w), np.float64(w_all - w)
        worth, scale = a * right + b * left, left * right  # the gain is their ratio
        if worth > bar * scale and k >= begin and keys[k] != keys[k + 1]:
            merit = gini_merit(a, b, left, right)
            if merit > best and min(left, right) >= rules.min_weight_leaf:
                best, bar = merit, worth / scale - slack
                keep(memory, f, merit, middle(keys[k], keys[k + 1]))


@kernel(counted=False)
def scan_numbers(ground, f, m, node, rules, memory):
    """Try all cuts of the sorted places by the squared error; see `search_numbers`."""
    rows, keys = memory.rows, memory.keys
    products, weights = ground.products, ground.weights
    w_all, s_all, begin = node[0], node[1], rules.min_samples_leaf - 1
    best, s, w = memory.floats[MERIT], 0.0, 0.0
    bar = best - NEAR * abs(best)
    for k in range(m - max(rules.min_samples_leaf, 1)):
        row = rows[k]
        s += products[row]
        w += weights[row]
        rest, right = s_all - s, w_all - w
        worth = s * s * right + rest * rest * w  # the gain is worth / (w right)
        if worth > bar * (w * right) and k >= begin and keys[k] != keys[k + 1]:
            merit = means_merit(s, rest, w, right)
            if merit > best and min(w, right) >= rules.min_weight_leaf:
                best, bar = merit, merit - NEAR * abs(merit)
                keep(memory, f, merit, middle(keys[k], keys[k + 1]))


@kernel(counted=False)
def judge_threshold(ground, members, node, drawn, rules, memory):
    """Try the cut of feature f at a random threshold between its least and its largest value.

    The values of the members are in `memory.keys`.
    """
    start, end, weight, total = node[0], node[1], node[3], node[4]
    f, low, high = drawn[0], np.float64(drawn[1]), np.float64(drawn[2])
    keys, tally = memory.keys, memory.tally
    marks, products, weights = ground.marks, ground.products, ground.weights
    threshold = between(drawn[3], low, high)
    threshold = low if threshold == high else threshold
    n_left, w_left, s_left = 0, 0.0, 0.0
    if rules.numbers:
        for i in range(end - start):
            row = members[start + i]
            inside = np.float64(np.float64(keys[i]) <= threshold)
            n_left += np.int64(inside)
            w_left += inside * weights[row]
            s_left += inside * products[row]
    else:
        for c in range(tally.shape[1]):
            tally[0, c] = 0
        for i in range(end - start):
            mark = marks[members[start + i]]
            inside = np.int64(np.float64(keys[i]) <= threshold)
            tally[0, mark & CLASS_MASK] += inside * np.int64(mark >> CLASS_BITS)
            n_left += inside
    if min(n_left, end - start - n_left) < rules.min_samples_leaf:
        return
    if rules.numbers:
        merit = means_merit(s_left, total - s_left, w_left, weight - w_left)
    else:
        a, b, w = np.int64(0), np.int64(0), np.int64(0)
        for c in range(tally.shape[1]):
            s = tally[0, c]
            a += s * s
            b += (tally[1, c] - s) ** 2
            w += s
        w_left = np.float64(w)
        merit = gini_merit(a, b, w_left, weight - w_left)
    if min(w_left, weight - w_left) >= rules.min_weight_leaf and merit > memory.floats[MERIT]:
        keep(memory, f, merit, threshold)
