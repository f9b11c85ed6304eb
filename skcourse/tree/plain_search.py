"""What a node of a plain tree looks at: it draws features, and finds the best cut of each.

The draws, and the merits that are compared, are those of `node_search`; here no value is missing,
no feature is of categories, and there is one output: classes with integer weights, by Gini's
impurity, or numbers, by the squared error. Thresholds are random where there is no crew, and
targets are numbers or classes: for what is None, nothing is compiled.
"""

from typing import NamedTuple

import numpy as np

from skcourse.core.kernel import kernel
from skcourse.core.team import (
    OWN,
    announce,
    hand_in,
    new_board,
    see_to_the_end,
    take_task,
    wait_for_all,
    wait_for_task,
)
from skcourse.tree.draws import below, next_state
from skcourse.tree.ground import give_numbers, lay_out_numbers, sort_rows, take_numbers
from skcourse.tree.plain_scan import (
    FEATURE,
    LEFT_BEST,
    MERIT,
    N_CONSTANTS,
    N_INTS,
    NODE,
    STATE,
    Best,
    differ,
    find_threshold,
    lay_out_classes,
    scan_classes,
    scan_numbers,
    try_threshold,
)

START, END, N_KNOWN = range(OWN, OWN + 3)  # places on the board
EPSILON, TINY = np.finfo(float).eps, np.finfo(float).tiny
HANDS, LEAST = 2, 3  # rows times features of a node that is searched by all threads: now, ever
IMPATIENT = 50_000  # looks at the board, some 0.1 ms, and a few more per row: a thread was held up
ALARM, RELAX = 8.0, 0.9  # factors of HANDS when one was, and when none was
SHARED = 32  # rows of a node, below which a feature is searched sooner than handed over
MANY = 2048  # rows of a node, beyond which keys are read column by column


class Plain(NamedTuple):
    """The rules of growth, as numbers."""

    leads: bool  # the thread grows the tree, and does not just help to search
    max_depth: int
    min_samples_split: int
    min_samples_leaf: int
    min_weight_leaf: float
    max_features: int
    min_impurity_decrease: float
    total_weight: float


class Crew(NamedTuple):
    """What the threads share that search a large node together: features are their tasks."""

    board: np.ndarray  # int64, see `core.team`; START, END, N_KNOWN
    sums: np.ndarray  # float64 (4,), weight and total of the node; HANDS and LEAST
    constant: np.ndarray  # uint8 (d,), 1 for the features that turned out to be constant
    floats: np.ndarray  # float64 (d, 2), the best cut of each feature, as in `Best`
    ints: np.ndarray  # int64 (d, N_INTS)
    tally: np.ndarray  # int64 (d, 3, n_classes)


def new_crew(d, n_classes, hands):
    """Return a crew for d features; nodes of less than `hands` rows times features need none."""
    return Crew(
        new_board(3),
        np.array([0.0, 0.0, hands, hands]),
        np.zeros(d, np.uint8),
        np.zeros((d, 2)),
        np.zeros((d, N_INTS), np.int64),
        np.zeros((d, 3, n_classes), np.int64),
    )


@kernel(counted=False, inlined=True)
def search_task(ground, numbers, classes, rules, desk, crew, job):
    """Find the best cut of one feature of the node on the board.

    Parameters
    ----------
    job : (task, least): cuts of less merit than `least` are not looked for

    Returns
    -------
    merit : float, of the cut, or `least`
    """
    board, sums, (task, least) = crew.board, crew.sums, job
    start, end, n_known = board[START], board[END], board[N_KNOWN]
    f = desk.features[n_known + task]
    sort_rows(ground, f, (start, end), desk)
    constant = not differ(ground, f, start, desk, (np.int64(0), end - start - 1))
    crew.constant[f], crew.ints[f, FEATURE] = constant, -1
    crew.floats[f, MERIT] = least - EPSILON * abs(least) - TINY  # an equal cut is kept as well
    if not constant:
        best, node = Best(crew.floats[f], crew.ints[f]), (start, end, n_known, sums[0], sums[1])
        if numbers is not None:
            scan_numbers(ground, f, node, rules, desk, best)
        if classes is not None:
            for c in range(crew.tally.shape[2]):
                crew.tally[f, NODE, c] = classes.tally[NODE, c]
            scan_classes(ground, f, node, rules, desk, best, crew.tally[f])
    return crew.floats[f, MERIT] if crew.ints[f, FEATURE] == f else least


@kernel(counted=False)
def work_together(ground, numbers, classes, rules, desk, crew):
    """Take tasks until none is left, or, if it does not lead, until the leader is through."""
    task, least = take_task(crew.board), -np.inf
    while task >= 0 or not rules.leads:
        if task < 0:
            task, least = wait_for_task(crew.board), -np.inf
            if task < 0:
                return
        least = search_task(ground, numbers, classes, rules, desk, crew, (task, least))
        hand_in(crew.board)
        task = take_task(crew.board)


@kernel(counted=False, inlined=True)
def look_together(ground, numbers, classes, node, rules, desk, crew):
    """Search all features of a node with the other threads; parameters as in `look`."""
    board, n_known = crew.board, node[2]
    board[START], board[END], board[N_KNOWN] = node[0], node[1], n_known
    crew.sums[0], crew.sums[1] = node[3], node[4]
    announce(board, desk.features.shape[0] - n_known)
    work_together(ground, numbers, classes, rules, desk, crew)
    if see_to_the_end(board, IMPATIENT + 4 * (node[1] - node[0])):
        crew.sums[HANDS] = max(crew.sums[HANDS] * RELAX, crew.sums[LEAST])
    else:  # other programs keep the other threads from working
        crew.sums[HANDS] *= ALARM
        wait_for_all(board)


