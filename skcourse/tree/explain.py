"""`shap_values` of whatever is a sum of trees: a tree, a forest, a boosting.

An estimator that inherits from `ShapMixin` says with `_shap_terms` which trees add up to its
answer; the values themselves are those of `skcourse.tree.shap`.
"""

from typing import NamedTuple

import numpy as np

from skcourse.tree.shap import expected_values, tree_shap
from skcourse.tree.walk import Walk


class Terms(NamedTuple):
    """An answer as `offset` + `scale` times the sum that `walk` makes."""

    walk: Walk
    scale: float = 1.0
    offset: float | np.ndarray = 0.0  # a number, or one for each column
    n_classes: list | None = None  # of each output, where the columns are shares of classes
    n_jobs: int | None = -1


class ShapMixin:
    """Mixin of the models made of trees: `shap_values` and `shap_expected_value_`.

    A subclass has `_shap_rows(X)`, which reads X as `predict` does and returns an array or a CSR
    matrix, and `_shap_terms()`, which returns `Terms` of the fitted model.
    """

    def shap_values(self, X):
        """Return how much each feature moved each prediction away from the expected one.

        These are the Shapley values of the trees, exactly: where a feature is not known, a sample
        takes both sides of a split, by their shares of the training weight (the "path-dependent"
        values of the package shap). With `shap_expected_value_` they add up to `predict` of a
        regressor, to `predict_proba` of a tree or forest that classifies, and to the raw
        prediction of a boosting (before any link).

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features)

        Returns
        -------
        values : ndarray of shape (n_samples, n_features) or (n_samples, n_features, n_columns)
            A column for each class, or output, or raw prediction; no third axis where a model
            has one number to tell. A list of arrays, one per output, where several outputs are
            classified.
        """
        X = self._shap_rows(X)
        terms = self._shap_terms()
        values = tree_shap(terms.walk, X, width=width_of(terms), n_jobs=terms.n_jobs).values
        values *= terms.scale
        return by_output(values, terms)

    @property
    def shap_expected_value_(self):
        """What `shap_values` are measured from: float, array of shape (n_columns,), or a list."""
        terms = self._shap_terms()
        expected = expected_values(terms.walk, width_of(terms)) * terms.scale + terms.offset
        found = by_output(expected, terms)
        return float(found) if not isinstance(found, list) and np.ndim(found) == 0 else found


def width_of(terms):
    """Return how many columns the sum of the trees has."""
    return int(terms.walk.columns.max()) + terms.walk.values.shape[1]


def by_output(values, terms):
    """Return values, whose last axis is of columns, in the shape that a user expects."""
    if terms.n_classes is None:
        return values[..., 0] if values.shape[-1] == 1 else values
    if len(terms.n_classes) == 1:
        return values
    most = max(terms.n_classes)
    return [values[..., o * most : o * most + n] for o, n in enumerate(terms.n_classes)]
