"""Principal components: tall, wide and small."""

from functools import partial

import numpy as np

from benchmarks.contenders import estimators
from benchmarks.data import bundled, low_rank
from benchmarks.harness import Workload


def lost_variance(data, fitted):
    """Return the share of the variance that is lost, 1 - |(X - mean) V|^2 / |X - mean|^2."""
    centred = data.X - data.X.mean(axis=0)
    return 1 - np.sum((centred @ fitted.components_.T) ** 2) / np.sum(centred**2)


SETTINGS = {"PCA": {"n_components": 10}}

WORKLOADS = [
    Workload(
        "PCA 100,000 x 300 to 20",
        data=partial(low_rank, 100_000, 300, 40),
        contenders=partial(estimators, "decomposition", "PCA", n_components=20, random_state=0),
        loss=lost_variance,
        floor=1,
    ),
    Workload(
        "PCA 2,000 x 5,000 to 20",
        data=partial(low_rank, 2_000, 5_000, 40),
        contenders=partial(estimators, "decomposition", "PCA", n_components=20, random_state=0),
        loss=lost_variance,
        floor=3,
        slack=1e-3,  # scikit-learn's default here is a randomised method
    ),
    Workload(
        "PCA digits to 10, 100 fits",
        data=lambda shrink: bundled("digits"),
        contenders=partial(estimators, "decomposition", "PCA", n_components=10, repeat=100),
        loss=lost_variance,
    ),
]
