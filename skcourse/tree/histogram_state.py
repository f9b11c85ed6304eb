"""What the threads that grow a tree share: rows, nodes, histograms, and what is to be done.

Arrays only: all of it goes through compiled code (`histogram_tasks`, `histogram_rounds`), where
small integers name the kinds of work and the places of an array, `job`, that says what it is about.
"""

from typing import NamedTuple

import numpy as np

from skcourse.core.kernel import kernel
from skcourse.tree.group_search import Rules
from skcourse.tree.histogram_search import Features, Found
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
# places in `job`
KIND, PARENT, LEFT, RIGHT, SMALL, LARGE, SUBTRACT, SEARCH_LEFT, SEARCH_RIGHT = range(9)
N_NODES, N_LEAVES, N_WAITING, N_FREE, N_DRAWN, N_JOB = range(9, 15)

# kinds of work, in the order of a tree's life; PART, PLACE and SEARCH come once for each split
NOTHING, MAGNITUDES, GRID, PART, PLACE, SEARCH, NUMBER, FAILED = range(8)
MANY = 1024  # tasks, at most, to say of the rows in which leaf they are

# places in `numbers`
GRADIENT_STEP, HESSIAN_STEP = range(2)


class Limits(NamedTuple):
    """What a tree must keep to."""

    max_leaf_nodes: int  # -1: none
    max_depth: int  # -1: none
    max_features: float  # share
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
    active: np.ndarray  # uint8 (capacity, n_sets), the sets of interactions that hold
    waiting: np.ndarray  # int64 (capacity,), a heap of the nodes to split
    free: np.ndarray  # int64 (n_slots,), a stack
    pool: np.ndarray  # int64 (n_slots, n_blocks * 8 * 256 * k), histograms


class State(NamedTuple):
    """All that the threads share."""

    rows: Rows
    table: Table
    features: Features
    found: Found
    rules: Rules
    limits: Limits
    sets: np.ndarray  # uint8 (n_sets, d), interactions
    draws: np.ndarray  # uint32, random
    numbers: np.ndarray  # float64 (2,), the steps of the grids
    parts: np.ndarray  # int64 (n_chunks,), rows that go left
    sums: np.ndarray  # float64 (n_chunks, 2)
    leaf_of_row: np.ndarray  # int32 (n,)
    board: np.ndarray
    job: np.ndarray  # int64


@kernel
def get_scale(state):
    """Return the Scale, which the leader wrote into `numbers`."""
    limits, numbers = state.limits, state.numbers
    return Scale(
        limits.count_bits, numbers[GRADIENT_STEP], numbers[HESSIAN_STEP], limits.constant_hessian
    )
