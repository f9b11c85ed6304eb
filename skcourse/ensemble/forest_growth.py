"""The trees of a forest, grown on threads: a task is a tree.

Columns and targets are made once and shared; a tree adds its weights and a seed, so that it is the
same whichever thread grows it, and when.
"""

from typing import NamedTuple

import numpy as np

from skcourse.core.chunks import reduce_blocks
from skcourse.ensemble.forest_sampling import Sampling, splitter_seed
from skcourse.tree.columns import Columns
from skcourse.tree.grower import Growth, grow
from skcourse.tree.targets import Targets


class Ground(NamedTuple):
    """What all trees of a forest grow on."""

    columns: Columns
    targets: Targets
    growth: Growth
    min_weight_fraction_leaf: float
    sampling: Sampling

    def tree(self, seed):
        """Grow the tree of `seed`."""
        weights = self.sampling.tree_weights(seed)
        total = self.sampling.n_samples if weights is None else np.sum(weights)
        growth = self.growth._replace(min_weight_leaf=self.min_weight_fraction_leaf * total)
        return grow(
            self.columns,
            self.targets,
            growth,
            seed=splitter_seed(seed),
            weights=weights,
            n_jobs=1,
        )


def grow_trees(ground, seeds, *, n_jobs, verbose=0):
    """Return the Nodes of the trees of `seeds`, in their order.

    Parameters
    ----------
    ground : Ground
    seeds : list of int
    n_jobs : int or None
    verbose : int
        2 or more: tell of each tree.
    """

    def part(i):
        if verbose > 1:
            print(f"building tree {i + 1} of {len(seeds)}")
        return [ground.tree(seeds[i])]

    def join(grown, more):
        grown.extend(more)
        return grown

    return reduce_blocks(part, range(len(seeds)), join, n_jobs=n_jobs)
