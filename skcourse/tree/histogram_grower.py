"""One tree of histogram boosting: the split of most gain first, wherever it is.

Problem     Given gradients g_i and Hessians h_i of a loss, a tree with the value v_j in leaf j is
            to lower its quadratic model
                sum_j G_j v_j + (H_j + l2) v_j^2 / 2,   G_j, H_j sums over leaf j   (1)
Values      v_j = - G_j / (H_j + l2), times the shrinkage.                        (2)
Iteration   Of all leaves, split the one whose best split gains most:
                G_L^2 / (H_L + l2) + G_R^2 / (H_R + l2) - G^2 / (H + l2)          (3)
            The rows go to the children; the histogram of the smaller child is summed, that of the
            larger is the parent's minus the smaller's; both are searched.
Threads     All of a tree is one call (`core.team`): the threads share chunks of rows, then blocks
            of 8 features (`histogram_rounds`, `histogram_tasks`). Sums are integers (`histograms`),
            so the tree does not know of it.
Cost        n d for the root, and at most n d / 2 for each level below; a search of 256 d per node.
Reference   T. Chen, C. Guestrin, XGBoost: a scalable tree boosting system, KDD, 2016; G. Ke et al.,
            LightGBM: a highly efficient gradient boosting decision tree, NeurIPS, 2017.
"""

from typing import NamedTuple

import numpy as np
from numba.core.config import DISABLE_JIT

from skcourse.core.chunks import count_threads, reduce_blocks
from skcourse.core.team import OVER, new_board
from skcourse.tree.group_search import Rules
from skcourse.tree.histogram_partition import CHUNK
from skcourse.tree.histogram_rounds import work
from skcourse.tree.histogram_search import FEATURE
from skcourse.tree.histogram_state import (
    FAILED,
    KIND,
    N_DRAWN,
    N_JOB,
    N_NODES,
    NODE,
    Extras,
    Limits,
    Rows,
    State,
    Table,
)
from skcourse.tree.histograms import BINS, MISSING, WIDTH
from skcourse.tree.nodes import LEAF, UNDEFINED, Nodes

SMALL = 50_000  # rows times features, for which no thread is woken: a tree takes a millisecond
POOL_BYTES = 2**29  # of histograms that wait for their nodes; the others are summed again


class BinnedGrowth(NamedTuple):
    """The rules of growth; those of scikit-learn's histogram boosting."""

    max_leaf_nodes: int = 31  # -1: no limit
    max_depth: int = -1  # -1: no limit
    min_samples_leaf: int = 20
    min_hessian: float = 1e-3
    l2: float = 0.0
    shrinkage: float = 1.0
    max_features: float = 1.0  # share of the features, drawn for each node
    monotonic: np.ndarray | None = None  # int8 (d,): 1, 0 or -1
    interaction: list | None = None  # of sets of features
    min_gain: float = 0.0


