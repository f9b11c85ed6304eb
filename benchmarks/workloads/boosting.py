"""Gradient boosting of exact trees of depth 3. The trees are the same, but where cuts tie.

The first takes as many trees as one usually does; theirs being slow, the others take fewer.
"""

from functools import partial

import numpy as np

from benchmarks.contenders import estimators
from benchmarks.harness import Workload
from benchmarks.workloads.hist_boosting import log_loss, squared_error, table

LITTLE = 1e-2  # of the loss: what ties make


def absolute_error(data, fitted):
    """Return the mean absolute error on other rows."""
    return np.mean(np.abs(data.y_test - fitted.predict(data.X_test)))


def boosting(kind, **parameters):
    """Return {contender: fit}."""
    name = f"GradientBoosting{kind}"
    return partial(estimators, "ensemble", name, random_state=0, **parameters)


SETTINGS = {}

WORKLOADS = [
    Workload(
        "GradientBoostingRegressor 50,000 x 30, 100 trees",
        data=partial(table, 50_000, 30, 0),
        contenders=boosting("Regressor"),
        loss=squared_error,
        floor=8.0,
        slack=LITTLE,
    ),
    Workload(
        "GradientBoostingRegressor 50,000 x 30, 20 trees, absolute error",
        data=partial(table, 50_000, 30, 0),
        contenders=boosting("Regressor", n_estimators=20, loss="absolute_error"),
        loss=absolute_error,
        floor=8.0,
        slack=LITTLE,
    ),
    Workload(
        "GradientBoostingClassifier 50,000 x 30, 20 trees",
        data=partial(table, 50_000, 30, 2),
        contenders=boosting("Classifier", n_estimators=20),
        loss=log_loss,
        floor=8.0,
        slack=LITTLE,
    ),
    Workload(
        "GradientBoostingClassifier 50,000 x 30, 5 classes, 10 x 5 trees on half of the rows",
        data=partial(table, 50_000, 30, 5),
        contenders=boosting("Classifier", n_estimators=10, subsample=0.5),
        loss=log_loss,
        floor=8.0,
        slack=LITTLE,
    ),
]
