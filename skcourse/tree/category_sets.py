"""The sets of categories that the nodes of a growing tree send left, as bits: see `Nodes`.

Where no column is of categories there are no sets, None, and no kernel compiles what follows.
"""

from typing import NamedTuple

import numpy as np

from skcourse.core.kernel import kernel
from skcourse.tree.absolute_error import rows_of_node
from skcourse.tree.search_categories import Task, search_categories
from skcourse.tree.workspace import (
    NODE_MISSING,
    NODE_SET,
    TASK_END,
    TASK_FEATURE,
    TASK_MISSING,
    TASK_N_LEFT,
    TASK_NODE,
    TASK_START,
)


class Sets(NamedTuple):
    """Sets found, of which those kept belong to nodes."""

    found: np.ndarray  # uint64 (d, words), of each candidate
    kept: np.ndarray  # uint64 (capacity, words)
    n_words: np.ndarray  # int64 (d,), of which the sets of a feature take that many
    n_kept: np.ndarray  # int64 (1,)


def start_sets(columns):
    """Return room for the sets of a tree, None if no column is of categories."""
    if not columns.is_categorical.any():
        return None
    n_words = np.zeros(len(columns.values), np.int64)
    for f in np.flatnonzero(columns.is_categorical):
        largest = np.max(columns.values[f], initial=0, where=~np.isnan(columns.values[f]))
        n_words[f] = int(largest) // 64 + 1
    found = np.zeros((len(n_words), n_words.max()), np.uint64)
    return Sets(found, np.zeros((64, found.shape[1]), np.uint64), n_words, np.zeros(1, np.int64))


def sets_with_room(sets):
    """Return the sets with room for one more."""
    if not is_full(sets):
        return sets
    return sets._replace(kept=np.concatenate([sets.kept, np.zeros_like(sets.kept)]))


@kernel
def is_full(sets):
    """Tell whether there is no room for the set of another node."""
    if sets is None:
        return False
    return sets.n_kept[0] == len(sets.kept)


@kernel
def search_set(sets, columns, targets, rules, work, current, limits, j):
    """Search candidate j, if it is a feature of categories; return whether it is."""
    if sets is None:
        return False
    f, task = work.candidates[j, 0], current.ints[0]
    if not columns.is_categorical[f]:
        return False
    start, end = task[TASK_START], task[TASK_END]
    search_categories(
        Task(rules.criterion, rules.random is not None),
        work.rows[start:end],
        columns.values[f],
        targets,
        rows_of_node(work.ranked, start, end),
        limits,
        work.found[j],
        sets.found[j, : sets.n_words[f]],
    )
    return True


@kernel
def keep_set(sets, columns, table, node, f, j):
    """Write the set of candidate j, feature f, to the node, if it is one of categories."""
    if sets is None:
        return
    if columns.is_categorical[f]:
        place = sets.n_kept[0]
        sets.n_kept[0] += 1
        table.ints[node, NODE_SET] = place
        for w in range(sets.found.shape[1]):
            sets.kept[place, w] = sets.found[j, w]


@kernel
def arrange_by_set(sets, columns, table, work, task):
    """Write the rows of a node to work.spare: the set's, the others, those without a category.

    Returns
    -------
    arranged : bool, False if the node is not split by categories
    """
    if sets is None:
        return False
    f, node = task[TASK_FEATURE], task[TASK_NODE]
    if not columns.is_categorical[f]:
        return False
    column, words = columns.values[f], sets.kept[table.ints[node, NODE_SET]]
    n_left, n_missing = 0, task[TASK_END] - task[TASK_START] - task[TASK_MISSING]
    n_right = task[TASK_N_LEFT]
    if table.ints[node, NODE_MISSING]:
        n_right -= task[TASK_MISSING]
    for i in range(task[TASK_START], task[TASK_END]):
        row = work.rows[i]
        if np.isnan(column[row]):
            work.spare[n_missing] = row
            n_missing += 1
            continue
        code = np.int64(column[row])
        if (words[code >> 6] >> np.uint64(code & 63)) & np.uint64(1):
            work.spare[n_left] = row
            n_left += 1
        else:
            work.spare[n_right] = row
            n_right += 1
    return True


def pack_sets(sets, places, features):
    """Return category_set, set_start and set_words of `Nodes`.

    Parameters
    ----------
    sets : Sets or None
    places : int array of shape (n_nodes,), of the sets kept, -1 for nodes without
    features : int array of shape (n_nodes,)
    """
    with_set = np.flatnonzero(places >= 0)
    numbers, start = np.full(len(places), -1, np.int64), np.zeros(len(with_set) + 1, np.int64)
    if not len(with_set):
        return numbers, start, np.empty(0, np.uint64)
    numbers[with_set] = np.arange(len(with_set))
    lengths = sets.n_words[features[with_set]]
    np.cumsum(lengths, out=start[1:])
    pairs = zip(places[with_set], lengths, strict=True)
    return numbers, start, np.concatenate([sets.kept[place, :length] for place, length in pairs])
