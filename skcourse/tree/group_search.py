"""The best split of a node whose rows come in ordered groups: the bins of a histogram.

Problem     Rows that share a bin cannot be told apart. All that a split needs of
            group b are sums over its rows: their number n_b, their weight W_b and K statistics
            S_b = sum of w y. What a side of a split is worth, with l2 >= 0, is
                v = S / (W + l2),   worth = <S, v>                                (1)
            and a split gains worth_L + worth_R - worth of the node. With l2 = 0 this is the fall
            of the squared error, and of Gini's impurity where y is one-hot; with S = -G and W = H
            it is that of the loss in Newton boosting, twice.
Iteration   Bins have an order: the first b of them go left, for every b, with the rows whose value
            is missing on the right, then on the left.
Bounds      A monotonic constraint leaves a node the values [lower, upper]: then v is clipped, and
            its worth, still <S, v>, is scikit-learn's (v as it comes maximises 2 <S, v> -
            (W + l2) v^2, which is <S, v> there, and not elsewhere).
Cost        Two divisions per bin and direction.
Reference   T. Chen, C. Guestrin, XGBoost: a scalable tree boosting system, KDD, 2016, eq. 7.
"""

from typing import NamedTuple

import numpy as np

from skcourse.core.kernel import kernel

TINY = 1e-15  # weight 0 and l2 0: the value is 0, not NaN
ROUNDING = 1e-9  # of a gain: what gains the same but for that is a tie
NOISE = 1e-12  # of the worth of a node: rounding gains no more, and decides nothing


class Rules(NamedTuple):
    """What a split must fulfil. All numbers are float, so that kernels compile once."""

    min_count: float  # rows on each side, at least
    min_weight: float  # weight on each side, at least
    l2: float
    min_gain: float  # a split gains more, and more than rounding; -inf: any split will do


class Bounds(NamedTuple):
    """What the values of both sides must fulfil; (-inf, inf, 0.0) is nothing."""

    lower: float
    upper: float
    monotonic: float  # 1: v_L <= v_R, -1: v_L >= v_R, 0: as it comes


class Sums(NamedTuple):
    """The sums of some groups."""

    count: float
    weight: float
    total: float  # S, where K = 1


class Threshold(NamedTuple):
    """The best split between ordered groups."""

    gain: float  # -inf: none is allowed
    position: int  # groups 0 .. position go left
    missing_left: bool
    left: Sums


@kernel(exact=True)
def bounded_value(total, weight, l2, bounds):
    """Return v = S / (W + l2) of (1), clipped to [lower, upper]."""
    return min(max(total / (weight + l2 + TINY), bounds.lower), bounds.upper)


@kernel(exact=True)
def gains_of_thresholds(below, missing, whole, parent, rules, bounds, gains):
    """Write the gain of each split "groups 0 .. b and `missing` go left", -inf if not allowed.

    Parameters
    ----------
    below : float64 (>= 3, >= n_groups); counts, weights and S of the groups 0 .. b, added up
    missing : Sums of the rows that go left besides
    whole : Sums of the node
    parent : float, worth of the node, S v with its bounded v
    rules : Rules
    bounds : Bounds
    gains : float64 (n_groups,), overwritten
    """
    for b in range(len(gains)):
        left_count = below[0, b] + missing.count
        left_weight = below[1, b] + missing.weight
        left = below[2, b] + missing.total
        right_count, right_weight = whole.count - left_count, whole.weight - left_weight
        right = whole.total - left
        left_value = bounded_value(left, left_weight, rules.l2, bounds)
        right_value = bounded_value(right, right_weight, rules.l2, bounds)
        gain = left * left_value + right * right_value - parent
        allowed = (
            (min(left_count, right_count) >= rules.min_count)
            & (min(left_weight, right_weight) >= rules.min_weight)
            & ((right_value - left_value) * bounds.monotonic >= 0.0)
        )
        gains[b] = gain if allowed else -np.inf


@kernel(exact=True)
def best_threshold(below, missing, parent, rules, bounds, gains):
    """Find the split of most gain between ordered groups; the first found wins a tie.

    Splits are visited in scikit-learn's order: thresholds upwards with the missing rows on the
    right, then, if there are missing rows, thresholds downwards with them on the left.

    Parameters
    ----------
    below : float64 (>= 3, >= n_groups); counts, weights and S of groups 0 .. b, added up: where
        sums are integers times a step, add them as integers, so that they are exact
    missing : Sums of the rows whose value is missing; Sums(0.0, 0.0, 0.0) if there are none
    parent : float, worth of the node, S v with its bounded v
    rules : Rules
    bounds : Bounds
    gains : float64 (n_groups,), for scratch

    Returns
    -------
    found : Threshold
    """
    n = len(gains)
    whole = Sums(
        below[0, n - 1] + missing.count,
        below[1, n - 1] + missing.weight,
        below[2, n - 1] + missing.total,
    )
    none = Sums(0.0, 0.0, 0.0)
    noise = NOISE * abs(parent)
    gain, position, missing_left = rules.min_gain, -1, False
    gains_of_thresholds(below, none, whole, parent, rules, bounds, gains)
    for b in range(n):
        if gains[b] > gain + noise and below[0, b] < whole.count:
            gain, position = gains[b], b
            noise = NOISE * abs(parent) + ROUNDING * gain
    if missing.count > 0.0:
        gains_of_thresholds(below, missing, whole, parent, rules, bounds, gains)
        for b in range(n - 2, -1, -1):
            if gains[b] > gain + noise and below[0, b] > 0.0:
                gain, position, missing_left = gains[b], b, True
                noise = NOISE * abs(parent) + ROUNDING * gain
    if position < 0:
        return Threshold(-np.inf, -1, False, none)
    left = Sums(below[0, position], below[1, position], below[2, position])
    if missing_left:
        left = Sums(
            left.count + missing.count, left.weight + missing.weight, left.total + missing.total
        )
    return Threshold(gain, position, missing_left, left)
