"""What a tree answers on average, when some features are given and the others are not.

Problem     Given x_S, the mean of f(x_S, X_rest) over the samples of the fit, in which the rest
            is taken as independent of x_S on the way down:
                f_S(x) = sum over leaves t of v_t product of the shares on the way to t       (1)
            where a split of a feature of S has share 1 on the side of x and 0 on the other,
            and any other split the shares of weight of its children.
Iteration   One walk through the tree per x, with a stack; sides of share 0 are not entered.
Cost        At most the number of nodes, per x.
Reference   J. Friedman, Greedy function approximation, Ann. Statist. 2001, section 8.2.
"""

import numpy as np

from skcourse.core.kernel import kernel
from skcourse.tree.nodes import LEAF


@kernel
def add_mean_responses(nodes, X, position, out):
    """Add (1) of the first output to `out`; x_f is X[i, position[f]], or not given if that is -1.

    Parameters
    ----------
    nodes : Nodes
    X : float32 array of shape (n, n_given)
    position : int64 array of shape (n_features,)
    out : float64 array of shape (n,)
    """
    stack = np.empty(nodes.feature.shape[0], np.int64)
    shares = np.empty(nodes.feature.shape[0], np.float64)
    for i in range(X.shape[0]):
        stack[0], shares[0] = 0, 1.0
        height = 1
        while height > 0:
            height -= 1
            t, share = stack[height], shares[height]
            left, right = nodes.children_left[t], nodes.children_right[t]
            if left == LEAF:
                out[i] += share * nodes.value[t, 0, 0]
                continue
            given = position[nodes.feature[t]]
            if given >= 0:
                stack[height] = left if goes_left(nodes, t, X[i, given]) else right
                height += 1
                continue
            part = nodes.weighted_n_node_samples[left] / nodes.weighted_n_node_samples[t]
            stack[height], shares[height] = left, share * part
            stack[height + 1], shares[height + 1] = right, share * (1 - part)
            height += 2


@kernel
def goes_left(nodes, t, x):
    """Tell whether the value, or category, x of its feature goes left at node t."""
    s = nodes.category_set[t]
    if s < 0 and not np.isnan(x):
        return x <= nodes.threshold[t]
    if np.isnan(x) or x >= 64 * (nodes.set_start[s + 1] - nodes.set_start[s]):
        return nodes.missing_go_to_left[t] != 0  # missing, or a category that was not there
    word = nodes.set_start[s] + np.int64(x) // 64
    return (nodes.set_words[word] >> np.uint64(np.int64(x) % 64)) & np.uint64(1) != 0


def add_partial_dependence(nodes, X, target_features, out):
    """Add (1) to `out`, float64 (n,), for the rows of X: float32 values of `target_features`."""
    position = np.full(max(int(nodes.feature.max()), max(target_features, default=0)) + 1, -1)
    position[np.asarray(target_features, np.int64)] = np.arange(len(target_features))
    add_mean_responses(nodes, np.ascontiguousarray(X, np.float32), position, out)


def mean_responses(nodes, grid, target_features):
    """Return (1) for the rows of `grid`, float64 of shape (n,)."""
    out = np.zeros(len(grid))
    add_partial_dependence(nodes, np.asarray(grid), target_features, out)
    return out
