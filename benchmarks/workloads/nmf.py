"""Non-negative factorisation: dense rows and sparse ones, both solvers; all from one start."""

import warnings
from functools import partial

import numpy as np
import scipy.sparse as sp

from benchmarks.contenders import classes, fit_class
from benchmarks.data import Data, bundled
from benchmarks.harness import Workload


def sums_of_parts(n, p, k, shrink=1):
    """Make rows that are sums of k parts, with noise; nothing is negative."""
    rng, n = np.random.default_rng(0), max(n // shrink, 2 * k)
    X = rng.random((n, k)) ** 3 @ rng.random((k, p)) ** 3
    return Data(X + 0.1 * rng.random((n, p)))


def words(n, p, per_row, k, shrink=1):
    """Make sparse rows as counts of words are: words by Zipf's law, k topics, weights by log."""
    rng, n = np.random.default_rng(0), max(n // shrink, 2 * k)
    orders = np.stack([rng.permutation(p) for _ in range(k)])
    ranks = (p ** rng.random(n * per_row)).astype(np.int64) - 1
    rows = np.repeat(np.arange(n), per_row)
    columns = orders[rng.integers(0, k, n)[rows], ranks]
    X = sp.coo_array((np.ones(len(rows)), (rows, columns)), shape=(n, p)).tocsr()
    X.data = np.log1p(X.data)
    return Data(X, note=f"{X.nnz} entries")


def fit(cls, params, data):
    """Factorise; that `max_iter` is reached is what is wanted here."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return fit_class(cls, params, 1, data)


def factorisers(**params):
    """Return {contender: fit}; of scikit-learn-intelex too, were it to have one."""
    params |= {"random_state": 0}
    found = classes("decomposition", "NMF")
    return {name: partial(fit, cls, params) for name, cls in found.items() if "intelex" not in name}


def error(data, fitted):
    """Return the error of the fit that each states, by the same formula: sqrt(2 D)."""
    return fitted.reconstruction_err_


SETTINGS = {"NMF": {"n_components": 10, "max_iter": 20, "tol": 0.0, "init": "random"}}

DENSE = partial(sums_of_parts, 10_000, 500, 20)
SPARSE = partial(words, 10_000, 20_000, 120, 20)

WORKLOADS = [
    Workload(
        "NMF 10,000 x 500, 20 components",
        data=DENSE,
        contenders=partial(factorisers, n_components=20),
        loss=error,
        floor=1.2,
    ),
    Workload(
        "NMF 10,000 x 500, 20 components, Kullback-Leibler, 20 iterations",
        data=DENSE,
        contenders=partial(
            factorisers, n_components=20, solver="mu", beta_loss=1, init="random", max_iter=20
        ),
        loss=error,
        floor=1,
    ),
    Workload(
        "NMF of words, 10,000 x 20,000 sparse, 20 components, 50 iterations",
        data=SPARSE,
        contenders=partial(factorisers, n_components=20, max_iter=50, tol=0.0),
        loss=error,
        floor=1,
    ),
    Workload(
        "NMF digits to 10",
        data=lambda shrink: bundled("digits"),
        contenders=partial(factorisers, n_components=10),
        loss=error,
    ),
]
