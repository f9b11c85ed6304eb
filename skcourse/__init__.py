"""The machine-learning course as a library: every algorithm a scikit-learn estimator.

Chapters carry scikit-learn's names and are imported when first used:

>>> from skcourse.linear_model import Ridge
>>> Ridge(alpha=1.0).fit([[0.0], [1.0], [2.0]], [0.0, 1.0, 2.0]).predict([[3.0]])
array([2.33333333])
"""

import importlib

__version__ = "0.1.0"

CHAPTERS = (
    "cluster",
    "decomposition",
    "ensemble",
    "inspection",
    "linear_model",
    "mixture",
    "tree",
)

__all__ = [*CHAPTERS, "testing"]


def __getattr__(name):
    if name in __all__:
        return importlib.import_module(f"skcourse.{name}")
    raise AttributeError(f"module 'skcourse' has no attribute {name!r}")


def __dir__():
    return sorted([*globals(), *__all__])
