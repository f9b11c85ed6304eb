"""Which features a node may be split by.

Those that share a set of the interaction constraints with all features above it; and of these a
random part, drawn as scikit-learn draws it. Without constraints and draws there are no extras,
None, and no kernel compiles what follows.
"""

import numpy as np

from skcourse.core.kernel import kernel
from skcourse.tree.histograms import WIDTH


@kernel
def restrict_root(extras):
    """Let all sets of the interaction constraints hold at the root."""
    if extras is not None:
        for s in range(len(extras.sets)):
            extras.active[0, s] = 1


@kernel
def restrict_children(extras, parent, left, feature):
    """Let those sets hold at both children that hold at the parent and have the feature."""
    if extras is not None:
        for s in range(len(extras.sets)):
            active = extras.active[parent, s] & extras.sets[s, feature]
            extras.active[left, s], extras.active[left + 1, s] = active, active


@kernel
def is_block_allowed(extras, node, block):
    """Tell whether any of the 8 features of a block may come to a split of a node or below."""
    if extras is None:
        return True
    sets, allowed = extras.sets, len(extras.sets) == 0
    for f in range(block * WIDTH, min((block + 1) * WIDTH, sets.shape[1])):
        for s in range(len(sets)):
            allowed |= (extras.active[node, s] != 0) & (sets[s, f] != 0)
    return allowed


@kernel(counted=True)
def allow(extras, node, n_drawn, features, gain):
    """Write which features a node may be split by.

    Parameters
    ----------
    extras : Extras, or None: all
    node : int
    n_drawn : int, of the random numbers, how many were used before
    features : FEATURE (d,)
    gain : float64 (d,), overwritten: inf where a split is to be searched, -inf elsewhere

    Returns
    -------
    n_drawn : int, how many were used now
    """
    for f in range(len(gain)):
        gain[f] = np.inf
    if extras is None:
        return 0
    sets, active = extras.sets, extras.active[node]
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
    if extras.share >= 1.0:
        for i in range(n):
            gain[candidates[i]] = np.inf
        return 0
    n_chosen = max(1, int(np.ceil(extras.share * n)))
    return draw(candidates[:n], n_chosen, extras.draws[n_drawn:], gain)


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
