"""What the threads that grow a tree share: rows, nodes, histograms, and what is to be done.

Arrays only: all of it goes through compiled code (`histogram_tasks`, `histogram_rounds`), where
small integers name the kinds of work and the places of an array, `job`, that says what it is about.
"""

from typing import NamedTuple

import numpy as np

from skcourse.core.kernel import kernel
from skcourse.core.team import OWN
from skcourse.tree.group_search import Rules
from skcourse.tree.histograms import Scale

NODE = np.dtype(
    [
        ("start", "i8"),  # the rows of the node are rows[start:stop]
        ("stop", "i8"),
        ("depth", "i8"),
        ("slot", "i8"),  # where its histograms are, or -1
        ("left", "i8"),
        ("right", "i8"),
        ("feature", "i8"),  # -1: no split
        ("packed", "i8"),  # n and G, see `histograms`
        ("hessian", "i8"),
        ("left_packed", "i8"),  # the same, of those that go left
        ("left_hessian", "i8"),
        ("number", "i8"),  # in preorder
        ("value", "f8"),
        ("lower", "f8"),  # bounds of the values of the children
        ("upper", "f8"),
        ("gain", "f8"),
    ]
)
# places in `job`, after those of the team
KIND, PARENT, LEFT, RIGHT, SMALL, LARGE, SUBTRACT, SEARCH_LEFT, SEARCH_RIGHT = range(OWN, OWN + 9)
N_NODES, N_LEAVES, N_WAITING, N_FREE, N_DRAWN = range(OWN + 9, OWN + 14)
N_JOB = 14

# kinds of work, in the order of a tree's life; PART, PLACE and SEARCH come once for each split
NOTHING, MAGNITUDES, GRID, PART, PLACE, SEARCH, NUMBER, FAILED = range(8)
MANY = 1024  # tasks, at most, to say of the rows in which leaf they are

WAITING, FREE = range(2)  # rows of `lists`


class Limits(NamedTuple):
    """What a tree must keep to."""

    max_leaf_nodes: int  # -1: none
    max_depth: int  # -1: none
    count_bits: int
    constant_hessian: float  # 0.0: they differ


class Rows(NamedTuple):
    """The rows, their statistics, and the lists of them."""

    codes: np.ndarray  # uint8 (d, n)
    words: np.ndarray  # uint64 (n_blocks, n)
    gradients: np.ndarray  # float64 (n,)
    hessians: np.ndarray  # float64 (n,) or (1,)
    statistics: np.ndarray  # int64 (n k,), see `histograms`
    gathered: np.ndarray  # int64 (n k,), of the rows of the node at hand
    order: np.ndarray  # int32 (n,), the rows, those of a node together
    spare: np.ndarray  # int32 (n,)


class Table(NamedTuple):
    """The nodes."""

    nodes: np.ndarray  # NODE (capacity,)
    goes_left: np.ndarray  # uint8 (capacity, 256), the codes that go left
    lists: np.ndarray  # int64 (2, capacity + 2): a heap of nodes to split, a stack of free slots
    pool: np.ndarray  # int64 (n_slots, n_blocks * 8 * 256 * k), histograms


class Extras(NamedTuple):
    """What most fits do without, and need not compile."""

    sets: np.ndarray  # uint8 (n_sets, d), the features of each set of interactions; (0, d): none
    active: np.ndarray  # uint8 (capacity, n_sets), the sets that hold at a node
    share: float  # of the features, drawn at random for each node; 1.0: all
    draws: np.ndarray  # uint32, random


class State(NamedTuple):
    """All that the threads share."""

    rows: Rows
    table: Table
    features: np.ndarray  # FEATURE (d,)
    gain: np.ndarray  # float64 (2, d), of both children by each feature; inf: to be found
    sides: np.ndarray  # uint8 (2, d, 256), the codes that go left then
    rules: Rules
    limits: Limits
    extras: Extras | None  # None: every feature is a number, and allowed
    scratch: np.ndarray  # float64 (n_blocks, 4, 256), of a search
    chunks: np.ndarray  # float64 (n_chunks + 1, 2): magnitudes, or rows that go left; the steps
    leaf_of_row: np.ndarray  # int32 (n,)
    job: np.ndarray  # int64, the board of the team, and what it is about


@kernel
def get_scale(limits, chunks):
    """Return the Scale; the leader wrote the steps below the chunks."""
    steps = chunks[len(chunks) - 1]
    return Scale(limits.count_bits, steps[0], steps[1], limits.constant_hessian)
