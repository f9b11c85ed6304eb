"""What each member of a bagged ensemble sees: rows and features, drawn from a seed of its own.

A member's seed gives its features, then its rows; nothing is kept, since the seed draws them again.
The draws are scikit-learn's, one by one.
"""

from numbers import Integral
from typing import NamedTuple

import numpy as np
from sklearn.base import clone
from sklearn.utils import check_random_state
from sklearn.utils.random import sample_without_replacement

from skcourse.core.history import warn_user
from skcourse.ensemble.forest_sampling import MAX_SEED

FEW = 0.01  # of the numbers to draw from: others are drawn by shuffling


class Draws(NamedTuple):
    """How the rows and features of a member are drawn."""

    n_samples: int
    n_features: int
    max_samples: int  # rows drawn for a member
    max_features: int
    bootstrap: bool  # rows with replacement
    bootstrap_features: bool
    sample_weight: np.ndarray | None  # rows are drawn in proportion to it

    @property
    def choose_features(self):
        """Whether a member sees anything but all features in their order."""
        return self.bootstrap_features or self.max_features != self.n_features

    def of(self, seed):
        """Return the features and the rows, both with repetitions if so drawn, for `seed`."""
        rng = check_random_state(seed)
        features = indices(rng, self.n_features, self.max_features, self.bootstrap_features)
        if self.sample_weight is None:
            return features, indices(rng, self.n_samples, self.max_samples, self.bootstrap)
        shares = self.sample_weight / np.sum(self.sample_weight)
        rows = rng.choice(self.n_samples, self.max_samples, replace=self.bootstrap, p=shares)
        return features, rows

    def features_of(self, seed):
        """Return the features for `seed`."""
        rng = check_random_state(seed)
        return indices(rng, self.n_features, self.max_features, self.bootstrap_features)


def indices(rng, n, size, replace):
    """Draw `size` numbers below `n`, each as likely as any other."""
    if replace:
        return rng.randint(0, n, size)
    if size <= FEW * n:
        return first_distinct(rng, n, size)
    return sample_without_replacement(n, size, random_state=rng)


def first_distinct(rng, n, size):
    """Draw numbers below `n` until `size` of them are distinct; return these as they came.

    So does scikit-learn for few of many, one by one.
    """
    found = np.empty(0, np.int64)
    while len(found) < size:
        found = np.append(found, rng.randint(0, n, size - len(found)))
        first = np.unique(found, return_index=True)[1]
        found = found[np.sort(first)]
    return found


def bootstrap_size(n_samples, max_samples, sample_weight):
    """Return how many rows `max_samples` means: a float is a share of the sum of the weights.

    Raises
    ------
    UserWarning
        If a float comes to suspiciously few.
    """
    if max_samples is None:
        return n_samples
    if isinstance(max_samples, Integral):
        return max_samples
    if sample_weight is None:
        total, what = n_samples, "the number of samples is"
    else:
        total, what = sample_weight.sum(), "the total sum of sample weights is"
    size = max(1, int(max_samples * total))
    if size < max(10, n_samples ** (1 / 3)):
        warn_user(
            f"Using the fractional value max_samples={max_samples} when {what} {total} results in "
            f"a low number ({size}) of bootstrap samples. We recommend passing `max_samples` as an "
            "integer instead."
        )
    return size


def seeded(estimator, seed):
    """Return a clone of `estimator`, every `random_state` in it drawn from `seed`."""
    member = clone(estimator)
    rng = check_random_state(seed)
    names = sorted(member.get_params(deep=True))
    random = [name for name in names if name.split("__")[-1] == "random_state"]
    if random:
        member.set_params(**{name: rng.randint(MAX_SEED) for name in random})
    return member
