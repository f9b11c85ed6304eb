"""What is promised of each class, a file per family: ``PROMISES``, {class name: class -> Cases}."""

import importlib
import pkgutil


def all_promises():
    """Return the promises of all families in one dict."""
    names = sorted(module.name for module in pkgutil.iter_modules(__path__))
    families = [importlib.import_module(f"{__name__}.{name}").PROMISES for name in names]
    return {name: cases for family in families for name, cases in family.items()}
