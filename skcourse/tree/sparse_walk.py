"""Sparse rows on their way through trees: only the features that trees ask for are written out.

Rows are made dense a block at a time; but texts have many words, of which splits ask for a few.
"""

import numpy as np

WORTH = 8  # cells of X that are written while a node is renamed


def narrowed(walk, X):
    """Return the walk, and a sparse X, without the features that no split asks for."""
    if isinstance(X, np.ndarray) or X.shape[0] * X.shape[1] < WORTH * len(walk.splits):
        return walk, X
    used = np.zeros(X.shape[1], np.bool_)
    used[walk.splits["feature"]] = True
    splits = walk.splits.copy()
    splits["feature"] = (np.cumsum(used) - 1)[walk.splits["feature"]]
    splits.flags.writeable = False  # as those of the walk
    return walk._replace(splits=splits), X.tocsr()[:, np.flatnonzero(used)]
