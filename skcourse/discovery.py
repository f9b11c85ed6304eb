"""The estimators that exist, found by looking: the tour, the warm-up and the checks ask here."""

import importlib
import inspect

from sklearn.base import BaseEstimator

import skcourse


def all_estimators(*, complete=False):
    """List every public estimator that can be made without arguments.

    Parameters
    ----------
    complete : bool, default=False
        Whether to list also those that need some, as `SparseCoder` needs its dictionary.

    Returns
    -------
    estimators : list of (name, class), by chapter and then by name

    Examples
    --------
    >>> from skcourse.discovery import all_estimators
    >>> "KMeans" in dict(all_estimators())
    True
    """
    found = []
    for chapter in skcourse.CHAPTERS:
        module = importlib.import_module(f"skcourse.{chapter}")
        for name in sorted(module.__all__):
            member = getattr(module, name)
            if not (inspect.isclass(member) and issubclass(member, BaseEstimator)):
                continue
            parameters = inspect.signature(member).parameters.values()
            if complete or all(p.default is not p.empty for p in parameters):
                found.append((name, member))
    return found
