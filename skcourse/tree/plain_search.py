"""What a node of a plain tree looks at: it draws features, and finds the best cut of each.

The draws, and the merits that are compared, are those of `node_search`; here no value is missing,
no feature is of categories, and there is one output: classes with integer weights, by Gini's
impurity, or numbers, by the squared error.
"""

from typing import NamedTuple

import numpy as np

from skcourse.core.kernel import kernel
from skcourse.core.team import (
    OWN,
    announce,
    hand_in,
    new_board,
    take_task,
    wait_for_all,
    wait_for_task,
)
from skcourse.tree.draws import below, next_state
from skcourse.tree.ground import clear, lay_out, sort_rows
from skcourse.tree.plain_scan import (
    AFTER,
    FEATURE,
    LEFT_BEST,
    MERIT,
    N_CONSTANTS,
    N_INTS,
    NODE,
    PLACE,
    ROW,
    STATE,
    Best,
    bits_for,
    differ,
    scan_classes,
    scan_numbers,
    try_threshold,
)

START, END, N_KNOWN = range(OWN, OWN + 3)  # places on the board
EPSILON, TINY = np.finfo(float).eps, np.finfo(float).tiny
MANY = 2048  # rows of a node, beyond which keys are read column by column


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
    hands: float  # rows times features of a node that is searched by all threads
    n_features: int
    n_classes: int  # 1 for numbers


class Drawer(NamedTuple):
    """The features, as they are drawn from."""

    features: np.ndarray  # int64 (d,), a permutation: the constant ones first
    constants: np.ndarray  # int64 (d,), the constant ones on the way from the root


class Crew(NamedTuple):
    """What the threads share that search a large node together: features are their tasks."""

    board: np.ndarray  # int64, see `core.team`; START, END, N_KNOWN
    sums: np.ndarray  # float64 (2,), weight and total
    constant: np.ndarray  # uint8 (d,), 1 for the features that turned out to be constant
    floats: np.ndarray  # float64 (d, 2), the best cut of each feature, as in `Best`
    ints: np.ndarray  # int64 (d, N_INTS)
    tally: np.ndarray  # int64 (d, 3, n_classes)


def new_crew(d, n_classes):
    """Return a crew for d features that has nothing to do."""
    return Crew(
        new_board(3),
        np.zeros(2),
        np.zeros(d, np.uint8),
        np.zeros((d, 2)),
        np.zeros((d, N_INTS), np.int64),
        np.zeros((d, 3, n_classes), np.int64),
    )


@kernel(counted=False, inlined=True)
def scan(ground, f, members, node, rules, desk, best):
    """Try all cuts of the sorted rows; see `look`."""
    if rules.numbers:
        scan_numbers(ground, f, members, node, rules, desk, best)
    else:
        scan_classes(ground, f, members, node, rules, desk, best)


@kernel(counted=False, inlined=True)
def search_task(ground, members, rules, drawer, desk, crew, task, least):
    """Find the best cut of one feature of the node on the board.

    Returns
    -------
    merit : float, of the cut, or `least`; cuts of less merit are not looked for
    """
    board, sums = crew.board, crew.sums
    start, end, n_known = board[START], board[END], board[N_KNOWN]
    f = drawer.features[n_known + task]
    sort_rows(ground, f, members, (start, end), desk)
    constant = not differ(ground, f, members, start, desk, (0, end - start - 1))
    crew.constant[f], crew.ints[f, FEATURE] = constant, -1
    crew.floats[f, MERIT] = least - EPSILON * abs(least) - TINY  # an equal cut is kept as well
    if not constant:
        best = Best(crew.floats[f], crew.ints[f], crew.tally[f])
        node = (start, end, n_known, sums[0], sums[1])
        scan(ground, f, members, node, rules, desk, best)
    return crew.floats[f, MERIT] if crew.ints[f, FEATURE] == f else least


