"""Forests that vote: means of the shares of classes in the leaves."""

from abc import ABCMeta

import numpy as np
from sklearn.base import ClassifierMixin
from sklearn.metrics import accuracy_score

from skcourse.core.history import warn_user
from skcourse.core.validation import StrOptions
from skcourse.ensemble.forest_base import BaseForest
from skcourse.ensemble.forest_labels import read_classes


class ForestClassifier(ClassifierMixin, BaseForest, metaclass=ABCMeta):
    """What forests of classifiers share."""

    _parameter_constraints: dict = {
        **BaseForest._parameter_constraints,
        "class_weight": [StrOptions({"balanced_subsample", "balanced"}), dict, list, None],
    }

    def _read_labels(self, y, sample_weight):
        """Return the class numbers of y."""
        if self.warm_start and isinstance(self.class_weight, str):
            warn_user(
                f'class_weight="{self.class_weight}" is taken from the rows of each fit. With '
                "warm_start and rows that differ between fits, pass weights that were computed "
                "once by sklearn.utils.class_weight.compute_class_weight."
            )
        return read_classes(y, self.class_weight, sample_weight, bootstrap=self.bootstrap)

    def _attributes_of(self, labels, sampling):
        """Return the fitted attributes that are known before the first tree."""
        one = len(labels.classes) == 1
        return super()._attributes_of(labels, sampling) | {
            "classes_": labels.classes[0] if one else labels.classes,
            "n_classes_": labels.n_classes[0] if one else labels.n_classes,
        }

    def _out_of_bag_attributes(self, sums):
        """Return `oob_decision_function_` and `oob_score_`."""
        found = sums.predictions()
        found = found[:, :, 0] if found.shape[2] == 1 else found
        scoring = sums.scoring or accuracy_score
        score = scoring(sums.y, np.argmax(found, axis=1))
        return {"oob_decision_function_": np.ascontiguousarray(found), "oob_score_": score}

    def predict(self, X):
        """Return the class with the largest mean share.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features)

        Returns
        -------
        y : ndarray of shape (n_samples,) or (n_samples, n_outputs)
        """
        shares = self.predict_proba(X)
        if self.n_outputs_ == 1:
            return self.classes_.take(np.argmax(shares, axis=1))
        found = [
            classes.take(np.argmax(s, axis=1))
            for classes, s in zip(self.classes_, shares, strict=True)
        ]
        return np.column_stack(found).astype(self.classes_[0].dtype, copy=False)

    def predict_proba(self, X):
        """Return the mean over the trees of the shares of the classes in the leaf of each sample.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features)

        Returns
        -------
        p : ndarray of shape (n_samples, n_classes), or a list of them, one per output
            Columns in the order of `classes_`.
        """
        shares = self._means(X)
        if self.n_outputs_ == 1:
            return shares
        width = shares.shape[1] // self.n_outputs_
        return [
            np.ascontiguousarray(shares[:, k * width : k * width + n])
            for k, n in enumerate(self.n_classes_)
        ]

    def predict_log_proba(self, X):
        """Return the logarithms of `predict_proba`.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features)

        Returns
        -------
        p : ndarray of shape (n_samples, n_classes), or a list of them, one per output
        """
        shares = self.predict_proba(X)
        with np.errstate(divide="ignore"):  # log 0 is -inf
            return np.log(shares) if self.n_outputs_ == 1 else [np.log(s) for s in shares]

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.classifier_tags.multi_label = True
        return tags
