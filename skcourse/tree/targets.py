"""What the nodes of a tree sum: class counts, or targets and their squares."""

from typing import NamedTuple

import numpy as np


class Targets(NamedTuple):
    """The targets of all rows. A number is kept as its distance from `shift`."""

    y: np.ndarray  # float64 (n, n_outputs): y - shift; (n, 0) where classes are told apart
    codes: np.ndarray  # int32 (n, n_outputs), class numbers; (n, 0) for numbers
    shift: np.ndarray  # float64 (n_outputs,)
    weights: np.ndarray  # float64 (n,), 0: the row is not there; (0,): all are 1
    n_outputs: int
    n_classes: int  # the most of any output; 1 for numbers


def class_targets(y, n_classes, weights=None):
    """Return the targets of a classification.

    Parameters
    ----------
    y : int array of shape (n,) or (n, n_outputs), class numbers from 0
    n_classes : list of int, of each output
    weights : float64 array of shape (n,) or None
    """
    codes = np.ascontiguousarray(y, np.int32).reshape(len(y), -1)
    empty = np.empty((len(y), 0))
    n_classes = max(1, int(np.max(n_classes)))
    shift = np.zeros(codes.shape[1])
    return Targets(empty, codes, shift, as_weights(weights), codes.shape[1], n_classes)


def number_targets(y, weights=None):
    """Return the targets of a regression, y float64 of shape (n,) or (n, n_outputs)."""
    y = np.ascontiguousarray(y, np.float64).reshape(len(y), -1)
    codes = np.empty((len(y), 0), np.int32)
    shift = np.zeros(y.shape[1])
    y = y.copy() if not y.flags.writeable else y
    return Targets(y, codes, shift, as_weights(weights), y.shape[1], 1)


def as_weights(weights):
    """Return weights as the kernels take them: float64, writeable, of length 0 for None."""
    if weights is None:
        return np.empty(0)
    weights = np.ascontiguousarray(weights, np.float64)
    return weights if weights.flags.writeable else weights.copy()
