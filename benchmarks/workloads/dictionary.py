"""Dictionaries for patches of a photograph: codes for given atoms, and atoms learned online."""

import warnings
from functools import partial
from importlib import import_module, util

import numpy as np
from scipy.ndimage import gaussian_filter
from sklearn.datasets import load_sample_image
from sklearn.feature_extraction.image import extract_patches_2d

from benchmarks.contenders import PACKAGES, classes
from benchmarks.data import Data
from benchmarks.harness import Workload

N_ATOMS = 100
ALPHA = 1.0  # in standard deviations of a pixel


def patches(n, shrink=1):
    """Cut 8 x 8 patches from a photograph of scikit-learn's, less their means; some are atoms.

    Without pillow to read it with, from steps between smooth regions, made from a seed.
    """
    rng, n = np.random.default_rng(0), max(n // shrink, 2 * N_ATOMS)
    if util.find_spec("PIL"):
        image, note = load_sample_image("china.jpg").mean(axis=2), ""
    else:
        image = np.sign(gaussian_filter(rng.standard_normal((427, 640)), 9))
        image = gaussian_filter(image, 1) + 0.1 * rng.standard_normal(image.shape)
        note = "No pillow: the patches are from a generated image."
    X = extract_patches_2d(image, (8, 8), max_patches=n, random_state=0).reshape(n, -1)
    X = X - X.mean(axis=1, keepdims=True)
    X /= X.std()
    atoms = X[np.argsort(-np.abs(X).sum(axis=1))[: 4 * N_ATOMS : 4]]
    return Data(X, start=atoms / np.linalg.norm(atoms, axis=1, keepdims=True), note=note)


def encode(function, options, data):
    """Code the rows; of rows that need no more atoms, scikit-learn warns one by one."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return function(data.X, data.start, **options), data.start


def encoders(**options):
    """Return {contender: fit} for `sparse_encode`."""
    found = {}
    for contender in ("scikit-learn", "skcourse"):
        function = import_module(f"{PACKAGES[contender]}.decomposition").sparse_encode
        found[contender] = partial(encode, function, options)
    return found


def learn(cls, algorithm, data):
    """Learn a dictionary in one pass over the rows."""
    whole = {"max_iter": 1, "tol": 0.0, "max_no_improvement": None, "random_state": 0}
    model = cls(N_ATOMS, alpha=ALPHA, fit_algorithm=algorithm, **whole).fit(data.X)
    return None, model.components_


def learners():
    """Return {contender: fit}: scikit-learn with both of its algorithms, ours by its default."""
    found = classes("decomposition", "MiniBatchDictionaryLearning")
    theirs = {f"scikit-learn {a}": partial(learn, found["scikit-learn"], a) for a in ("lars", "cd")}
    return theirs | {"skcourse": partial(learn, found["skcourse"], "lars")}


def squared_error(data, fitted):
    """Return |X - U D|^2."""
    codes, atoms = fitted
    return np.sum((data.X - codes @ atoms) ** 2)


def penalised_error(data, fitted):
    """Return |X - U D|^2 / 2 + alpha sum |U|; without codes, with the best ones for D."""
    from skcourse.decomposition import sparse_encode

    codes, atoms = fitted
    if codes is None:
        codes = sparse_encode(data.X, atoms, alpha=ALPHA)
    return squared_error(data, (codes, atoms)) / 2 + ALPHA * np.abs(codes).sum()


SETTINGS = {}
PATCHES = partial(patches, 20_000)

WORKLOADS = [
    Workload(
        "MiniBatchDictionaryLearning 20,000 8 x 8 patches, 100 atoms, one pass",
        data=PATCHES,
        contenders=learners,
        loss=penalised_error,
        floor=3,
        slack=1e-4,  # coordinate descent ends at a gap of 1e-8 of a row's square
    ),
    Workload(
        "sparse_encode omp, 20,000 patches, 100 atoms, 6 of them",
        data=PATCHES,
        contenders=partial(encoders, algorithm="omp", n_nonzero_coefs=6),
        loss=squared_error,
        floor=3,
    ),
    Workload(
        "sparse_encode lasso_cd, 20,000 patches, 100 atoms",
        data=PATCHES,
        contenders=partial(encoders, algorithm="lasso_cd", alpha=ALPHA),
        loss=penalised_error,
        floor=3,
    ),
    Workload(
        "sparse_encode lasso_lars, 20,000 patches, 100 atoms",
        data=PATCHES,
        contenders=partial(encoders, algorithm="lasso_lars", alpha=ALPHA),
        loss=penalised_error,
        floor=3,
    ),
    Workload(
        "sparse_encode lars, 20,000 patches, 100 atoms, 6 lines",
        data=PATCHES,
        contenders=partial(encoders, algorithm="lars", n_nonzero_coefs=6),
        loss=squared_error,
        slack=0.01,  # theirs leaves the path where a coefficient passes through 0
    ),
]
