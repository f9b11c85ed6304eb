"""What a forest is to predict, as the trees take it: class numbers, or real targets."""

from typing import NamedTuple

import numpy as np
from sklearn.exceptions import DataConversionWarning
from sklearn.utils import compute_class_weight, compute_sample_weight
from sklearn.utils.multiclass import check_classification_targets

from skcourse.core.history import warn_user
from skcourse.tree.targets import class_targets, number_targets


class Labels(NamedTuple):
    """The targets of all rows."""

    codes: np.ndarray  # (n, n_outputs), int64 class numbers or float64 targets
    classes: list | None = None  # per output, sorted; None: the targets are numbers
    weights: np.ndarray | None = None  # of the classes, a factor per row

    @property
    def n_classes(self):
        """How many classes each output has; 1 where it is a number."""
        if self.classes is None:
            return [1] * self.codes.shape[1]
        return [len(classes) for classes in self.classes]

    def targets(self, weights):
        """Return the Targets that trees grow on."""
        if self.classes is None:
            return number_targets(self.codes, weights)
        return class_targets(self.codes, self.n_classes, weights)


def as_columns(y):
    """Return y as (n, n_outputs), with a warning if it is a single column already."""
    y = np.atleast_1d(y)
    if y.ndim == 1:
        return y.reshape(-1, 1)
    if y.shape[1] == 1:
        warn_user(
            "A column-vector y was passed when a 1d array was expected. Please change the shape of "
            "y to (n_samples,), for example using ravel().",
            DataConversionWarning,
        )
    return y


def read_numbers(y, criterion):
    """Return the Labels of a regression.

    Raises
    ------
    ValueError
        If `criterion` is "poisson" and y is negative somewhere, or 0 everywhere.
    """
    y = np.ascontiguousarray(y, dtype=np.float64)
    if criterion == "poisson":
        if np.any(y < 0):
            raise ValueError(
                "Some value(s) of y are negative which is not allowed for Poisson regression."
            )
        if np.sum(y) <= 0:
            raise ValueError(
                "Sum of y is not strictly positive which is necessary for Poisson regression."
            )
    return Labels(y)


def read_classes(y, class_weight, sample_weight, *, bootstrap):
    """Return the Labels of a classification.

    Parameters
    ----------
    y : array of shape (n, n_outputs)
    class_weight : dict, list of dict, "balanced", "balanced_subsample" or None
    sample_weight : array of shape (n,), or None
    bootstrap : bool
        With it, "balanced_subsample" is left to each tree's sample.
    """
    check_classification_targets(y)
    codes = np.empty(y.shape, np.int64)
    classes = []
    for k in range(y.shape[1]):
        found, codes[:, k] = np.unique(y[:, k], return_inverse=True)
        classes.append(found)
    if class_weight is None or (class_weight == "balanced_subsample" and bootstrap):
        return Labels(codes, classes)
    if isinstance(class_weight, str):
        class_weight = [
            dict(zip(found, balance(found, y[:, k], sample_weight), strict=True))
            for k, found in enumerate(classes)
        ]
        class_weight = class_weight[0] if len(classes) == 1 else class_weight
    return Labels(codes, classes, compute_sample_weight(class_weight, y))


def balance(classes, y, sample_weight):
    """Return the weights of the classes by which all weigh the same."""
    return compute_class_weight("balanced", classes=classes, y=y, sample_weight=sample_weight)


def product(a, b):
    """Return the product of two sets of weights, of which None is all ones."""
    if a is None or b is None:
        return b if a is None else a
    return a * b
