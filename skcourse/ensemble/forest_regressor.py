"""Forests that average: means of the targets in the leaves."""

from abc import ABCMeta

import numpy as np
from sklearn.base import RegressorMixin
from sklearn.metrics import r2_score

from skcourse.ensemble.forest_base import BaseForest
from skcourse.ensemble.forest_labels import read_numbers


class ForestRegressor(RegressorMixin, BaseForest, metaclass=ABCMeta):
    """What forests of regressors share."""

    def _read_labels(self, y, sample_weight):
        """Return the targets y."""
        return read_numbers(y, self.criterion)

    def _out_of_bag_attributes(self, sums):
        """Return `oob_prediction_` and `oob_score_`."""
        found = sums.predictions()[:, 0]
        found = np.ascontiguousarray(found[:, 0] if found.shape[1] == 1 else found)
        scoring = sums.scoring or r2_score
        return {"oob_prediction_": found, "oob_score_": scoring(sums.y, found)}

    def predict(self, X):
        """Return the mean over the trees of the value of the leaf of each sample.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features)

        Returns
        -------
        y : ndarray of shape (n_samples,) or (n_samples, n_outputs)
        """
        means = self._means(X)
        return means[:, 0] if self.n_outputs_ == 1 else means

    def _compute_partial_dependence_recursion(self, grid, target_features):
        """Return the partial dependence on `target_features` at the points of `grid`.

        `sklearn.inspection.partial_dependence` asks for it.
        """
        grid = np.ascontiguousarray(grid, np.float32)
        target_features = np.ascontiguousarray(target_features, np.int64)
        sums = np.zeros(len(grid))
        for tree in self.estimators_:
            tree.tree_.compute_partial_dependence(grid, target_features, sums)
        return sums / len(self.estimators_)
