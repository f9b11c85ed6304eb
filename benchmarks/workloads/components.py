"""Components in batches, and about the origin: dense rows, and words of documents."""

from functools import partial

import numpy as np
from scipy import sparse

from benchmarks.contenders import estimators
from benchmarks.data import Data, low_rank
from benchmarks.harness import Workload
from benchmarks.workloads.decomposition import lost_variance


def words(n, p, length, shrink=1):
    """Make tf-idf weights of `n` documents of `length` words, which come from 50 subjects."""
    rng, n = np.random.default_rng(0), n // shrink
    common = 1 / np.arange(1, p + 1)  # Zipf's law
    subjects = rng.gamma(0.02, size=(50, p)) * common
    sums = np.cumsum(subjects / subjects.sum(axis=1, keepdims=True), axis=1)
    document = np.repeat(np.arange(n), length)
    subject = np.repeat(rng.integers(0, 50, n), length)
    word = np.searchsorted(np.cumsum(common / common.sum()), rng.random(n * length))
    own = np.flatnonzero(rng.random(n * length) < 0.3)
    for s in range(50):
        mine = own[subject[own] == s]
        word[mine] = np.searchsorted(sums[s], rng.random(len(mine)))
    counts = sparse.csr_array(
        (np.ones(n * length), (document, np.minimum(word, p - 1).astype(np.int32))), shape=(n, p)
    )
    counts.sum_duplicates()
    seen_in = np.bincount(counts.indices, minlength=p)
    counts.data = (1 + np.log(counts.data)) * (1 + np.log(n / (1 + seen_in)))[counts.indices]
    lengths = np.sqrt(np.add.reduceat(counts.data**2, counts.indptr[:-1]))
    counts.data /= np.repeat(lengths, np.diff(counts.indptr))
    return Data(counts)


def lost_squares(data, fitted):
    """Return the share of |X|^2 that the plane through the origin leaves."""
    kept = np.sum(np.square(data.X @ fitted.components_.T))
    squares = data.X.data if sparse.issparse(data.X) else data.X
    return 1 - kept / np.sum(np.square(squares))


SETTINGS = {
    "IncrementalPCA": {"n_components": 10},
    "TruncatedSVD": {"n_components": 10, "random_state": 0},
}

WORKLOADS = [
    Workload(
        "IncrementalPCA 100,000 x 300 to 20",
        data=partial(low_rank, 100_000, 300, 40),
        contenders=partial(estimators, "decomposition", "IncrementalPCA", n_components=20),
        loss=lost_variance,
        floor=1.2,
    ),
    Workload(
        "IncrementalPCA 2,000 x 5,000 to 20 by 200",
        data=partial(low_rank, 2_000, 5_000, 40),
        contenders=partial(
            estimators, "decomposition", "IncrementalPCA", n_components=20, batch_size=200
        ),
        loss=lost_variance,
        floor=1,
    ),
    Workload(
        "TruncatedSVD 100,000 x 300 to 20",
        data=partial(low_rank, 100_000, 300, 40),
        contenders=partial(
            estimators, "decomposition", "TruncatedSVD", n_components=20, random_state=0
        ),
        loss=lost_squares,
        floor=1.2,
    ),
    Workload(
        "TruncatedSVD 20,000 documents, 30,000 words, to 20",
        data=partial(words, 20_000, 30_000, 100),
        contenders=partial(
            estimators, "decomposition", "TruncatedSVD", n_components=20, random_state=0
        ),
        loss=lost_squares,
        floor=1,
    ),
    Workload(
        "TruncatedSVD 20,000 documents, 30,000 words, to 20 by ARPACK",
        data=partial(words, 20_000, 30_000, 100),
        contenders=partial(
            estimators,
            "decomposition",
            "TruncatedSVD",
            n_components=20,
            algorithm="arpack",
            random_state=0,
        ),
        loss=lost_squares,
        floor=1,
    ),
]
