"""The best split of a node, given its histograms.

Thresholds and categories are searched by `group_search` and `category_search`, with S = -G and
W = H: a side is worth G^2 / (H + l2). Features are visited as scikit-learn does, categories first,
and the first of the best wins.

A node may have to do with some features only: those that share a set of the interaction constraints
with all features above it, and of these a random part, drawn as scikit-learn draws it.
"""

from typing import NamedTuple

import numpy as np

from skcourse.core.kernel import kernel
from skcourse.tree.category_search import QUADRATIC, CategoryRules, best_on_a_line
from skcourse.tree.group_search import Bounds, Sums, best_threshold
from skcourse.tree.histograms import BINS, MISSING, WIDTH, group_sums, sums_below

SUPPORT = 10.0  # rows of a category, or their Hessians; and the smoothing of its mean


class Features(NamedTuple):
    """What a search knows of the features."""

    n_bins: np.ndarray  # int64 (d,), without the one of missing values
    is_categorical: np.ndarray  # uint8 (d,)
    has_missing: np.ndarray  # uint8 (d,)
    monotonic: np.ndarray  # float64 (d,): 1, 0 or -1
    order: np.ndarray  # int64 (d,), in which they are visited


class Found(NamedTuple):
    """The best split of each feature, for the left and the right child of a node."""

    allowed: np.ndarray  # uint8 (2, d): which features are searched
    gain: np.ndarray  # float64 (2, d), -inf if there is none
    goes_left: np.ndarray  # uint8 (2, d, 256), the codes that go left


@kernel
def search_feature(histogram, f, features, node, scale, rules):
    """Find the best split by feature `f` of a node.

    Parameters
    ----------
    histogram : int64 (8 * 256 * k,), of the 8 features that `f` is among
    f : int
    features : Features
    node : (parent, lower, upper): worth of the node, and the bounds of its children's values
    scale : Scale
    rules : Rules

    Returns
    -------
    gain : float, -inf if there is none
    goes_left : uint8 (256,), 1 for the codes that go left
    """
    goes_left = np.zeros(BINS, np.uint8)
    bounds = Bounds(node[1], node[2], features.monotonic[f])
    n_bins = features.n_bins[f]
    if features.is_categorical[f]:
        groups = group_sums(histogram, f % WIDTH, n_bins, scale)
        kind = CategoryRules(QUADRATIC, True, SUPPORT, SUPPORT, False)
        split = best_on_a_line(groups, node[0], goes_left[: n_bins + 1], rules, kind, bounds)
        missing_left = goes_left[n_bins]
        goes_left[n_bins] = 0
        goes_left[MISSING] = missing_left
        return split.gain, goes_left
    below = np.empty((3, n_bins))
    count, weight, total = sums_below(histogram, f % WIDTH, n_bins, scale, below)
    missing = Sums(count, weight, total)
    found = best_threshold(below, missing, node[0], rules, bounds, np.empty(n_bins))
    for b in range(found.position + 1):
        goes_left[b] = 1
    goes_left[MISSING] = found.missing_left
    return found.gain, goes_left


@kernel
def allow(active, sets, order, share, draws, allowed):
    """Write which features a node may be split by.

    Parameters
    ----------
    active : uint8 (n_sets,), the sets of the interaction constraints that hold here
    sets : uint8 (n_sets, d), their features; no sets: no constraints
    order : int64 (d,), in which features are visited
    share : float, of the features, drawn at random; 1.0: all
    draws : uint32, random numbers to be used, from the first
    allowed : uint8 (d,), overwritten

    Returns
    -------
    n_drawn : int, how many of them were used
    """
    candidates, n = np.empty(len(order), np.int64), 0
    for f in order:
        allowed[f] = 0
        inside = len(sets) == 0
        for s in range(len(sets)):
            inside |= (active[s] != 0) & (sets[s, f] != 0)
        if inside:
            candidates[n] = f
            n += 1
    if share >= 1.0:
        for i in range(n):
            allowed[candidates[i]] = 1
        return 0
    return draw(candidates[:n], max(1, int(np.ceil(share * n))), draws, allowed)


@kernel
def draw(candidates, n_chosen, draws, allowed):
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
        allowed[candidates[i]] = chosen[i]
    return used
