"""The nodes that a row passes on its way through many trees: `decision_path`."""

import numpy as np
from scipy.sparse import csr_array, csr_matrix
from sklearn import get_config

from skcourse.core.kernel import kernel
from skcourse.tree.walk import ends_of, over_blocks


@kernel
def trace(walk, above, steps):
    """Write the parent of each node, and how many splits lie above it."""
    for node in range(len(above)):
        left = walk.splits[node]["left"]
        if left != node:
            above[left] = above[left + 1] = node
            steps[left] = steps[left + 1] = steps[node] + 1


@kernel
def fill_paths(walk, above, steps, ends, at, indices):
    """Write the nodes from root to leaf, for ends (n_trees, n), into `indices` from `at` on."""
    for i in range(ends.shape[1]):
        for t in range(ends.shape[0]):
            node = ends[t, i]
            for k in range(at + steps[node], at - 1, -1):
                indices[k] = walk.roots[t] + walk.numbers[node]
                node = above[node]
            at += steps[ends[t, i]] + 1


def node_paths(walk, X, *, n_nodes=None, n_jobs=-1):
    """Return which nodes each row passes, a CSR matrix of ones.

    Parameters
    ----------
    walk : Walk
    X : {array, sparse matrix} of shape (n, d), float32 or float64
    n_nodes : int, default=None
        How many nodes there are, if more than the table has.
    n_jobs : int or None, default=-1

    Returns
    -------
    paths : CSR matrix of shape (n, n_nodes), int64
        Numbers of nodes, those of a tree after all of the trees before, are its columns.
    """
    above, steps = np.zeros(len(walk.splits), np.int64), np.zeros(len(walk.splits), np.int64)
    trace(walk, above, steps)
    ends = np.empty((len(walk.columns), X.shape[0]), np.uint32)

    def find(block, rows):
        ends[:, rows] = ends_of(walk, block)

    over_blocks(find, X, len(ends), n_jobs)
    indptr = np.concatenate([[0], np.cumsum(np.sum(steps[ends] + 1, axis=0))])
    indices = np.empty(indptr[-1], np.int64)
    fill_paths(walk, above, steps, ends, 0, indices)
    kind = csr_array if get_config().get("sparse_interface") == "sparray" else csr_matrix
    shape = X.shape[0], len(walk.splits) if n_nodes is None else n_nodes
    return kind((np.ones(len(indices), np.int64), indices, indptr), shape=shape)
