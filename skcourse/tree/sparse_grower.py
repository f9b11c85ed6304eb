"""The plain tree on a sparse X, which is never made dense.

Problem     The tree of `plain_grower`, node by node; but a row has few values that are not 0.
Idea        A node asks for the values of a feature that are not 0 (`sparse_columns`): it takes its
            own from the whole column, or, if it has few rows, looks for the feature in each. And
            before it draws many features, it marks those that its rows have at all: the others are
            constant, and there is nothing to be looked at.
Iteration   Draw features as `plain_search` does; search the cuts of each (`sparse_scan`).
Cost        O(k) per feature for a column of k values that are not 0, and O(m) to divide the rows.
Reference   M. Mehta, R. Agrawal, J. Rissanen, SLIQ: a fast scalable classifier for data mining,
            EDBT 1996 (columns sorted once); D. Shell, A high-speed sorting procedure, CACM 2, 1959.
"""

import numpy as np

from skcourse.core.kernel import kernel
from skcourse.tree.draws import below, next_state
from skcourse.tree.plain_grower import (
    complete_classes,
    count_root,
    describe,
    helps,
    mark,
    open_children,
    read_rules,
    stays_leaf,
    sum_numbers,
    sum_sides,
    take_top,
    what_is_summed,
    who_is_there,
)
from skcourse.tree.plain_nodes import (
    DEPTH,
    END,
    IS_LEFT,
    KNOWN,
    MISSING,
    NODE_FEATURE,
    NODE_THRESHOLD,
    PARENT,
    START,
    add_node,
    as_nodes,
    new_tree,
)
from skcourse.tree.plain_scan import MERIT, THRESHOLD
from skcourse.tree.plain_search import is_settled
from skcourse.tree.sparse_scan import (
    CUT,
    FEATURE,
    N_CONSTANTS,
    STAMP,
    STATE,
    count_negative,
    new_sparse_desk,
    scan_classes,
    scan_numbers,
    try_threshold,
)

STEPS = 8  # to find a feature in a row, in values of a column that are read meanwhile
LOOK = 32  # marks that are set while one feature is looked at


@kernel(counted=False, inlined=True)
def find_entry(table, row, f):
    """Return where the value of a row of feature f is, -1 if it is 0."""
    low, high = table.row_start[row], table.row_start[row + 1]
    end = high
    while low < high:
        half = (low + high) // 2
        if table.features[half] < f:
            low = half + 1
        else:
            high = half
    return low if low < end and table.features[low] == f else np.int64(-1)


@kernel(counted=False, inlined=True)
def sort_places(keys, k):
    """Sort the first k keys, by Shell's gaps of 1, 4, 13, ..."""
    gap = 1
    while gap < k:
        gap = 3 * gap + 1
    while gap > 1:
        gap //= 3
        for i in range(gap, k):
            key, j = keys[i], i
            while j >= gap and keys[j - gap] > key:
                keys[j] = keys[j - gap]
                j -= gap
            keys[j] = key


@kernel(counted=False)
def gather(table, members, f, span, desk):
    """Put what is not 0 of feature f of a node on the desk, in order; return how much that is."""
    first, stop, k, (start, end) = table.start[f], table.start[f + 1], 0, span
    if STEPS * (end - start) < stop - first:
        for i in range(start, end):
            entry = find_entry(table, members[np.uintp(i)], f)
            if entry >= 0:
                desk.keys[k] = table.places[entry]
                k += 1
        sort_places(desk.keys, k)
        for i in range(k):
            entry = first + np.int64(desk.keys[i])
            desk.rows[i], desk.values[i] = table.rows[entry], table.values[entry]
        return k
    for entry in range(first, stop):
        row = table.rows[np.uintp(entry)]
        place = desk.position[np.uintp(row)]
        desk.rows[k], desk.values[k] = row, table.values[np.uintp(entry)]
        k += np.int64(place >= start) & np.int64(place < end)
    return k


@kernel(counted=False, inlined=True)
def mark_features(table, members, node, rules, desk):
    """Mark the features that the rows of a node have, if that is soon done; tell whether it was."""
    n_entries = np.int64(0)
    enough = LOOK * min(rules.max_features, desk.features.shape[0] - node[2])
    for i in range(node[0], node[1]):
        row = members[np.uintp(i)]
        n_entries += table.row_start[row + 1] - table.row_start[row]
        if n_entries > enough:
            return False
    desk.ints[STAMP] += 1
    for i in range(node[0], node[1]):
        row = members[np.uintp(i)]
        for entry in range(table.row_start[row], table.row_start[row + 1]):
            desk.stamps[table.features[np.uintp(entry)]] = desk.ints[STAMP]
    return True


@kernel(counted=False, inlined=True)
def is_constant(desk, k, m):
    """Tell whether the values of a node are all the same: k are not 0, and on the desk."""
    return k == 0 or (k == m and desk.values[0] == desk.values[k - 1])


