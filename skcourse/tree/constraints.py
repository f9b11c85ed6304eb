"""What a tree may not do: rise where it must fall, or let features act together that must not.

A monotonic constraint is -1, 0 or 1 per feature. Interaction constraints are sets of features: all
splits on the way to a leaf must belong to one of the sets (Lou et al., Accurate intelligible models
with pairwise interactions, KDD 2013).
"""

import itertools
from numbers import Integral

import numpy as np


def read_monotonic(estimator, constraints):
    """Return -1 (falling), 0 or 1 (rising) of each feature.

    Parameters
    ----------
    estimator : estimator that has seen its features: `n_features_in_`, maybe `feature_names_in_`
    constraints : array-like of shape (n_features,), dict from feature names, or None

    Returns
    -------
    constraints : int8 array of shape (n_features,)

    Raises
    ------
    ValueError
        On another length, a number other than -1, 0 and 1, or names that X does not have.
    """
    n_features = estimator.n_features_in_
    if constraints is None:
        return np.zeros(n_features, np.int8)
    if isinstance(constraints, dict):
        return read_named(estimator, constraints)
    found = np.asarray(constraints)
    unexpected = np.setdiff1d(found, [-1, 0, 1])
    if len(unexpected):
        raise ValueError(
            "monotonic_cst must be an array-like of -1, 0 or 1. Observed values: "
            f"{unexpected.tolist()}."
        )
    if found.shape != (n_features,):
        raise ValueError(
            f"monotonic_cst has shape {found.shape[0] if found.ndim else ()} but the input data X "
            f"has {n_features} features."
        )
    return found.astype(np.int8)


def read_named(estimator, constraints):
    """Return the constraints that a dict states by feature names; see `read_monotonic`."""
    if not hasattr(estimator, "feature_names_in_"):
        raise ValueError(
            f"{type(estimator).__name__} was not fitted on data with feature names. Pass "
            "monotonic_cst as an integer array instead."
        )
    names = list(estimator.feature_names_in_)
    unexpected = sorted(set(constraints) - set(names))
    if unexpected:
        shown = [*unexpected[:5], "..."] if len(unexpected) > 5 else unexpected
        raise ValueError(
            f"monotonic_cst contains {len(unexpected)} unexpected feature names: {shown}."
        )
    found = np.zeros(len(names), np.int8)
    for name, sign in constraints.items():
        if sign not in (-1, 0, 1):
            raise ValueError(f"monotonic_cst['{name}'] must be either -1, 0 or 1. Got {sign!r}.")
        found[names.index(name)] = sign
    return found


def read_interactions(constraints, n_features):
    """Return the sets of features that may act together, or None for all of them.

    Parameters
    ----------
    constraints : "pairwise", "no_interactions", sequence of sequences of int, or None
        Features that are in no set make one set of their own.
    n_features : int

    Returns
    -------
    sets : list of set of int, or None

    Raises
    ------
    ValueError
        If it is no sequence of sequences, or names a feature that X does not have.
    """
    if constraints is None:
        return None
    if isinstance(constraints, str):
        size = {"no_interactions": 1, "pairwise": 2}[constraints]
        return [set(group) for group in itertools.combinations(range(n_features), size)]
    try:
        sets = [set(group) for group in constraints]
    except TypeError:
        raise ValueError(
            f"Interaction constraints must be a sequence of tuples or lists, got: {constraints!r}."
        ) from None
    for group in sets:
        if not all(isinstance(f, Integral) and 0 <= f < n_features for f in group):
            raise ValueError(
                "Interaction constraints must consist of integer indices in [0, n_features - 1] = "
                f"[0, {n_features - 1}], specifying the position of features, got invalid indices: "
                f"{group!r}"
            )
    rest = set(range(n_features)).difference(*sets)
    return [*sets, rest] if rest else sets
