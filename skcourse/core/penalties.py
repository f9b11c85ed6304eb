"""Each penalty once: its value and its proximal step.

A penalty P(w) keeps coefficients small, or few. The proximal step answers what a coefficient
becomes that a step of descent has moved to v:

    prox_t(v) = argmin_w (w - v)^2 / 2 + t P(w)                                              (1)

For a sum over the coefficients it is one number at a time, with its own weight c_j in the penalty:
`step` = t c_j then. With strength a, and |w|_0 the number of w_j that are not 0:

    l2           a w^2 / 2                          w shrinks by the factor 1 / (1 + t a)
    l1           a |w|                              soft threshold S(v, t a)
    elastic net  a (r |w| + (1 - r) w^2 / 2)        both, one after the other
    MCP          a |w| - w^2 / (2 g),  constant from |w| = g a on                            (2)
    SCAD         a |w|, bent down to a constant between a and g a                            (3)
    l0           a |w|_0                            hard threshold at (2 t a)^(1/2)
    group        a sum over groups G of |w_G| sqrt(|G|): a soft threshold of the length      (4)

MCP, SCAD and l0 are not convex: large coefficients are not pulled at, and descent may end in a
local minimum. What (1) minimises is convex for t < g (MCP) and t < g - 1 (SCAD).

Reference   N. Parikh, S. Boyd, Proximal Algorithms, 2014; C.-H. Zhang, Ann. Statist., 2010 (MCP);
            J. Fan, R. Li, JASA, 2001 (SCAD); M. Yuan, Y. Lin, JRSS B, 2006 (groups).
"""

from typing import NamedTuple

import numpy as np

from skcourse.core.kernel import kernel


class Penalty(NamedTuple):
    """Which penalty, as kernels take it."""

    code: int
    strength: float  # a
    shape: float = 0.0  # r of the elastic net, g of MCP and SCAD


NO_PENALTY, L2, L1, ELASTIC_NET, MCP, SCAD, L0, GROUP = range(8)
PENALTIES = {
    "none": NO_PENALTY,
    "l2": L2,
    "l1": L1,
    "elasticnet": ELASTIC_NET,
    "mcp": MCP,
    "scad": SCAD,
    "l0": L0,
    "group": GROUP,
}
SHAPES = {"elasticnet": "l1_ratio", "mcp": "gamma", "scad": "gamma"}  # what `shape` is called
SMOOTH = ("none", "l2")


@kernel
def soft_threshold(v, t):
    """S(v, t) = sign(v) max(|v| - t, 0), the step of t |w|."""
    if v > t:
        return v - t
    if v < -t:
        return v + t
    return 0.0 * v


@kernel
def value_of(penalty, w):
    """Return P(w) of one coefficient (of a group: of its length, the root of its size aside)."""
    code, a, size = penalty.code, penalty.strength, abs(w)
    if code == NO_PENALTY:
        return 0.0
    if code == L2:
        return 0.5 * a * w * w
    if code == ELASTIC_NET:
        return a * (penalty.shape * size + 0.5 * (1.0 - penalty.shape) * w * w)
    if code == L0:
        return a if w != 0 else 0.0
    g = penalty.shape
    if code == MCP:  # (2)
        return a * size - 0.5 * w * w / g if size < g * a else 0.5 * g * a * a
    if code == SCAD and size > a:  # (3)
        if size > g * a:
            return 0.5 * a * a * (g + 1.0)
        return (2.0 * g * a * size - w * w - a * a) / (2.0 * (g - 1.0))
    return a * size


@kernel
def proximal(penalty, v, step):
    """Return (1) for one coefficient (of a group: for its length)."""
    code, t = penalty.code, step * penalty.strength
    if code == NO_PENALTY:
        return v
    if code == L2:
        return v / (1.0 + t)
    if code in (L1, GROUP):
        return soft_threshold(v, t)
    if code == ELASTIC_NET:
        return soft_threshold(v, t * penalty.shape) / (1.0 + t * (1.0 - penalty.shape))
    if code == L0:
        return v if 0.5 * v * v > t else 0.0 * v
    a, g, size = penalty.strength, penalty.shape, abs(v)
    if step >= (g if code == MCP else g - 1.0):
        return better_end(penalty, v, step)
    if size > g * a:
        return v
    if code == MCP:
        return soft_threshold(v, t) / (1.0 - step / g)
    if size > a * (1.0 + step):  # SCAD
        return soft_threshold(v, t * g / (g - 1.0)) / (1.0 - step / (g - 1.0))
    return soft_threshold(v, t)


@kernel
def better_end(penalty, v, step):
    """Return (1) of MCP or SCAD for a step so long that all between the ends is a maximum."""
    a, g, size = penalty.strength, penalty.shape, abs(v)
    near = 0.0
    if penalty.code == SCAD:
        near = min(max(size - step * a, 0.0), a)
    far = max(size, g * a)
    cost_near = 0.5 * (near - size) ** 2 + step * value_of(penalty, near)
    cost_far = 0.5 * (far - size) ** 2 + step * value_of(penalty, far)
    best = far if cost_far < cost_near else near
    return best if v > 0 else -best


@kernel
def penalty_value(penalty, w, weights, groups):
    """Return sum_j c_j P(w_j), or (4).

    Parameters
    ----------
    penalty : Penalty
    w : array of shape (p,)
    weights : array of shape (p,), c, or (0,) for ones; of a group, that of its first member counts
    groups : int64 array of shape (n_groups + 1,), where each group of neighbours begins, or (0,)
    """
    total = 0.0
    if len(groups) == 0:
        for j in range(len(w)):
            total += value_of(penalty, w[j]) * (weights[j] if len(weights) else 1.0)
        return total
    for k in range(len(groups) - 1):
        first, end = groups[k], groups[k + 1]
        c = np.sqrt(end - first) * (weights[first] if len(weights) else 1.0)
        total += c * value_of(penalty, length(w[first:end]))
    return total


@kernel
def proximal_step(penalty, w, step, weights, groups):
    """Replace w by its proximal step (1), coefficient by coefficient or group by group."""
    if len(groups) == 0:
        for j in range(len(w)):
            w[j] = proximal(penalty, w[j], step * (weights[j] if len(weights) else 1.0))
        return
    for k in range(len(groups) - 1):
        first, end = groups[k], groups[k + 1]
        c = np.sqrt(end - first) * (weights[first] if len(weights) else 1.0)
        before = length(w[first:end])
        if before > 0:
            after = proximal(penalty, before, step * c)
            for j in range(first, end):
                w[j] *= after / before


@kernel
def length(w):
    """|w|."""
    total = 0.0
    for j in range(len(w)):
        total += w[j] * w[j]
    return np.sqrt(total)