@kernel(counted=False)
def help_out(ground, members, rules, drawer, desk, crew):
    """Take tasks until the leader is through."""
    task = wait_for_task(crew.board)
    while task >= 0:
        least = -np.inf
        while task >= 0:
            least = search_task(ground, members, rules, drawer, desk, crew, task, least)
            hand_in(crew.board)
            task = take_task(crew.board)
        task = wait_for_task(crew.board)


@kernel(counted=False, inlined=True)
def look_together(ground, members, node, rules, drawer, desk, best, crew):
    """Search all features of a node with the other threads; parameters as in `look`."""
    board, n_known = crew.board, node[2]
    board[START], board[END], board[N_KNOWN] = node[0], node[1], n_known
    crew.sums[0], crew.sums[1] = node[3], node[4]
    for f in range(crew.tally.shape[0]):
        for c in range(crew.tally.shape[2]):
            crew.tally[f, NODE, c] = best.tally[NODE, c]
    announce(board, drawer.features.shape[0] - n_known)
    task, least = take_task(board), -np.inf
    while task >= 0:
        least = search_task(ground, members, rules, drawer, desk, crew, task, least)
        hand_in(board)
        task = take_task(board)
    wait_for_all(board)


@kernel(counted=False, inlined=True)
def adopt(crew, f, best):
    """Take the best cut of a feature that was searched before, if it beats the best so far."""
    merit = crew.floats[f, MERIT]
    if crew.ints[f, FEATURE] == f and merit > best.floats[MERIT]:
        best.floats[MERIT], best.ints[FEATURE] = merit, f
        for i in (PLACE, ROW, AFTER):
            best.ints[i] = crew.ints[f, i]
        for c in range(crew.tally.shape[2]):
            best.tally[LEFT_BEST, c] = crew.tally[f, LEFT_BEST, c]


@kernel(counted=False, inlined=True)
def look(ground, members, node, rules, drawer, desk, best, crew):
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
    crew : Crew
    """
    span, n_known = (node[0], node[1]), node[2]
    features, constants, ints = drawer.features, drawer.constants, best.ints
    best.floats[MERIT], state, low, high = -np.inf, ints[STATE], np.uint32(0), np.uint32(0)
    n_left, n_constant, n_drawn_known, n_visited = features.shape[0], n_known, 0, 0
    bits = 0 if rules.numbers else bits_for(np.int64(node[3]), rules.n_classes)
    lay_out(ground, members, span, desk, bits)
    shared = (span[1] - span[0]) * (n_left - n_known) >= rules.hands
    if shared:
        look_together(ground, members, node, rules, drawer, desk, best, crew)
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
        if shared:
            constant = crew.constant[f] > 0
        elif rules.random:
            low, high = read_keys(ground, f, members, span, desk.keys)
            constant = low == high
        else:
            sort_rows(ground, f, members, span, desk)
            constant = not differ(ground, f, members, span[0], desk, (0, span[1] - span[0] - 1))
        if constant:
            features[j], features[n_constant] = features[n_constant], f
            n_constant += 1
            continue
        n_left -= 1
        features[j], features[n_left] = features[n_left], f
        if shared:
            adopt(crew, f, best)
        elif rules.random:
            state = next_state(state)
            try_threshold((f, low, high, state), node, rules, desk, best, bits)
        else:
            scan(ground, f, members, node, rules, desk, best)
    clear(members, span, desk)
    for j in range(n_known):
        features[j] = constants[j]
    for j in range(n_known, n_constant):
        constants[j] = features[j]
    ints[STATE], ints[N_CONSTANTS] = state, n_constant


@kernel(counted=False, inlined=True)
def read_keys(ground, f, members, span, keys):
    """Copy the keys of feature f of some rows; return the least and the largest."""
    start, m = span[0], span[1] - span[0]
    if m > MANY:
        for i in range(m):
            keys[i] = ground.codes_of[f, members[start + i]]
    else:
        for i in range(m):
            keys[i] = ground.places[members[start + i], f]
    low = high = keys[0]
    for i in range(m):
        low, high = min(low, keys[i]), max(high, keys[i])
    return low, high
