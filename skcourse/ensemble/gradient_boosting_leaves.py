"""What the leaves of a tree of gradient boosting add: a line search in each leaf.

Problem     The tree was grown on the negative slopes of the loss, and the means in its leaves are
            only a direction. Find for each leaf j the step that lowers the loss of its rows most.
Newton      log_loss and exponential take one step of Newton's iteration from 0,
                v_j = -c sum_{i in j} w_i g_i / sum_{i in j} w_i h_i,                           (1)
            with c = 1, but (K - 1) / K for K > 2 classes, each of which has trees of its own
            (Friedman 2001, algorithm 6).
Kinks       The median, the quantile or Huber's step: `BoostingLoss.leaf_values`.
Squares     The mean itself is the best step.
Monotone    Steps of neighbours may cross where means do not. At a node that splits a feature with
            a constraint, the middle m between the means of the steps on both sides bounds both:
                v_j <= m on the one side, v_j >= m on the other.                                (2)
"""

import numpy as np

from skcourse.core.kernel import kernel
from skcourse.tree.nodes import LEAF

SMALLEST = 1e-150  # below, a sum of curvatures is 0: probabilities are 0 or 1, and nothing is won


@kernel
def add_to_leaves(leaves, slopes, curvatures, weights, sums):
    """Add w_i g_i and w_i h_i to those of their leaves.

    Parameters
    ----------
    leaves : int64 array of shape (n,), -1 where a row does not count
    slopes, curvatures : float64 arrays of shape (n,)
    weights : float64 array of shape (n,), or (0,) for ones
    sums : float64 array of shape (n_nodes, 2), added to
    """
    weighted = len(weights) > 0
    for i in range(len(leaves)):
        leaf = leaves[i]
        if leaf >= 0:
            w = weights[i] if weighted else 1.0
            sums[leaf, 0] += w * slopes[i]
            sums[leaf, 1] += w * curvatures[i]


def newton_steps(leaves, n_nodes, slopes, curvatures, weights, c):
    """Return (1) for each node, float64 (n_nodes,); 0 where no row is, or no curvature."""
    sums = np.zeros((n_nodes, 2))
    add_to_leaves(leaves, slopes, curvatures, weights, sums)
    flat = np.abs(sums[:, 1]) < SMALLEST
    sums[flat] = 0.0, 1.0
    return -c * sums[:, 0] / sums[:, 1]


def keep_order(nodes, values, monotonic):
    """Clip the steps of the leaves by (2), in place.

    Parameters
    ----------
    nodes : Nodes
    values : float64 array of shape (n_nodes,), the steps at leaves
    monotonic : int8 array of shape (n_features,)
    """
    left, right = nodes.children_left, nodes.children_right
    mass, total = nodes.weighted_n_node_samples, nodes.weighted_n_node_samples * values
    for t in range(len(left) - 1, -1, -1):  # children have higher numbers
        if left[t] != LEAF:
            total[t] = total[left[t]] + total[right[t]]
    low, high = np.full(len(left), -np.inf), np.full(len(left), np.inf)
    for t in range(len(left)):
        if left[t] == LEAF:
            values[t] = min(max(values[t], low[t]), high[t])
            continue
        below, above = left[t], right[t]
        low[[below, above]], high[[below, above]] = low[t], high[t]
        sign = monotonic[nodes.feature[t]]
        if sign:
            if sign < 0:
                below, above = above, below
            middle = 0.5 * (total[below] / mass[below] + total[above] / mass[above])
            high[below] = low[above] = min(max(middle, low[t]), high[t])