@kernel(counted=False, inlined=True)
def adopt(crew, f, best, classes):
    """Take the best cut of a feature that was searched before, if it beats the best so far."""
    merit = crew.floats[f, MERIT]
    if crew.ints[f, FEATURE] == f and merit > best.floats[MERIT]:
        best.floats[MERIT] = merit
        for i in range(STATE):
            best.ints[i] = crew.ints[f, i]
        if classes is not None:
            for c in range(classes.tally.shape[1]):
                classes.tally[LEFT_BEST, c] = crew.tally[f, LEFT_BEST, c]


@kernel(counted=False, inlined=True)
def is_settled(best, classes, m):
    """Tell whether no cut by another feature can be better than the best so far.

    Both sides are pure; or the node has two rows, which every cut parts.
    """
    pure = best.floats[MERIT] >= 0.0 if classes is not None else False
    return pure or (m == 2 and best.floats[MERIT] > -np.inf)


@kernel(counted=False, inlined=True)
def is_constant(ground, f, span):
    """Tell whether all rows of a node have one value of feature f."""
    places, members = ground.places, ground.members
    first = last = members[np.uintp(span[0])]
    least = largest = places[first, f]
    for i in range(span[0] + 1, span[1]):
        row = members[np.uintp(i)]
        place = places[row, f]
        if place < least:
            least, first = place, row
        if place > largest:
            largest, last = place, row
    column = f * places.shape[0]
    return (
        least & np.uint32(1) > 0 and ground.values[column + first] == ground.values[column + last]
    )


@kernel(counted=False, inlined=True)
def look(ground, numbers, classes, node, rules, desk, crew, codes):
    """Draw features and leave the best of their cuts on the desk; its merit is -inf if none is.

    Parameters
    ----------
    ground : Ground
    numbers : Numbers or None
    classes : Classes or None; with the weights of the node in the tally
    node : (start, end, n_known, weight, total): its members, how many features are known to be
        constant, W, and S for numbers or the sum of squares of the weights of classes
    rules : Plain
    desk : Desk
    crew : Crew; or None, where thresholds are random
    codes : uint32 array of shape (d, n), keys of the values; or None, where thresholds are best

    Returns
    -------
    found : bool
    """
    span, n_known, best = (node[0], node[1]), node[2], Best(desk.floats, desk.ints)
    features, constants, ints, last = (
        desk.features,
        desk.constants,
        best.ints,
        node[1] - node[0] - 1,
    )
    best.floats[MERIT], state = -np.inf, ints[STATE]
    n_left, n_constant, n_drawn_known, n_visited = features.shape[0], n_known, 0, 0
    low, high, constant, settled = np.uint32(0), np.uint32(0), False, False
    if numbers is not None:
        lay_out_numbers(ground, numbers, span, desk)
    if classes is not None:
        lay_out_classes(ground, classes, node, desk)
    shared = False
    if crew is not None:
        give_numbers(ground.members, span, desk)
        shared = last >= SHARED and last * (n_left - n_known) >= crew.sums[HANDS]
        if shared:
            look_together(ground, numbers, classes, node, rules, desk, crew)
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
        if codes is not None:
            low, high = read_keys(ground, codes, f, span, desk.keys)
            constant = low == high
        if crew is not None:
            if shared:
                constant = crew.constant[f] > 0
            elif settled:
                constant = is_constant(ground, f, span)
            else:
                sort_rows(ground, f, span, desk)
                constant = not differ(ground, f, span[0], desk, (np.int64(0), last))
        if constant:
            features[j], features[n_constant] = features[n_constant], f
            n_constant += 1
            continue
        n_left -= 1
        features[j], features[n_left] = features[n_left], f
        if codes is not None:
            state = next_state(state)
            if not settled:
                try_threshold((f, low, high, state), node, rules, desk, best, numbers, classes)
        if crew is not None:
            if shared:
                adopt(crew, f, best, classes)
            elif numbers is not None and not settled:
                scan_numbers(ground, f, node, rules, desk, best)
            if classes is not None and not shared and not settled:
                scan_classes(ground, f, node, rules, desk, best, classes.tally)
        settled = is_settled(best, classes, last + 1)
    if crew is not None:
        take_numbers(ground.members, span, desk)
    for j in range(n_known):
        features[j] = constants[j]
    for j in range(n_known, n_constant):
        constants[j] = features[j]
    ints[STATE], ints[N_CONSTANTS] = state, n_constant
    if best.floats[MERIT] == -np.inf:
        return False
    if crew is not None:
        find_threshold(ground, best)
    return True


@kernel(counted=False, inlined=True)
def read_keys(ground, codes, f, span, keys):
    """Copy the keys of feature f of some rows; return the least and the largest."""
    start, m, members = span[0], span[1] - span[0], ground.members
    if m > MANY:
        for i in range(m):
            keys[i] = codes[f, members[np.uintp(start + i)]]
    else:
        for i in range(m):
            keys[i] = ground.places[members[np.uintp(start + i)], f]
    low = high = keys[0]
    for i in range(m):
        low, high = min(low, keys[i]), max(high, keys[i])
    return low, high
