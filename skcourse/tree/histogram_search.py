"""The best split of a node, given its histograms.

Thresholds and categories are searched by `group_search` and `category_search`, with S = -G and
W = H: a side is worth G^2 / (H + l2). Features are visited as scikit-learn does, categories first,
and the first of the best wins.
"""

import numpy as np

from skcourse.core.kernel import kernel
from skcourse.tree.category_search import QUADRATIC, CategoryRules, best_on_a_line
from skcourse.tree.group_search import Bounds, Sums, best_threshold
from skcourse.tree.histograms import BINS, MISSING, group_sums, sums_below

SUPPORT = 10.0  # rows of a category, or their Hessians; and the smoothing of its mean


FEATURE = np.dtype(
    [
        ("n_bins", "i8"),  # without the one of missing values
        ("monotonic", "f8"),  # 1, 0 or -1
        ("is_categorical", "u1"),
        ("has_missing", "u1"),
        ("visited", "i8"),  # entry i: the feature that is visited as the i-th
    ]
)


@kernel
def search_numbers(histogram, j, feature, node, scale, rules, scratch, goes_left):
    """Find the best threshold of a node on one feature; return its gain, -inf if there is none.

    Parameters
    ----------
    histogram : int64 (8 * 256 * k,), of 8 features
    j : int, which of them
    feature : FEATURE
    node : (parent, lower, upper): worth of the node, and the bounds of its children's values
    scale : Scale
    rules : Rules
    scratch : float64 (4, 256)
    goes_left : uint8 (256,), overwritten: 1 for the codes that go left
    """
    bounds = Bounds(node[1], node[2], feature["monotonic"])
    n_bins = feature["n_bins"]
    count, weight, total = sums_below(histogram, j, n_bins, scale, scratch)
    missing = Sums(count, weight, total)
    found = best_threshold(scratch, missing, node[0], rules, bounds, scratch[3, :n_bins])
    for b in range(BINS):
        goes_left[b] = b <= found.position
    goes_left[MISSING] = found.missing_left
    return found.gain


@kernel(counted=True)
def search_categories(extras, histogram, j, feature, node, scale, rules, goes_left):
    """Find the best set of categories of one feature; as `search_numbers`.

    Parameters
    ----------
    extras : Extras, or None: then there are no categories
    """
    if extras is None:
        return -np.inf
    n_bins = feature["n_bins"]
    for b in range(BINS):
        goes_left[b] = 0
    groups = group_sums(histogram, j, n_bins, scale)
    bounds = Bounds(node[1], node[2], feature["monotonic"])
    kind = CategoryRules(QUADRATIC, True, SUPPORT, SUPPORT, False)
    split = best_on_a_line(groups, node[0], goes_left[: n_bins + 1], rules, kind, bounds)
    missing_left = goes_left[n_bins]
    goes_left[n_bins] = 0
    goes_left[MISSING] = missing_left
    return split.gain
