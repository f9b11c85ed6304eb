"""A tree of centres: a row goes down to the nearer of two, until there are none below.

Problem     At each node with children a and b, a row x goes to a if |x - c_a| <= |x - c_b|, else
            to b. The leaf where it ends is its cluster.
Cost        2 d products per level: a row sees as many centres as its way is long.
"""

from typing import NamedTuple

import numpy as np

from skcourse.cluster.dense import forget, over, read_only
from skcourse.cluster.sparse import SparseRows, squared_distance, squared_norms
from skcourse.core.kernel import kernel

TOO_SMALL, ALL_EQUAL, SPLITTABLE = range(3)  # ranks of leaves: the highest are split first


class Tree(NamedTuple):
    """Nodes, of which the first is the root."""

    centers: np.ndarray  # c, (n_nodes, d), units and dtype of X
    children: np.ndarray  # int32, (n_nodes, 2), -1 for none
    labels: np.ndarray  # the cluster of a leaf, int32, (n_nodes,), -1 for other nodes


@kernel
def follow(X, tree, labels):
    """Write the clusters of the rows of X, (n, d), into `labels`, int32 (n,)."""
    for i in range(X.shape[0]):
        row, node = X[i], 0
        while tree.children[node, 0] >= 0:
            left, right = tree.children[node, 0], tree.children[node, 1]
            a, b, difference = tree.centers[left], tree.centers[right], 0.0
            for f in range(row.shape[0]):
                x = np.float64(row[f])
                s, t = x - np.float64(a[f]), x - np.float64(b[f])
                difference += s * s - t * t
            node = left if difference <= 0.0 else right
        labels[i] = tree.labels[node]


@kernel
def follow_sparse(X, tree, norms, labels):
    """Do what `follow` does to rows of a `sparse.Csr`; `norms` are |c|^2, float64 (n_nodes,)."""
    for i in range(labels.shape[0]):
        node = 0
        while tree.children[node, 0] >= 0:
            left, right = tree.children[node, 0], tree.children[node, 1]
            nearer = squared_distance(X, i, tree.centers[left], norms[left])
            node = (
                left
                if nearer <= squared_distance(X, i, tree.centers[right], norms[right])
                else right
            )
        labels[i] = tree.labels[node]


def descend(rows, tree):
    """Return the cluster of each row, int32 (n,)."""
    labels = np.empty(rows.shape[0], np.int32)
    tree = Tree(*map(read_only, tree))
    if isinstance(rows, SparseRows):
        norms = squared_norms(tree.centers)

        def part(here):
            follow_sparse(rows.part(here)[0], tree, norms, labels[here])

    else:

        def part(here):
            follow(rows.part(here)[0], tree, labels[here])

    over(part, rows.slices(), forget)
    return labels


class Leaf:
    """A cluster that may be split: its centre, which rows are its own, and how much it needs it."""

    def __init__(self, center, members, inertia):
        self.center, self.members, self.inertia = center, members, inertia
        self.children, self.rank = (), SPLITTABLE

    def leaves(self):
        """Yield the leaves below, or this one, from left to right."""
        waiting = [self]
        while waiting:
            leaf = waiting.pop()
            waiting.extend(leaf.children[::-1])
            if not leaf.children:
                yield leaf

    def tree(self):
        """Return all that is below as a `Tree`; clusters are numbered from left to right."""
        nodes, children, labels = [self], [], []
        order = {id(leaf): j for j, leaf in enumerate(self.leaves())}
        for node in nodes:  # grows as it goes
            if node.children:
                children.append((len(nodes), len(nodes) + 1))
                nodes.extend(node.children)
            else:
                children.append((-1, -1))
            labels.append(order.get(id(node), -1))
        centers = np.array([node.center for node in nodes])
        return Tree(centers, np.array(children, np.int32), np.array(labels, np.int32))
