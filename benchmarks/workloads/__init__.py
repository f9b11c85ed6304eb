"""The workloads, a file per chapter: ``WORKLOADS``, and ``SETTINGS`` for other questions."""

import importlib
import pkgutil


def chapters():
    """Return the modules of this package, in the order of their names."""
    names = sorted(module.name for module in pkgutil.iter_modules(__path__))
    return [importlib.import_module(f"{__name__}.{name}") for name in names]


def all_workloads():
    """Return the workloads of all chapters."""
    return [workload for chapter in chapters() for workload in chapter.WORKLOADS]


def settings(name):
    """Return the parameters of the estimator `name` where its defaults would hide the question."""
    return {key: value for chapter in chapters() for key, value in chapter.SETTINGS.items()}.get(
        name, {}
    )
