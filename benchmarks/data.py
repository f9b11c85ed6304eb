"""What is fitted: made from a seed, or read from files. All arrays are C-contiguous.

A maker takes `shrink`, the number by which a quick run divides the samples.
"""

import os
import pathlib
from typing import NamedTuple

import numpy as np

ROOT = pathlib.Path(__file__).resolve().parents[1]


class Data(NamedTuple):
    """What a contender may use for its fit, and what is kept back to judge it."""

    X: np.ndarray  # (n, p)
    y: np.ndarray | None = None  # (n,)
    sample_weight: np.ndarray | None = None  # (n,)
    start: np.ndarray | None = None  # (k, p), where all begin
    X_test: np.ndarray | None = None
    y_test: np.ndarray | None = None
    note: str = ""


def data_folder():
    """Return the folder of data files, SKCOURSE_DATA, or None."""
    folder = os.environ.get("SKCOURSE_DATA")
    return pathlib.Path(folder) if folder else None


def regression(n, p, shrink=1, *, weighted=False, n_test=0):
    """Make y = X w + noise: X and the noise standard normal, w of about unit length."""
    rng, n = np.random.default_rng(0), max(n // shrink, 2 * p)
    X = rng.standard_normal((n + n_test, p))
    y = X @ (rng.standard_normal(p) / np.sqrt(p)) + rng.standard_normal(n + n_test)
    weights = rng.random(n) if weighted else None
    return Data(X[:n], y[:n], weights, X_test=X[n:], y_test=y[n:])


def classification(n, p, n_classes, shrink=1, *, n_test=0):
    """Make classes that overlap: the largest of `n_classes` linear scores with noise."""
    rng, n = np.random.default_rng(0), max(n // shrink, 2 * p)
    X = rng.standard_normal((n + n_test, p))
    noise = rng.standard_normal((n + n_test, n_classes))
    y = np.argmax(X @ rng.standard_normal((p, n_classes)) / np.sqrt(p) + noise, axis=1)
    return Data(X[:n], y[:n], X_test=X[n:], y_test=y[n:])


def low_rank(n, p, rank, shrink=1):
    """Make `rank` directions of falling strength in noise of standard deviation 1."""
    rng, n = np.random.default_rng(0), max(n // shrink, 2 * rank)
    strengths = 10.0 / np.sqrt(np.arange(1, rank + 1))
    X = (rng.standard_normal((n, rank)) * strengths) @ rng.standard_normal((rank, p))
    X += rng.standard_normal((n, p))
    return Data(X)


def bundled(name):
    """Return the X of a data set that comes with scikit-learn, "digits" or "iris"."""
    from sklearn import datasets

    return Data(np.ascontiguousarray(getattr(datasets, f"load_{name}")().data, dtype=np.float64))


def images(k, shrink=1):
    """Return MNIST's 60,000 images as float32 in [0, 1], and k of them as a start.

    Without the file, they are clusters of that shape, and the note says so.
    """
    folder = data_folder()
    if folder and (folder / "mnist.npz").is_file():
        with np.load(folder / "mnist.npz") as files:
            X = files["X_train"][::shrink].reshape(-1, 784) / np.float32(255)
        note = "The images are MNIST's."
    else:
        note = "No mnist.npz found: 60,000 generated points in [0, 1]^784 in 300 clusters."
        rng = np.random.default_rng(0)
        centres = rng.random((300, 784)) * (rng.random((300, 784)) < 0.2)
        noise = 0.2 * rng.standard_normal((60_000 // shrink, 784), dtype=np.float32)
        X = np.clip(centres[rng.integers(0, 300, len(noise))] + noise, 0, 1).astype(np.float32)
    return Data(X, start=rows_of(X, k), note=note)


def uniform(n, p, k, shrink=1):
    """Make points in the unit cube, which has no clusters, and k of them as a start."""
    X = np.random.default_rng(0).random((max(n // shrink, 2 * k), p), dtype=np.float32)
    return Data(X, start=rows_of(X, k))


def clustered(n, p, k, shrink=1, *, weighted=False):
    """Make k Gaussian clusters about centres uniform in [-10, 10]^p, and k points as a start."""
    rng, n = np.random.default_rng(0), max(n // shrink, 2 * k)
    centres = rng.uniform(-10, 10, (k, p)).astype(np.float32)
    X = centres[rng.integers(0, k, n)] + rng.standard_normal((n, p), dtype=np.float32)
    weights = rng.random(n, dtype=np.float32) if weighted else None
    return Data(X, sample_weight=weights, start=rows_of(X, k))


def rows_of(X, k):
    """Draw k different rows of X."""
    return X[np.random.default_rng(1).choice(len(X), k, replace=False)]
