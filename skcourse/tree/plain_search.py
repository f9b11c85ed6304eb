"""What a node of a plain tree looks at: it draws features, and finds the best cut of each.

The draws, and the merits that are compared, are those of `node_search`; here no value is missing,
no feature is of categories, and there is one output: classes with integer weights, by Gini's
impurity, or numbers, by the squared error.
"""

from typing import NamedTuple

import numpy as np

from skcourse.core.kernel import kernel
from skcourse.tree.draws import below, next_state
from skcourse.tree.ground import lay_out, sort_rows
from skcourse.tree.plain_scan import (
    MERIT,
    N_CONSTANTS,
    STATE,
    differ,
    scan_classes,
    scan_numbers,
    try_threshold,
)

MANY = 2048  # rows of a node, beyond which values are read column by column


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
    n_features: int
    n_classes: int  # 1 for numbers


class Drawer(NamedTuple):
    """The features, as they are drawn from."""

    features: np.ndarray  # int64 (d,), a permutation: the constant ones first
    constants: np.ndarray  # int64 (d,), the constant ones on the way from the root


@kernel(counted=False)
def look(ground, members, node, rules, drawer, desk, best):
    """Draw features and write the best of their cuts to `best`; its merit is -inf if none is.

    Parameters
    ----------
    ground : Ground
    members : int32 array, rows
    node : (start, end, n_known, weight, total): its members, how many features are known to be
        constant, W, and S for numbers or the sum of squares of the weights of classes
    rules : Plain
    drawer : Drawer
    desk : Desk
    best : Best; the weights of the classes of the node are in its tally
    """
    span, n_known = (node[0], node[1]), node[2]
    features, constants, ints, m = drawer.features, drawer.constants, best.ints, node[1] - node[0]
    best.floats[MERIT], state, low, high = -np.inf, ints[STATE], np.float32(0), np.float32(0)
    n_left, n_constant, n_drawn_known, n_visited = features.shape[0], n_known, 0, 0
    lay_out(ground, members, span, desk)
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
            low, high = read_values(ground, (f, rules.n_features), members, span, desk.values)
            constant = low == high
        else:
            sort_rows(ground, f, members, span, desk)
            constant = not differ(ground, f, members, span[0], desk, (0, m - 1))
        if constant:
            features[j], features[n_constant] = features[n_constant], f
            n_constant += 1
            continue
        n_left -= 1
        features[j], features[n_left] = features[n_left], f
        if rules.random:
            state = next_state(state)
            try_threshold((f, low, high, state), node, rules, desk, best)
        elif rules.numbers:
            scan_numbers(ground, f, members, node, rules, desk, best)
        else:
            scan_classes(ground, f, members, node, rules, desk, best)
    for j in range(n_known):
        features[j] = constants[j]
    for j in range(n_known, n_constant):
        constants[j] = features[j]
    ints[STATE], ints[N_CONSTANTS] = state, n_constant


@kernel(counted=False)
def read_values(ground, column, members, span, values):
    """Copy values of the feature f of (f, d); return the least and the largest."""
    n, start, m = ground.weights.shape[0], span[0], span[1] - span[0]
    f, step = column
    if m > MANY:
        for i in range(m):
            values[i] = ground.values[f * n + members[start + i]]
    else:
        for i in range(m):
            values[i] = ground.table[step * members[start + i] + f]
    low = high = values[0]
    for i in range(m):
        low, high = min(low, values[i]), max(high, values[i])
    return low, high