class Workspace:
    """The arrays that all trees of a fit share: made once, since fresh memory costs time.

    Parameters
    ----------
    bins : Bins
    growth : BinnedGrowth
    constant_hessian : bool
    """

    def __init__(self, bins, growth, constant_hessian):
        d, n = bins.codes.shape
        k = 1 if constant_hessian else 2
        capacity = node_capacity(n, growth)
        slot = len(bins.words) * WIDTH * BINS * k
        n_slots = max(3, min(capacity, POOL_BYTES // (8 * slot))) + 2
        self.statistics, self.gathered = np.empty(n * k, np.int64), np.empty(n * k, np.int64)
        self.order, self.spare = np.empty(n, np.int32), np.empty(n, np.int32)
        self.table = Table(
            nodes=np.zeros(capacity, NODE),
            goes_left=np.zeros((capacity, BINS), np.uint8),
            lists=np.zeros((2, capacity + 2), np.int64),
            pool=np.empty((n_slots, slot), np.int64),
        )
        self.gain, self.sides = np.empty((2, d)), np.zeros((2, d, BINS), np.uint8)
        self.chunks = np.zeros((-(-n // CHUNK) + 1, 2))
        self.features = np.zeros(d, FEATURE)
        self.features["n_bins"] = bins.n_bins
        self.features["is_categorical"] = bins.is_categorical
        self.features["has_missing"] = bins.has_missing
        self.features["monotonic"] = 0 if growth.monotonic is None else growth.monotonic
        self.features["visited"] = np.argsort(~np.asarray(bins.is_categorical, bool), kind="stable")
        self.scratch = np.empty((len(bins.words), 4, BINS))
        self.extras = start_extras(bins, growth, capacity)


def start_extras(bins, growth, capacity):
    """Return Extras without random numbers; None if there is nothing of that kind."""
    sets = growth.interaction if growth.interaction is not None else []
    if not (sets or growth.max_features < 1.0 or np.any(bins.is_categorical)):
        return None
    members = np.zeros((len(sets), len(bins.codes)), np.uint8)
    for s, features in enumerate(sets):
        members[s, list(features)] = 1
    active, draws = np.zeros((capacity, len(sets)), np.uint8), np.zeros(1, np.uint32)
    return Extras(members, active, float(growth.max_features), draws)


def node_capacity(n, growth):
    """Return how many nodes a tree may have."""
    leaves = max(n // max(growth.min_samples_leaf, 1), 1)
    if growth.max_leaf_nodes > 0:
        leaves = min(leaves, growth.max_leaf_nodes)
    if 0 <= growth.max_depth < 31:
        leaves = min(leaves, 2**growth.max_depth)
    return 2 * leaves - 1


def grow_binned(bins, gradients, hessians, growth, *, seed=None, binner, workspace=None, n_jobs=-1):
    """Grow one tree of histogram boosting.

    Parameters
    ----------
    bins : Bins, of `Binner.transform`
    gradients : array of shape (n,)
    hessians : array of shape (n,), or (1,): the same for all rows
    growth : BinnedGrowth
    seed : numpy.random.Generator or int, default=None
        Draws the features of each node if `growth.max_features` < 1: a Generator as scikit-learn
        does, and it moves on.
    binner : Binner, which knows the edges of the bins
    workspace : Workspace, default=None
        Of a whole fit; saves the time to make one. Not for two calls at once.
    n_jobs : int or None, default=-1
        The tree does not depend on it.

    Returns
    -------
    nodes : Nodes
        `value` is (2); `impurity` is the gain (3) of inner nodes, and 0 in leaves;
        `weighted_n_node_samples` counts rows.
    leaf_of_row : int32 array of shape (n,), the number of the leaf of each row

    Raises
    ------
    ValueError
        Gradients or Hessians are not finite.
    """
    gradients = np.ascontiguousarray(gradients, np.float64)
    hessians = np.ascontiguousarray(hessians, np.float64)
    shared = workspace or Workspace(bins, growth, len(hessians) == 1)
    state, rng, before = make_state(bins, gradients, hessians, growth, shared, seed)
    n_threads = min(count_threads(n_jobs), len(bins.words))
    if DISABLE_JIT or bins.codes.size < SMALL:
        n_threads = 1

    def part(i):
        try:
            work(state, i == 0)
        finally:
            if i == 0:
                state.job[OVER] = 1  # whatever happened, nobody waits for the leader

    reduce_blocks(part, range(n_threads), lambda *parts: None, n_jobs=n_threads)
    if state.job[KIND] == FAILED:
        raise ValueError("The gradients or Hessians of the loss are not finite.")
    if rng is not None:
        rng.bit_generator.state = before
        rng.integers(0, 2**32, dtype=np.uint32, size=state.job[N_DRAWN])
    return as_nodes(state, growth, binner), state.leaf_of_row


def make_state(bins, gradients, hessians, growth, shared, seed):
    """Gather what the threads share; return it, with the generator and its state before."""
    d, n = bins.codes.shape
    rng, before, extras = None, None, shared.extras
    if growth.max_features < 1.0:
        rng = np.random.default_rng(seed)
        before = rng.bit_generator.state
        size = len(shared.table.nodes) * d + 1000
        extras = extras._replace(draws=rng.integers(0, 2**32, dtype=np.uint32, size=size))
    rows = Rows(
        bins.codes,
        bins.words,
        gradients,
        hessians,
        shared.statistics,
        shared.gathered,
        shared.order,
        shared.spare,
    )
    rules = Rules(
        float(growth.min_samples_leaf),
        float(growth.min_hessian),
        float(growth.l2),
        float(growth.min_gain),
    )
    state = State(
        rows=rows,
        table=shared.table,
        features=shared.features,
        gain=shared.gain,
        sides=shared.sides,
        rules=rules,
        limits=Limits(
            int(growth.max_leaf_nodes),
            int(growth.max_depth),
            n.bit_length(),
            float(hessians[0]) if len(hessians) == 1 else 0.0,
        ),
        extras=extras,
        scratch=shared.scratch,
        chunks=shared.chunks,
        leaf_of_row=np.empty(n, np.int32),
        job=new_board(N_JOB),
    )
    return state, rng, before


def as_nodes(state, growth, binner):
    """Return the tree as Nodes, in preorder."""
    n_nodes = state.job[N_NODES]
    grown = state.table.nodes[:n_nodes]
    order = np.empty(n_nodes, np.int64)
    order[grown["number"]] = np.arange(n_nodes)
    nodes = grown[order]
    inner = nodes["left"] >= 0
    at = {side: np.where(inner, nodes[side], 0) for side in ("left", "right")}
    children = [np.where(inner, grown["number"][i], LEAF) for i in at.values()]
    goes_left = state.table.goes_left[order]
    feature = np.where(inner, nodes["feature"], UNDEFINED)
    splits = binner.real_splits(feature, goes_left)
    count = nodes["stop"] - nodes["start"]
    return Nodes(
        children_left=children[0],
        children_right=children[1],
        feature=feature,
        threshold=splits.threshold,
        missing_go_to_left=np.where(inner, goes_left[:, MISSING], 0).astype(np.uint8),
        value=(growth.shrinkage * nodes["value"]).reshape(-1, 1, 1),
        impurity=np.where(inner, nodes["gain"], 0.0),
        n_node_samples=count,
        weighted_n_node_samples=count.astype(np.float64),
        category_set=splits.category_set,
        set_start=splits.set_start,
        set_words=splits.set_words,
    )
