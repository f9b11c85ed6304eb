"""A grown forest is asked: which leaves, which ways, which features, and how they add up.

All trees are one table (`skcourse.tree.walk`), through which a row goes in one compiled call.
"""

import numpy as np
from sklearn.base import BaseEstimator, MetaEstimatorMixin, MultiOutputMixin
from sklearn.utils.validation import check_is_fitted

from skcourse.ensemble.forest_sampling import Sampling
from skcourse.tree.base import read_rows
from skcourse.tree.explain import ShapMixin, Terms
from skcourse.tree.paths import node_paths
from skcourse.tree.walk import leaves, mean_values, pack


def pack_nodes(trees):
    """Return the Walk through a list of Tree."""
    return pack([tree.nodes for tree in trees])


class GrownForest(ShapMixin, MultiOutputMixin, MetaEstimatorMixin, BaseEstimator):
    """What a fitted forest answers; `fit` has set `estimators_`, `_packed` and `_encoder`."""

    def _read_X(self, X):
        """Return X as the trees walk it."""
        if not hasattr(self, "estimators_"):
            check_is_fitted(self)
        return read_rows(self, X, self._encoder)

    def _walk(self):
        """Return the trees as one table."""
        return self._packed.of([tree.tree_ for tree in self.estimators_], pack_nodes)

    def _means(self, X):
        """Return the mean over the trees of the values of the leaves, outputs side by side."""
        X = self._read_X(X)
        return mean_values(self._walk(), X, n_jobs=self.n_jobs)

    def _shap_rows(self, X):
        """Return X as the trees walk it."""
        return self._read_X(X)

    def _shap_terms(self):
        """Return which trees add up to a prediction."""
        n_classes = getattr(self, "n_classes_", None)
        return Terms(
            self._walk(),
            scale=1 / len(self.estimators_),
            n_classes=[n_classes] if isinstance(n_classes, int) else n_classes,
            n_jobs=self.n_jobs,
        )

    def apply(self, X):
        """Return the leaf that each sample comes to in each tree.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features)

        Returns
        -------
        leaves : ndarray of shape (n_samples, n_estimators), int64
        """
        X = self._read_X(X)
        return leaves(self._walk(), X, n_jobs=self.n_jobs)

    def decision_path(self, X):
        """Return which nodes each sample passes.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features)

        Returns
        -------
        indicator : CSR matrix of shape (n_samples, n_nodes), 1 where a sample passes a node
        n_nodes_ptr : ndarray of shape (n_estimators + 1,)
            The nodes of tree t are columns ``n_nodes_ptr[t]`` to ``n_nodes_ptr[t + 1]``.
        """
        X = self._read_X(X)
        walk = self._walk()
        return node_paths(walk, X, n_jobs=self.n_jobs), walk.roots.copy()

    @property
    def feature_importances_(self):
        """The impurity that the splits of each feature take away: means over the trees, sum 1."""
        check_is_fitted(self)
        found = [
            tree.feature_importances_ for tree in self.estimators_ if tree.tree_.node_count > 1
        ]
        if not found:
            return np.zeros(self.n_features_in_)
        means = np.mean(found, axis=0)
        return means / means.sum()

    @property
    def estimators_samples_(self):
        """The rows drawn for each tree, as often as they are; drawn again whenever asked for."""
        sampling = self._drawn()
        return [sampling.rows(tree.random_state) for tree in self.estimators_]

    def _drawn(self):
        """Return how the rows of the fitted trees were drawn."""
        drawn = self._n_samples_bootstrap if self.bootstrap else None
        return Sampling(self._n_samples, drawn, self._sample_weight)

    def __len__(self):
        """Return the number of trees."""
        return len(self.estimators_)

    def __getitem__(self, index):
        """Return a tree, or a list of them."""
        return self.estimators_[index]

    def __iter__(self):
        """Iterate over the trees."""
        return iter(self.estimators_)

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.input_tags.allow_nan = True
        tags.input_tags.sparse = True
        return tags
