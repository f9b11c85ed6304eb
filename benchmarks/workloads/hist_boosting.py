"""Boosting on histograms: 100 trees of 31 leaves, each library on all cores that there are.

All grow the leaf that gains most, with 255 bins, 20 rows in a leaf and steps of 0.1; no early
stopping. They bin and break ties in their own ways, so losses on other samples differ a little.
"""

from functools import partial
from importlib.util import find_spec

import numpy as np
from joblib import cpu_count

from benchmarks.contenders import classes, fit_class
from benchmarks.data import Data, data_folder
from benchmarks.harness import Workload

ROUNDS, LEAVES, STEP, IN_LEAF = 100, 31, 0.1, 20
PEERS = ("LightGBM", "XGBoost", "CatBoost")
LITTLE = 0.01  # of the loss: what bins and ties make


def table(n, d, n_classes, shrink=1, *, missing=0.0, n_categories=0):
    """Make y of a few features that interact; n_classes = 0: a number.

    The last feature holds codes of `n_categories`, each with an effect of its own.
    """
    rng, n_test = np.random.default_rng(0), 20_000 // shrink
    X = rng.standard_normal((n // shrink + n_test, d))
    y = X[:, 0] + X[:, 1] * X[:, 2] + np.sin(3 * X[:, 3]) + 0.5 * rng.standard_normal(len(X))
    if n_categories:
        X[:, -1] = rng.integers(0, n_categories, len(X))
        y += rng.standard_normal(n_categories)[X[:, -1].astype(int)]
    X[rng.random(X.shape) < missing] = np.nan
    if n_classes:
        y = np.digitize(y, np.quantile(y, np.arange(1, n_classes) / n_classes))
    return Data(X[n_test:], y[n_test:], X_test=X[:n_test], y_test=y[:n_test])


def covertype(shrink=1):
    """Return the cartographic data of 581,012 patches of forest, 7 kinds of cover."""
    folder = data_folder()
    if folder is None or not (folder / "covertype.npz").is_file():
        return table(581_012 // 2, 54, 7, shrink)._replace(note="No covertype.npz: made up.")
    with np.load(folder / "covertype.npz") as files:
        X, y = files["X"][::shrink].astype(np.float32), files["y"][::shrink].astype(np.int64) - 1
    test = np.random.default_rng(0).random(len(X)) < 0.05
    return Data(X[~test], y[~test], X_test=X[test], y_test=y[test])


def boosters(kind, *, categorical=None, rounds=ROUNDS):
    """Return {contender: fit} of the regressors or classifiers."""
    name = f"HistGradientBoosting{kind}"
    params = {"max_iter": rounds, "early_stopping": False, "random_state": 0}
    params["categorical_features"] = categorical
    found = {
        contender: partial(fit_class, cls, params, 1)
        for contender, cls in classes("ensemble", name).items()
    }
    if categorical is None:
        makers = {"LightGBM": lightgbm, "XGBoost": xgboost, "CatBoost": catboost}
        for contender, maker in makers.items():
            if find_spec(maker.__name__):
                found[contender] = partial(fit_peer, maker, kind, rounds)
    return found


def fit_peer(maker, kind, rounds, data):
    """Fit another library's model."""
    return maker(kind, rounds).fit(data.X, data.y)


def lightgbm(kind, rounds):
    """Return LightGBM's model."""
    import lightgbm as package

    return getattr(package, f"LGBM{kind}")(
        n_estimators=rounds,
        learning_rate=STEP,
        num_leaves=LEAVES,
        min_child_samples=IN_LEAF,
        n_jobs=cpu_count(),
        verbose=-1,
    )


def xgboost(kind, rounds):
    """Return XGBoost's model."""
    import xgboost as package

    return getattr(package, f"XGB{kind}")(
        n_estimators=rounds,
        learning_rate=STEP,
        max_leaves=LEAVES,
        max_depth=0,
        grow_policy="lossguide",
        tree_method="hist",
        n_jobs=cpu_count(),
    )


def catboost(kind, rounds):
    """Return CatBoost's model."""
    import catboost as package

    return getattr(package, f"CatBoost{kind}")(
        iterations=rounds,
        learning_rate=STEP,
        grow_policy="Lossguide",
        max_leaves=LEAVES,
        min_data_in_leaf=IN_LEAF,
        thread_count=cpu_count(),
        verbose=0,
        allow_writing_files=False,
    )


def squared_error(data, fitted):
    """Return the mean squared error on other samples."""
    return float(np.mean((fitted.predict(data.X_test) - data.y_test) ** 2))


def log_loss(data, fitted):
    """Return the mean log-loss on other samples."""
    shares = fitted.predict_proba(data.X_test)[np.arange(len(data.y_test)), data.y_test]
    return float(-np.mean(np.log(np.maximum(shares, 1e-15))))


SETTINGS = {}

WORKLOADS = [
    Workload(
        "HistGradientBoostingRegressor 200,000 x 30, 100 trees",
        data=partial(table, 200_000, 30, 0),
        contenders=partial(boosters, "Regressor"),
        loss=squared_error,
        floor=1.25,
        rivals=PEERS,
        slack=LITTLE,
    ),
    Workload(
        "HistGradientBoostingClassifier 200,000 x 30, 2 classes, 100 trees",
        data=partial(table, 200_000, 30, 2),
        contenders=partial(boosters, "Classifier"),
        loss=log_loss,
        floor=1.25,
        rivals=PEERS,
        slack=LITTLE,
    ),
    Workload(
        "HistGradientBoostingClassifier 200,000 x 30, 5 classes, 500 trees",
        data=partial(table, 200_000, 30, 5),
        contenders=partial(boosters, "Classifier"),
        loss=log_loss,
        floor=1.25,
        rivals=PEERS,
        slack=0.05,  # of several classes, the first trees have ties, which chance breaks
    ),
    Workload(
        "HistGradientBoostingRegressor 100,000 x 20, missing values, 100 categories",
        data=partial(table, 100_000, 20, 0, missing=0.1, n_categories=100),
        contenders=partial(boosters, "Regressor", categorical=[19]),
        loss=squared_error,
        slack=LITTLE,
    ),
    Workload(
        "HistGradientBoostingClassifier 5,000 x 100, 2 classes, 100 trees",
        data=partial(table, 5_000, 100, 2),
        contenders=partial(boosters, "Classifier"),
        loss=log_loss,
        slack=0.03,  # few samples: a tie broken otherwise shows
    ),
    Workload(
        "HistGradientBoostingClassifier covertype 551,000 x 54, 7 classes, 70 trees",
        data=covertype,
        contenders=partial(boosters, "Classifier", rounds=10),
        loss=log_loss,
        slack=0.05,  # see above
    ),
]
