"""The estimators that exist, found by looking: the tour, the warm-up and the checks ask here."""

import importlib
import inspect

from sklearn.base import BaseEstimator

import skcourse


def all_estimators():
    """List every public estimator.

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
            if inspect.isclass(member) and issubclass(member, BaseEstimator):
                found.append((name, member))
    return found
