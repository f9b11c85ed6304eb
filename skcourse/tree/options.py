"""From the parameters of a tree to the numbers that growing needs."""

from math import ceil
from numbers import Integral

import numpy as np
from sklearn.base import is_classifier

from skcourse.tree.constraints import read_interactions, read_named
from skcourse.tree.grower import Growth

UNLIMITED = np.iinfo(np.int32).max  # levels


def count_max_features(max_features, n_features):
    """Return how many features are drawn for a split: `max_features_`."""
    if max_features is None:
        return n_features
    if isinstance(max_features, str):
        return max(1, int({"sqrt": np.sqrt, "log2": np.log2}[max_features](n_features)))
    if isinstance(max_features, Integral):
        return int(max_features)
    return max(1, int(max_features * n_features))


def resolve_growth(estimator, n_samples, n_features, weight_sum, *, n_classes=(1,)):
    """Return the rules by which a tree of `estimator` grows.

    Parameters
    ----------
    estimator : estimator with the parameters of a decision tree, or of a forest; what it lacks
        (`splitter` of forests, ...) is as in a decision tree. Its class tells classification.
    n_samples : int, rows of the fit, those of weight 0 too
    n_features : int
    weight_sum : float, `n_samples` without weights
    n_classes : sequence of int, default=(1,)
        Of each output; 1 for an output of a regression.

    Returns
    -------
    growth : Growth

    Raises
    ------
    ValueError
        On constraints that do not fit the features or the kind of target.
    """
    leaf = estimator.min_samples_leaf
    leaf = int(leaf) if isinstance(leaf, Integral) else ceil(leaf * n_samples)
    split = estimator.min_samples_split
    split = int(split) if isinstance(split, Integral) else max(2, ceil(split * n_samples))
    most = estimator.max_leaf_nodes
    drawn = count_max_features(estimator.max_features, n_features)
    return Growth(
        criterion=estimator.criterion,
        splitter=getattr(estimator, "splitter", "best"),
        max_depth=UNLIMITED if estimator.max_depth is None else int(estimator.max_depth),
        min_samples_split=max(split, 2 * leaf),
        min_samples_leaf=leaf,
        min_weight_leaf=float(estimator.min_weight_fraction_leaf * weight_sum),
        max_features=min(drawn, n_features),
        max_leaf_nodes=-1 if most is None else int(most),
        min_impurity_decrease=float(estimator.min_impurity_decrease),
        monotonic=read_signs(estimator, n_features, n_classes),
        interaction=read_interactions(getattr(estimator, "interaction_cst", None), n_features),
    )


def read_signs(estimator, n_features, n_classes):
    """Return the monotonic constraints on the value of a node, of the first class: int8, or None.

    What rises with a feature is the second class, so the first one falls.
    """
    given = getattr(estimator, "monotonic_cst", None)
    if given is None:
        return None
    if len(n_classes) > 1:
        raise ValueError("Monotonicity constraints are not supported with multiple outputs.")
    if isinstance(given, dict):
        signs = read_named(estimator, given)
    else:
        signs = np.asarray(given)
        if signs.shape[:1] != (n_features,):
            raise ValueError(
                f"monotonic_cst has shape {len(signs) if signs.ndim else ()} but the input data X "
                f"has {n_features} features."
            )
        if not np.isin(signs, (-1, 0, 1)).all():
            raise ValueError(
                "monotonic_cst must be None or an array-like of -1, 0 or 1, but got "
                f"{np.unique(signs)}"
            )
    if not is_classifier(estimator):
        return signs.astype(np.int8)
    if n_classes[0] > 2:
        raise ValueError(
            "Monotonicity constraints are not supported with multiclass classification"
        )
    return -signs.astype(np.int8)