@kernel(counted=False, inlined=True)
def look(table, members, numbers, classes, node, rules, desk, random):
    """Draw features and leave the best of their cuts on the desk; parameters as in `grow_rows`.

    node : (start, end, n_known, weight, total), as in `plain_search.look`

    Returns
    -------
    found : bool
    """
    span, m, n_known, best = (node[0], node[1]), node[1] - node[0], node[2], desk
    features, constants, ints = desk.features, desk.constants, desk.ints
    n_left, n_constant, n_drawn_known, n_visited = features.shape[0], n_known, 0, 0
    desk.floats[MERIT], settled = -np.inf, False
    marked = mark_features(table, members, node, rules, desk)
    while n_left > n_constant and (
        n_visited < rules.max_features or n_visited <= n_constant - n_known + n_drawn_known
    ):
        n_visited += 1
        ints[STATE] = next_state(ints[STATE])
        j = below(ints[STATE], n_drawn_known, n_left - (n_constant - n_known))
        if j < n_known:
            features[n_drawn_known], features[j] = features[j], features[n_drawn_known]
            desk.drawn[n_drawn_known] = j
            n_drawn_known += 1
            continue
        j += n_constant - n_known
        f, k = features[j], 0
        if not marked or desk.stamps[f] == ints[STAMP]:
            k = gather(table, members, f, span, desk)
        if is_constant(desk, k, m):
            features[j], features[n_constant] = features[n_constant], f
            n_constant += 1
            continue
        n_left -= 1
        features[j], features[n_left] = features[n_left], f
        if random:
            ints[STATE] = next_state(ints[STATE])
        if not settled and random:
            try_threshold(numbers, classes, f, node, rules, desk, k)
        elif not settled:
            n_negative = count_negative(desk, k)
            for step in range(1, -2, -2):
                way = (0, n_negative, 1) if step > 0 else (k - 1, n_negative - 1, -1)
                if numbers is not None:
                    scan_numbers(numbers, f, node, rules, desk, way, k)
                if classes is not None:
                    scan_classes(classes, f, node, rules, desk, way, k)
        settled = is_settled(best, classes, m)
    for i in range(n_drawn_known):  # those known to be constant go back to where they were
        j = desk.drawn[i]
        features[i], features[j] = constants[i], constants[j]
    for j in range(n_known, n_constant):
        constants[j] = features[j]
    ints[N_CONSTANTS] = n_constant
    return desk.floats[MERIT] > -np.inf


@kernel(counted=False, inlined=True)
def divide(table, members, span, desk):
    """Put the members on the left of the best cut first, in their order; return where the right is.

    Only values that are not 0 are looked up: the others go where 0 goes.
    """
    (start, end), position, sides, cut = span, desk.position, desk.sides, desk.floats[CUT]
    k, spare, n_left, n_right = (
        gather(table, members, desk.ints[FEATURE], span, desk),
        desk.spare,
        start,
        0,
    )
    for i in range(end - start):
        sides[i] = cut >= 0.0
    for i in range(k):
        sides[position[desk.rows[i]] - start] = desk.values[i] <= cut
    for i in range(start, end):
        row, left = members[np.uintp(i)], np.int64(sides[np.uintp(i - start)])
        members[np.uintp(n_left)], spare[np.uintp(n_right)] = row, row
        position[row] = n_left
        n_left += left
        n_right += 1 - left
    for i in range(n_right):
        row = spare[i]
        members[n_left + i], position[row] = row, n_left + i
    return n_left


@kernel(counted=False)
def grow_rows(table, members, numbers, classes, rules, desk, tree, random):
    """Grow a tree from the members.

    Parameters
    ----------
    table : SparseTable
    members : uint32 array, the rows that are there, divided as the tree grows
    numbers : Numbers or None
    classes : Classes or None
    rules : Plain
    desk : SparseDesk
    tree : Growing; at the bottom of its stack are the weights of the classes
    random : bool, whether thresholds are random

    Returns
    -------
    n_nodes : int
    """
    root, task, nodes = tree.stack.ints[0], tree.task, tree.nodes
    root[START], root[END], root[DEPTH] = 0, members.shape[0], 0
    root[PARENT], root[IS_LEFT], root[KNOWN] = -1, 0, 0
    height, n_nodes = np.int64(1), np.int64(0)  # a literal would be a type, and a compilation, more
    if numbers is not None:
        sum_numbers(members, numbers, (0, members.shape[0]), tree.stack.floats[0])
    if classes is not None:
        complete_classes(tree.stack.floats[0])
    while height > 0:
        height -= 1
        take_top(tree, height)
        node, middle = n_nodes, -1
        n_nodes += 1
        add_node(nodes, node, task, tree.sums)
        if not stays_leaf(rules, task, tree.sums) and look(
            table, members, numbers, classes, describe(tree, classes), rules, desk, random
        ):
            middle = divide(table, members, (task[START], task[END]), desk)
            sum_sides(members, numbers, classes, middle, tree)
        if middle < 0 or not helps(rules, tree.sums, tree.sides):
            mark(tree.leaves, members, task, node)
            continue
        nodes.ints[node, NODE_FEATURE] = desk.ints[FEATURE]
        nodes.floats[node, NODE_THRESHOLD] = desk.floats[THRESHOLD]
        nodes.ints[node, MISSING] = middle - task[START] > task[END] - middle
        open_children(tree, height, middle, node, desk.ints[N_CONSTANTS])
        height += 2
    return n_nodes


def grow_sparse(columns, targets, statistics, growth, *, seed, leaves=None):
    """Grow one tree on SparseColumns; parameters and result are those of `grower.grow`."""
    d, n = columns.shape
    weights, members = who_is_there(targets, n)
    numbers, classes = what_is_summed(targets, statistics, weights)
    rules = read_rules(growth, np.sum(weights))
    desk = new_sparse_desk(n, members, d)
    desk.ints[STATE] = seed
    marked = np.empty(0, np.int64) if leaves is None else leaves
    if leaves is not None:
        leaves[:] = -1
    tree = new_tree(len(members), growth, targets.n_classes, marked)
    count_root(members, classes, tree.stack.floats[0])
    random = growth.splitter == "random"
    n_nodes = grow_rows(columns.table, members, numbers, classes, rules, desk, tree, random)
    return as_nodes(tree.nodes, n_nodes)
