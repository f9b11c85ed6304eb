"""The best split of the categories that a node holds into two sets.

Problem     As in `group_search`, but the groups have no order: any subset may go left. Rows whose
            value is missing are one group more.
Worth       Of a side with sums S and weight W, by `CategoryRules.score`:
                QUADRATIC     sum_k S_k v_k,   v_k = S_k / (W + l2)               (1)
                ENTROPY       sum_k S_k log(S_k / W),   S_k the weight of class k  (2)
                POISSON       the same, S = sum of w y, which is to be positive
            (1) is Gini's impurity, the squared error and Newton boosting. Largest is best.
Search      One statistic, or two classes: the order of the means S_b / W_b, in which the best split
            is between neighbours, for (1) with l2 = 0 and for (2). Otherwise every subset, up to
            `FEW` groups; and beyond, the best of the order along the principal direction
            (`category_order`) and of those by each single statistic, up to `MANY` of these.
Boosting    smoothing and support are 10 in scikit-learn's histogram boosting: the order is that of
            S_b / (W_b + smoothing), and groups with W_b n / W < support go right; both 0 in trees.
Cost        m log m + m K for each order; 2^(m - 1) K for all subsets.
Reference   W. D. Fisher, On grouping for maximum homogeneity, JASA, 1958; L. Breiman et al.,
            Classification and regression trees, 1984, section 4.2.2.
"""

from typing import NamedTuple

import numpy as np

from skcourse.core.kernel import kernel
from skcourse.tree.category_order import principal_keys, sort_by_key
from skcourse.tree.group_search import NOISE, TINY

FEW = 8  # groups, all of whose subsets are tried
MANY = 16  # statistics, each of which is tried for an order

QUADRATIC, ENTROPY, POISSON = 0.0, 1.0, 2.0  # scores: float, so that kernels compile once


class CategoryRules(NamedTuple):
    """How sets of categories are compared, beside `Rules`."""

    score: float  # QUADRATIC, ENTROPY or POISSON
    on_a_line: bool  # K = 1, or the two classes of one output
    smoothing: float  # of the means that order the categories
    support: float  # groups of less go right
    lighter_left: bool  # trees: what the node did not see goes right, with the majority of rows


class CategorySplit(NamedTuple):
    """The best split of the groups."""

    gain: float  # worth_L + worth_R - parent; -inf: none is allowed
    missing_left: bool


@kernel(exact=True)
def worth(sums, side, rules, kind, bounds):
    """Return (1) or (2) of the sums of a side: count, W, S_1 .. S_K; -inf if not allowed."""
    if sums[side, 0] < max(rules.min_count, 1.0) or sums[side, 1] < rules.min_weight:
        return -np.inf
    weight = sums[side, 1] + rules.l2 + TINY
    if sums.shape[1] == 3 and kind.score == QUADRATIC:
        return sums[side, 2] * min(max(sums[side, 2] / weight, bounds.lower), bounds.upper)
    total = 0.0
    for k in range(2, sums.shape[1]):
        if kind.score == QUADRATIC:
            total += sums[side, k] ** 2 / weight
        elif sums[side, k] > 0.0:
            total += sums[side, k] * np.log(sums[side, k] / weight)
        elif kind.score == POISSON:
            return -np.inf
    return total


@kernel(exact=True)
def add_group(groups, b, sign, sums):
    """Add group b, times `sign`, to the left side, sums[1]."""
    for k in range(groups.shape[1]):
        sums[1, k] += sign * groups[b, k]


@kernel(exact=True)
def worth_of_both(sums, rules, kind, bounds):
    """Return the worth of the left side, sums[1], and of the rest of the whole, sums[0]."""
    both = 0.0
    for k in range(sums.shape[1]):
        sums[2, k] = sums[0, k] - sums[1, k]
    for side in range(1, 3):
        both += worth(sums, side, rules, kind, bounds)
    return both


