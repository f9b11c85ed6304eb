"""What an estimator's `penalty`, `gamma`, `groups` and `penalty_weights` mean to a solver.

Kernels want the members of a group side by side, and know neither names nor features that are left
out: a `Layout` says which columns of X take part, in which order, and puts coefficients back.
"""

from typing import NamedTuple

import numpy as np
from scipy.sparse import issparse

from skcourse.core.penalties import PENALTIES, SHAPES, Penalty

GAMMA = {"mcp": 3.0, "scad": 3.7}  # Fan and Li's for SCAD
LEAST_GAMMA = {"mcp": 1.0, "scad": 2.0}


def penalty_of(model):
    """Return the penalty as kernels take it."""
    name = model.penalty
    if name is None:
        return Penalty(PENALTIES["none"], 0.0)
    shape = 0.0
    if SHAPES.get(name) == "l1_ratio":
        shape = model.l1_ratio
    elif SHAPES.get(name) == "gamma":
        shape = GAMMA[name] if model.gamma is None else model.gamma
        if shape <= LEAST_GAMMA[name]:
            raise ValueError(f"gamma == {shape}, must be > {LEAST_GAMMA[name]} for {name!r}.")
    return Penalty(PENALTIES[name], float(model.alpha), float(shape))


class Layout(NamedTuple):
    """Which columns of X take part, in which order; None for all as they are."""

    columns: np.ndarray | None
    edges: np.ndarray
    weights: np.ndarray

    def take(self, X):
        """Return the columns of X; one of zeros if there are none."""
        if self.columns is None:
            return X
        if not len(self.columns):
            return np.zeros((X.shape[0], 1), X.dtype)
        return X[:, self.columns] if issparse(X) else np.ascontiguousarray(X[:, self.columns])

    def take_coef(self, coef):
        """Return the coefficients (K, p) of the columns that take part."""
        if self.columns is None:
            return coef
        return coef[:, self.columns] if len(self.columns) else np.zeros((len(coef), 1))

    def put_back(self, coef, p):
        """Return coefficients (K, p) for all features; 0 for those left out."""
        if self.columns is None:
            return coef
        whole = np.zeros((len(coef), p))
        whole[:, self.columns] = coef[:, : len(self.columns)]
        return whole


def layout_of(penalty, groups, penalty_weights, p):
    """Return the Layout for p features.

    Parameters
    ----------
    penalty : str or None
    groups, penalty_weights : array-like of shape (p,) or None
    p : int

    Raises
    ------
    ValueError
        If one has another shape, is no weight, or differs within a group.
    """
    weights = np.ones(p) if penalty_weights is None else np.asarray(penalty_weights, np.float64)
    if weights.shape != (p,):
        raise ValueError(f"penalty_weights has shape {weights.shape}, expected {(p,)}.")
    if not np.all(weights >= 0):
        raise ValueError("penalty_weights must be numbers of at least 0, or infinity.")
    columns, edges = np.arange(p), np.empty(0, np.int64)
    if penalty == "group":
        if groups is None:
            raise ValueError("penalty='group' wants `groups`: the group of each feature.")
        labels = np.asarray(groups)
        if labels.shape != (p,):
            raise ValueError(f"groups has shape {labels.shape}, expected {(p,)}: one per feature.")
        _, codes = np.unique(labels, return_inverse=True)
        columns = np.argsort(codes, kind="stable")
        if np.any((np.diff(codes[columns]) == 0) & (np.diff(weights[columns]) != 0)):
            raise ValueError("penalty_weights must be the same for all features of a group.")
        columns = columns[np.isfinite(weights[columns])]
        sizes = np.bincount(codes[columns])
        edges = np.concatenate([[0], np.cumsum(sizes[sizes > 0])]).astype(np.int64)
    columns = columns[np.isfinite(weights[columns])]
    if not len(columns):
        return Layout(columns, np.array([0, 1]) if penalty == "group" else edges, np.zeros(1))
    plain = len(columns) == p and np.all(np.diff(columns) == 1)
    return Layout(None if plain else columns, edges, weights[columns])
