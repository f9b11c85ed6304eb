"""The best split of a node, given its histograms.

Thresholds and categories are searched by `group_search` and `category_search`, with S = -G and
W = H: a side is worth G^2 / (H + l2). Features are visited as scikit-learn does, categories first,
and the first of the best wins.

A node may have to do with some features only: those that share a set of the interaction constraints
with all features above it, and of these a random part, drawn as scikit-learn draws it.
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
def search_feature(histogram, j, feature, node, scale, rules, goes_left):
    """Find the best split of a node by one feature; return its gain, -inf if there is none.

    Parameters
    ----------
    histogram : int64 (8 * 256 * k,), of 8 features
    j : int, which of them
    feature : FEATURE
    node : (parent, lower, upper): worth of the node, and the bounds of its children's values
    scale : Scale
    rules : Rules
    goes_left : uint8 (256,), overwritten: 1 for the codes that go left
    """
    for b in range(BINS):
        goes_left[b] = 0
    bounds = Bounds(node[1], node[2], feature["monotonic"])
    n_bins = feature["n_bins"]
    if feature["is_categorical"]:
        groups = group_sums(histogram, j, n_bins, scale)
        kind = CategoryRules(QUADRATIC, True, SUPPORT, SUPPORT, False)
        split = best_on_a_line(groups, node[0], goes_left[: n_bins + 1], rules, kind, bounds)
        missing_left = goes_left[n_bins]
        goes_left[n_bins] = 0
        goes_left[MISSING] = missing_left
        return split.gain
    below = np.empty((3, n_bins))
    count, weight, total = sums_below(histogram, j, n_bins, scale, below)
    missing = Sums(count, weight, total)
    found = best_threshold(below, missing, node[0], rules, bounds, np.empty(n_bins))
    for b in range(found.position + 1):
        goes_left[b] = 1
    goes_left[MISSING] = found.missing_left
    return found.gain


@kernel
def allow(active, sets, features, share, draws, gain):
    """Write which features a node may be split by.

    Parameters
    ----------
    active : uint8 (n_sets,), the sets of the interaction constraints that hold here
    sets : uint8 (n_sets, d), their features; no sets: no constraints
    features : FEATURE (d,)
    share : float, of the features, drawn at random; 1.0: all
    draws : uint32, random numbers to be used, from the first
    gain : float64 (d,), overwritten: inf where a split is to be searched, -inf elsewhere

    Returns
    -------
    n_drawn : int, how many of them were used
    """
    candidates, n = np.empty(len(features), np.int64), 0
    for i in range(len(features)):
        f = features[i]["visited"]
        gain[f] = -np.inf
        inside = len(sets) == 0
        for s in range(len(sets)):
            inside |= (active[s] != 0) & (sets[s, f] != 0)
        if inside:
            candidates[n] = f
            n += 1
    if share >= 1.0:
        for i in range(n):
            gain[candidates[i]] = np.inf
        return 0
    return draw(candidates[:n], max(1, int(np.ceil(share * n))), draws, gain)


@kernel
def draw(candidates, n_chosen, draws, gain):
    """Choose `n_chosen` candidates; return how many of the random numbers were used.

    As numpy's Generator shuffles an array of `n_chosen` ones and then zeros: Fisher and Yates's
    exchanges from the last place down, with as many bits as i has until they are at most i.
    """
    n, used = len(candidates), 0
    chosen = np.zeros(n, np.uint8)
    chosen[:n_chosen] = 1
    for i in range(n - 1, 0, -1):
        mask = 1
        while mask < i:
            mask = 2 * mask + 1
        j = i + 1
        while j > i:
            j = np.int64(draws[used % len(draws)]) & mask
            used += 1
        chosen[i], chosen[j] = chosen[j], chosen[i]
    for i in range(n):
        if chosen[i]:
            gain[candidates[i]] = np.inf
    return used