@kernel(exact=True)
def scan_order(groups, order, best, goes_left, rules, kind, bounds):
    """Try the first groups of `order` on the left, then the last: up to half of them each.

    Where a split is worth more than `best`, it is marked in goes_left; so the first wins a tie.

    Parameters
    ----------
    groups : float64 (n_groups, 2 + K): count, W, S_1 .. S_K; what is not in `order` goes right
    order : int64 (m,)
    best : float
    goes_left : uint8 (n_groups,)
    rules, kind, bounds : Rules, CategoryRules, Bounds (which clip values where K = 1)

    Returns
    -------
    best : float, that of the split in goes_left
    """
    m, width = len(order), groups.shape[1]
    sums = np.zeros((3, width))
    for b in range(len(groups)):
        for k in range(width):
            sums[0, k] += groups[b, k]
    size, from_end = 0, False
    for end in range(2):
        for k in range(width):
            sums[1, k] = 0.0
        for i in range((m + 1) // 2 - end):
            add_group(groups, order[m - 1 - i] if end else order[i], 1.0, sums)
            gain = worth_of_both(sums, rules, kind, bounds)
            if gain > best:
                best, size, from_end = gain, i + 1, end == 1
    if size:
        for b in range(len(groups)):
            goes_left[b] = 0
        for i in range(size):
            goes_left[order[m - 1 - i] if from_end else order[i]] = 1
    return best


@kernel(exact=True)
def scan_subsets(groups, present, best, goes_left, rules, kind, bounds):
    """Try every subset of the groups present that leaves the last one right; as `scan_order`.

    Subset s follows the Gray code s ^ (s >> 1): a single group changes sides from one to the next.
    """
    m = len(present)
    sums = np.zeros((3, groups.shape[1]))
    for b in present:
        for k in range(groups.shape[1]):
            sums[0, k] += groups[b, k]
    chosen = 0
    for s in range(1, 1 << (m - 1)):
        i, code = 0, s ^ (s >> 1)
        while not (s >> i) & 1:
            i += 1
        add_group(groups, present[i], 1.0 if (code >> i) & 1 else -1.0, sums)
        gain = worth_of_both(sums, rules, kind, bounds)
        if gain > best:
            best, chosen = gain, code
    if chosen:
        for b in range(len(groups)):
            goes_left[b] = 0
        for i in range(m):
            goes_left[present[i]] = (chosen >> i) & 1
    return best


@kernel(exact=True)
def mean_keys(groups, present, k, smoothing, keys):
    """Write keys that put the groups in the order of their means of statistic k, largest first."""
    for b in present:
        keys[b] = -groups[b, 2 + k] / (groups[b, 1] + smoothing)


@kernel(exact=True)
def try_orders(groups, present, best, goes_left, rules, kind, bounds):
    """Try the principal order and that of the means of each statistic."""
    n_sums = groups.shape[1] - 2
    keys = np.empty(len(groups))
    for k in range(-1, n_sums if n_sums <= MANY else 0):
        if k < 0:
            principal_keys(groups, present, keys)
        else:
            mean_keys(groups, present, k, kind.smoothing, keys)
        sort_by_key(keys, present)
        best = scan_order(groups, present, best, goes_left, rules, kind, bounds)
    return best


@kernel(exact=True)
def groups_present(groups, support):
    """Return the numbers of the groups that have rows, and the share W_b n / W >= support."""
    count, weight = 0.0, 0.0
    for b in range(len(groups)):
        count += groups[b, 0]
        weight += groups[b, 1]
    present, m = np.empty(len(groups), np.int64), 0
    for b in range(len(groups)):
        if groups[b, 0] > 0.0 and groups[b, 1] * count >= support * weight:
            present[m] = b
            m += 1
    return present[:m]


@kernel(exact=True)
def put_lighter_left(groups, present, goes_left):
    """Exchange the sides if the left one is the heavier."""
    difference = 0.0
    for b in present:
        difference += groups[b, 1] if goes_left[b] else -groups[b, 1]
    if difference > 0.0:
        for b in present:
            goes_left[b] = 1 - goes_left[b]


@kernel(exact=True)
def best_on_a_line(groups, parent, goes_left, rules, kind, bounds):
    """Find the set of groups to go left where the order of their means is all there is to know.

    That is with one statistic, or two classes. The rest is as in `best_categories`.
    """
    present = groups_present(groups, kind.support)
    if len(present) < 2:
        return CategorySplit(-np.inf, False)
    threshold = rules.min_gain + parent + NOISE * abs(parent)
    keys = np.empty(len(groups))
    mean_keys(groups, present, groups.shape[1] - 3, kind.smoothing, keys)
    sort_by_key(keys, present)
    best = scan_order(groups, present, threshold, goes_left, rules, kind, bounds)
    if not best > threshold:
        return CategorySplit(-np.inf, False)
    if kind.lighter_left:
        put_lighter_left(groups, present, goes_left)
    return CategorySplit(best - parent, goes_left[len(groups) - 1] == 1)


@kernel(exact=True)
def best_categories(groups, parent, goes_left, rules, kind, bounds):
    """Find the set of groups to go left, of most worth.

    Parameters
    ----------
    groups : float64 (n_groups + 1, 2 + K), C: count, W, S_1 .. S_K of each group; the last row is
        that of missing values, zeros if there are none. Groups of count 0 are not there.
    parent : float, worth of the node, taken from the gain; `rules.min_gain` is compared after that
    goes_left : uint8 (n_groups + 1,), overwritten if a split is found
    rules : Rules
    kind : CategoryRules
    bounds : Bounds

    Returns
    -------
    found : CategorySplit
    """
    if kind.on_a_line:
        return best_on_a_line(groups, parent, goes_left, rules, kind, bounds)
    present = groups_present(groups, kind.support)
    threshold = rules.min_gain + parent + NOISE * abs(parent)
    if len(present) < 2:
        return CategorySplit(-np.inf, False)
    if len(present) <= FEW and kind.support == 0.0:
        best = scan_subsets(groups, present, threshold, goes_left, rules, kind, bounds)
    else:
        best = try_orders(groups, present, threshold, goes_left, rules, kind, bounds)
    if not best > threshold:
        return CategorySplit(-np.inf, False)
    if kind.lighter_left:
        put_lighter_left(groups, present, goes_left)
    return CategorySplit(best - parent, goes_left[len(groups) - 1] == 1)


@kernel
def write_set(codes, goes_left, words):
    """Write the bitset of the categories that go left: bit c % 64 of words[c // 64] is c's.

    Parameters
    ----------
    codes : int64 (n_groups,), the category of each group
    goes_left : uint8 (>= n_groups,), of `best_categories`; what comes after the groups is missing
    words : uint64 (n_words,), overwritten
    """
    for w in range(len(words)):
        words[w] = 0
    for b in range(len(codes)):
        if goes_left[b]:
            words[codes[b] >> 6] |= np.uint64(1) << np.uint64(codes[b] & 63)
