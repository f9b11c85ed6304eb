"""A grown tree is plain arrays, a row per node: growing makes it, walking and explaining read it.

The root is node 0. A sample x at an inner node goes left if x_f <= threshold; where the node splits
categories, if the category x_f is in its set; and where x_f is missing (NaN), if the node says so.
"""

from typing import NamedTuple

import numpy as np

LEAF = -1  # the children of a leaf
UNDEFINED = -2  # the feature and the threshold of a leaf


class Nodes(NamedTuple):
    """The nodes of one tree. Names and dtypes are those of scikit-learn's `tree_`."""

    children_left: np.ndarray  # int64 (n_nodes,), LEAF at leaves
    children_right: np.ndarray  # int64 (n_nodes,)
    feature: np.ndarray  # int64 (n_nodes,), UNDEFINED at leaves
    threshold: np.ndarray  # float64 (n_nodes,), UNDEFINED at leaves, NaN where categories split
    missing_go_to_left: np.ndarray  # uint8 (n_nodes,)
    value: np.ndarray  # float64 (n_nodes, n_outputs, n_classes): shares of classes, or means
    impurity: np.ndarray  # float64 (n_nodes,)
    n_node_samples: np.ndarray  # int64 (n_nodes,), rows whose weight is not 0
    weighted_n_node_samples: np.ndarray  # float64 (n_nodes,)
    category_set: np.ndarray  # int64 (n_nodes,), the set of a split of categories, else -1
    set_start: np.ndarray  # int64 (n_sets + 1,), set s is words set_start[s] .. set_start[s + 1]
    set_words: (
        np.ndarray
    )  # uint64: category c goes left if bit c % 64 of word c // 64 of its set is 1
