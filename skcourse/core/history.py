"""What a fit shows of its work: `history_`, scikit-learn's callbacks, convergence warnings.

A loop that iterates tells a `Task` where it is. With callbacks set
(`estimator.set_callbacks(...)`), a task is a `sklearn.callback.CallbackContext`; without, it is one
object that does nothing.
"""

import os
import pathlib
import sys
import warnings

import numpy as np
import sklearn
from sklearn.exceptions import ConvergenceWarning

from skcourse.core.interrupts import held

HOUSE = pathlib.Path(__file__).parents[1]
LIBRARIES = tuple(str(folder) + os.sep for folder in (HOUSE, pathlib.Path(sklearn.__file__).parent))


class History:
    """Numbers by name, one per iteration.

    Examples
    --------
    >>> from skcourse.core.history import History
    >>> history = History()
    >>> history.append(loss=2.0)
    >>> history.append(loss=1.0)
    >>> history.arrays()
    {'loss': array([2., 1.])}
    """

    def __init__(self):
        self.values = {}

    def append(self, **values):
        """Note the values of one iteration."""
        for name, value in values.items():
            self.values.setdefault(name, []).append(value)

    def arrays(self):
        """Return what becomes `history_`: a dict of arrays, first axis the iterations."""
        return {name: np.asarray(values) for name, values in self.values.items()}


class Silence:
    """The task of a fit that nobody listens to."""

    def subtask(self, name, max_subtasks=0, attributes=None):
        """Begin a part of this task; interrupts are delivered here, lest a long fit holds them."""
        held.deliver()
        return self

    def end(self, attributes=None):
        """End this task; never stop the loop."""
        return False


class Task:
    """A part of a fit that callbacks are told about; see `fit_task`."""

    def __init__(self, estimator, context, data, attributes=None):
        self.estimator, self.context, self.data = estimator, context, data
        fitted = {} if attributes is None else {"reconstruction_attributes": attributes}
        context.call_on_fit_task_begin(estimator=estimator, **fitted, **data)

    def subtask(self, name, max_subtasks=0, attributes=None):
        """Begin a part of this task, of `max_subtasks` parts: None if unknown, 0 if it has none.

        `attributes`, a callable as in `end`, makes the fitted attributes as of its beginning.
        """
        held.deliver()
        context = self.context.subcontext(task_name=name, max_subtasks=max_subtasks)
        return Task(self.estimator, context, self.data, attributes)

    def end(self, attributes=None):
        """End this task and return True if a callback asks the loop to stop.

        Parameters
        ----------
        attributes : callable or None
            Makes the dict of fitted attributes as of now; called only if a callback wants a fitted
            estimator.
        """
        return self.context.call_on_fit_task_end(
            estimator=self.estimator, reconstruction_attributes=attributes, **self.data
        )


SILENCE = Silence()


def fit_task(estimator, X, y=None, sample_weight=None, *, max_subtasks=0):
    """Begin the fit of `estimator` as a task: `subtask` and `end` stand around each part of it.

    Parameters
    ----------
    estimator : estimator, with `CallbackSupportMixin`
    X, y, sample_weight : the training data as given
    max_subtasks : int or None, default=0
        How many parts there can be at most; None if unknown.
    """
    if not getattr(estimator, "_skl_callbacks", None):
        return SILENCE
    context = estimator._init_callback_context(max_subtasks=max_subtasks)
    metadata = None if sample_weight is None else {"sample_weight": sample_weight}
    return Task(estimator, context, {"X": X, "y": y, "metadata": metadata})


def warn_not_converged(message):
    """Issue a ConvergenceWarning that points at the line of the user; see `warn_user`."""
    warn_user(message, ConvergenceWarning)


def warn_user(message, category=UserWarning):
    """Issue a warning that points at the line of the user: the first that is not ours.

    Nor is it scikit-learn's, whose wrappers stand between a method and who calls it.
    """
    frame, level = sys._getframe(1), 2
    while frame.f_back is not None and frame.f_code.co_filename.startswith(LIBRARIES):
        frame, level = frame.f_back, level + 1
    warnings.warn(message, category, stacklevel=level)
