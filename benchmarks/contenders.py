"""Who takes part: the namesakes of a class in the packages that are installed.

scikit-learn-intelex is imported beside scikit-learn, never patched into it. Where it hands a
problem back to scikit-learn, that would only be measured twice: its fit then raises
NotImplementedError, and it is left out.
"""

import contextlib
import functools
import importlib
import importlib.util
import logging

PACKAGES = {"scikit-learn": "sklearn", "scikit-learn-intelex": "sklearnex", "skcourse": "skcourse"}


def classes(chapter, name):
    """Return {contender: class} of all installed packages that have `chapter`.`name`."""
    found = {}
    for contender, package in PACKAGES.items():
        path = f"{package}.{chapter}"
        if importlib.util.find_spec(package) and importlib.util.find_spec(path):
            module = importlib.import_module(path)
            if hasattr(module, name):
                found[contender] = getattr(module, name)
    return found


def estimators(chapter, name, *, repeat=1, **params):
    """Return {contender: fit}; a fit is `repeat` fits in a row and returns the last one."""
    return {
        contender: functools.partial(fit_class, cls, params, repeat)
        for contender, cls in classes(chapter, name).items()
    }


def fit_class(cls, params, repeat, data):
    """Fit an estimator to `data`, `repeat` times."""
    y = () if data.y is None else (data.y,)
    weights = {} if data.sample_weight is None else {"sample_weight": data.sample_weight}
    with overheard() as messages:
        for _ in range(repeat):
            estimator = cls(**params).fit(data.X, *y, **weights)
    if handed_back(messages):
        raise NotImplementedError("leaves this to scikit-learn")
    return estimator


@contextlib.contextmanager
def overheard():
    """Give a list, and put into it what scikit-learn-intelex says of who does the work."""
    logger, messages = logging.getLogger("sklearnex"), []
    handler = logging.Handler()
    handler.emit = lambda record: messages.append(record.getMessage())
    before = logger.handlers, logger.level, logger.propagate
    logger.handlers, logger.propagate = [handler], False
    logger.setLevel(logging.INFO)
    try:
        yield messages
    finally:
        logger.handlers, level, logger.propagate = before
        logger.setLevel(level)


def handed_back(messages):
    """Tell whether scikit-learn-intelex let scikit-learn do a fit, by what was overheard."""
    return any("fallback to original Scikit-learn" in message for message in messages)
