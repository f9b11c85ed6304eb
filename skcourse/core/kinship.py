"""Where scikit-learn asks for a class of its own, a class of ours may count as one.

`plot_tree` and `export_text` ask by `isinstance`. scikit-learn's trees are abstract base classes,
which other classes may join by `register`; nothing else changes in either library.
"""

import importlib


def counts_as_namesake(cls):
    """Let `isinstance(model, sklearn.<chapter>.<name of cls>)` be true of models of class `cls`."""
    chapter = cls.__module__.split(".")[1]
    getattr(importlib.import_module(f"sklearn.{chapter}"), cls.__name__).register(cls)
    return cls
