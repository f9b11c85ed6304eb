"""Coordinate descent for the elastic net, on residuals.

Problem     (1) of `duality_gap`: squares, and a penalty with a kink, over k features z_j.
Iteration   A sweep sets every w_j to its best value, by (1) of `coordinate_step`, in turn or drawn;
            every five sweeps there is an extrapolation (`extrapolation`).
Slopes      <z_j, r> comes from r: a product of length n, and one more if w_j moves. `gram_descent`
            keeps all of them up to date instead.
Cost        k n to 2 k n products per sweep (sparse: as many as there are entries).
Reference   As in `coordinate_step`.
"""

from typing import NamedTuple

import numpy as np

from skcourse.core.coordinate_step import Descended, draw, move
from skcourse.core.duality_gap import duality_gap, largest_slope
from skcourse.core.extrapolation import WINDOW, extrapolate, in_one_piece
from skcourse.core.kernel import kernel


class Features(NamedTuple):
    """The k features at hand, dense or sparse; arrays of the other kind are empty."""

    sparse: bool
    norms: np.ndarray  # |z_j|^2, (k,); a feature with 0 is left alone
    rows: np.ndarray  # z_j in row j, (k or more, n)
    data: np.ndarray  # sparse: s_i x_ij, feature by feature
    indices: np.ndarray  # sparse: their i, int64
    starts: np.ndarray  # sparse: feature j has the entries from starts[j] to starts[j + 1]
    means: np.ndarray  # sparse: m_j; z_ij = s_i (x_ij - m_j)
    pulls: np.ndarray  # sparse: sum_i s_i s_i x_ij
    weight: float  # sparse: sum_i s_i s_i


class State(NamedTuple):
    """Where the descent is; (t, k) and the like are parts of `flat`."""

    flat: np.ndarray  # what sweeps change, as one vector: w, and what follows from it affinely
    w: np.ndarray  # (t, k)
    residual: np.ndarray  # r, (t, n); sparse: less shift s
    shift: np.ndarray  # sparse: shift, and <s, r>; (t, 2)
    slopes: np.ndarray  # Z'r, (t, k), found when a descent ends; no part of `flat`


@kernel
def walk(features, net, rules, state, before, moving):
    """Do (1) of `coordinate_step` k times, `before` steps after the first; or only find all slopes.

    Returns
    -------
    change, size : float, of the largest change, and of the largest coefficient
    """
    # NamedTuples are taken apart outside of the loops: their parts are counted at every touch
    norms, rows, data, indices = features.norms, features.rows, features.data, features.indices
    starts, means, pulls = features.starts, features.means, features.pulls
    w, r, shift, slopes = state.w, state.residual, state.shift, state.slopes
    k, u = w.shape[1], np.empty(w.shape[0])
    change, size = 0.0, 0.0
    for e in range(k):
        j = draw(rules, before, e, k) if moving else e
        if norms[j] <= 0:
            continue
        for t in range(len(u)):
            total = 0.0
            if features.sparse:
                for i in range(starts[j], starts[j + 1]):
                    total += data[i] * r[t, indices[i]]
                total += shift[t, 0] * pulls[j] - shift[t, 1] * means[j]
            else:
                for i in range(r.shape[1]):
                    total += rows[j, i] * r[t, i]
            u[t] = total
            slopes[t, j] = total
        if not moving:
            continue
        d, length = move(net, norms[j], w, j, u)
        change, size = max(change, d), max(size, length)
        for t in range(len(u) if d != 0 else 0):
            step = u[t]
            if features.sparse:
                for i in range(starts[j], starts[j + 1]):
                    r[t, indices[i]] -= data[i] * step
                shift[t, 0] += means[j] * step
                shift[t, 1] -= (pulls[j] - means[j] * features.weight) * step
            else:
                for i in range(r.shape[1]):
                    r[t, i] -= rows[j, i] * step
    return change, size


@kernel
def squared_residual(features, state):
    """|r|^2 = |v + shift s|^2, where <s, r> = <s, v> + shift |s|^2."""
    total = 0.0
    for t in range(state.residual.shape[0]):
        shift = state.shift[t, 0]
        for i in range(state.residual.shape[1]):
            total += state.residual[t, i] * state.residual[t, i]
        total += shift * (2.0 * state.shift[t, 1] - shift * features.weight)
    return total


@kernel
def sweep_rows(features, net, rules, state, past, first):
    """Do up to WINDOW sweeps, fewer if changes and gap are small, the gap of these features alone.

    Parameters
    ----------
    features : Features
    net : Net
    rules : Rules
    state : State, changed
    past : array of shape (WINDOW + 1, len(flat)), filled with the iterates, the first one apart
    first : int, the number of sweeps before these

    Returns
    -------
    n_sweeps, settled, ended, squares : as in `Descended`
    """
    w, slopes = state.w, state.slopes
    last = min(WINDOW, rules.max_sweeps - first)
    for n in range(1, last + 1):
        change, size = walk(features, net, rules, state, (first + n - 1) * w.shape[1], True)
        for i in range(past.shape[1]):
            past[n, i] = state.flat[i]
        settled = change <= rules.tol * size
        if settled or n == last:
            walk(features, net, rules, state, 0, False)
            squares = squared_residual(features, state)
            gap = duality_gap(w, slopes, squares, largest_slope(slopes, w, net), net)
            ended = (settled and gap <= rules.gap) or gap <= rules.loose or not np.isfinite(gap)
            if ended or n == last:
                return n, settled, ended, squares
    return 0, True, True, 0.0


def descend_rows(features, net, rules, w, residual, shift):
    """Sweep until changes and gap are small; return the Descended.

    Parameters
    ----------
    features : Features
    net : Net
    rules : Rules
    w : array of shape (t, k), where to start
    residual : array of shape (t, n), r there
    shift : array of shape (t, 2), zeros, and sparse: <s, r> in the second column
    """
    state = State(*in_one_piece(w, residual, shift), np.zeros(w.shape))
    past = np.empty((WINDOW + 1, len(state.flat)))
    n, ended = 0, False
    while True:
        past[0] = state.flat
        more, settled, ended, squares = sweep_rows(features, net, rules, state, past, n)
        n += more
        if ended or n >= rules.max_sweeps:
            return Descended(state.w, state.slopes, squares, n, settled, ended)
        if not rules.random:
            extrapolate(state.flat, state.w, past, net, lambda: squared_residual(features, state))
