"""What the nodes of a tree sum: class counts, or targets and their squares."""

from typing import NamedTuple

import numpy as np

FAR = 2.0**10  # spreads from 0: the difference of squares that is a variance loses 20 bits of 53
LARGEST = 2.0**400  # its square, and the sum of many, is a number


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


def brought_near(targets):
    """Return the targets with numbers whose squares lose nothing that matters, and their unit.

    Numbers that are far from 0, beside their spread, are counted from their mean; and numbers whose
    squares would overflow, in a larger unit, a power of 2.
    """
    largest = np.max(np.abs(targets.y), initial=0.0)
    unit = 2.0 ** np.frexp(largest)[1] if largest > LARGEST else 1.0
    y = targets.y / unit if unit > 1 else targets.y
    mean, spread = np.mean(y, axis=0), np.std(y, axis=0)
    far = np.abs(mean) > FAR * spread
    if unit == 1 and not far.any():
        return targets, unit
    shift = np.where(far, mean, 0.0)
    return targets._replace(y=y - shift, shift=shift * unit), unit
