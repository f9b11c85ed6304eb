"""What is promised of each class, a file per family: ``PROMISES``, {class name: class -> Cases}.

Where the defaults leave the answer to a tolerance that rounding does not explain, ``SHARP``,
{class name: parameters}, says with which it is compared with scikit-learn's. Where theirs stops
short of the optimum whatever one asks, ``JUDGES``, {class name: (fit, problem) -> objective}, tells
whose answer is the better one. ``LONG``, {class name: rows}, says how many rows are several chunks
where the usual number would take too long.
"""

import importlib
import pkgutil


def all_promises():
    """Return the promises of all families in one dict."""
    names = sorted(module.name for module in pkgutil.iter_modules(__path__))
    families = [importlib.import_module(f"{__name__}.{name}").PROMISES for name in names]
    return {name: cases for family in families for name, cases in family.items()}


def judges():
    """Return the ``JUDGES`` of all families in one dict."""
    names = sorted(module.name for module in pkgutil.iter_modules(__path__))
    families = [importlib.import_module(f"{__name__}.{name}") for name in names]
    return {k: v for family in families for k, v in getattr(family, "JUDGES", {}).items()}


def sharp_parameters():
    """Return the ``SHARP`` of all families in one dict."""
    names = sorted(module.name for module in pkgutil.iter_modules(__path__))
    families = [importlib.import_module(f"{__name__}.{name}") for name in names]
    return {k: v for family in families for k, v in getattr(family, "SHARP", {}).items()}


def long_rows():
    """Return the ``LONG`` of all families in one dict."""
    names = sorted(module.name for module in pkgutil.iter_modules(__path__))
    families = [importlib.import_module(f"{__name__}.{name}") for name in names]
    return {k: v for family in families for k, v in getattr(family, "LONG", {}).items()}
