"""Trees on real tables: kinds of forest from features with many ties, incomes from categories."""

from functools import partial

import numpy as np
from sklearn.metrics import log_loss

from benchmarks.contenders import classes, estimators, fit_class
from benchmarks.data import Data, data_folder
from benchmarks.harness import Workload
from benchmarks.workloads.forest import deviance
from benchmarks.workloads.hist_boosting import covertype, table

CATEGORIES = [1, 3, 5, 6, 7, 8, 9, 13]  # columns of adult that hold words


def adult(shrink=1):
    """Return the census rows of 48,842 adults, words as codes, and whether they earn much."""
    folder = data_folder()
    if folder is None or not (folder / "adult.csv.gz").is_file():
        made = table(48_842, 14, 2, shrink, n_categories=40)
        return made._replace(note="No adult.csv.gz: made up.")
    import pandas as pd

    rows = pd.read_csv(folder / "adult.csv.gz", na_values="?")
    X = rows.drop(columns=["income", "split"])
    words = X.columns[CATEGORIES]
    X[words] = X[words].apply(lambda column: column.astype("category").cat.codes)
    X, y = X.to_numpy(np.float64), rows["income"].str.startswith(">").to_numpy(np.int64)
    X[X < 0] = np.nan  # the code of what is missing
    test = rows["split"].to_numpy() == "test"
    return Data(X[~test][::shrink], y[~test][::shrink], X_test=X[test], y_test=y[test])


def boosters(**params):
    """Return {contender: fit} of boosting with categories."""
    found = classes("ensemble", "HistGradientBoostingClassifier").items()
    return {contender: partial(fit_class, cls, params, 1) for contender, cls in found}


def surprise(data, model):
    """Return the log-loss on new rows."""
    return log_loss(data.y_test, model.predict_proba(data.X_test))


SETTINGS = {}
ONEDAL = ("scikit-learn-intelex",)

WORKLOADS = [
    Workload(
        f"{name} covertype 551,000 x 54, {'10 trees' if params else 'unlimited'}",
        data=covertype,
        contenders=partial(estimators, chapter, name, random_state=0, **params),
        loss=deviance,
        rivals=ONEDAL,
        slack=0.02,  # chance, where cuts tie; other peers draw other numbers
    )
    for chapter, name, params in (
        ("tree", "DecisionTreeClassifier", {}),
        ("ensemble", "RandomForestClassifier", {"n_estimators": 10, "n_jobs": 2}),
        ("ensemble", "ExtraTreesClassifier", {"n_estimators": 10, "n_jobs": 2}),
    )
]
WORKLOADS += [
    Workload(
        "HistGradientBoostingClassifier adult 32,561 x 14, 8 of categories, 100 trees",
        data=adult,
        contenders=partial(
            boosters,
            categorical_features=CATEGORIES,
            early_stopping=False,
            random_state=0,
        ),
        loss=surprise,
        slack=0.02,
    ),
]
