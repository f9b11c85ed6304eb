"""What each estimator is shown: data by its kind, unless a line here says otherwise."""

import importlib
import importlib.util
from typing import NamedTuple

import numpy as np
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import MinMaxScaler, StandardScaler
from sklearn.utils import get_tags

from skcourse.tour.data import PHOTOS, load


def spread_rows(X, n_clusters, random_state=None):
    """Start k-means from rows at equal steps through X: for both libraries the same."""
    return X[np.linspace(0, len(X) - 1, n_clusters).astype(int)]


BY_KIND = {
    "classifier": "breast_cancer",
    "regressor": "diabetes",
    "clusterer": "iris",
    "transformer": "digits",
    "density_estimator": "wine",
    "outlier_detector": "wine",
}
SAME_START = {"init": spread_rows, "n_init": 1}
SPECIAL = {  # estimator: (data, parameters), ...
    "AdaBoostClassifier": (("digits", {"random_state": 0}),),
    "AdaBoostRegressor": (("diabetes", {"random_state": 0}),),
    "BaggingClassifier": (("digits", {"random_state": 0}),),
    "BaggingRegressor": (("diabetes", {"random_state": 0}),),
    "BisectingKMeans": (("digits", {"n_clusters": 10}), ("colours", {"n_clusters": 16})),
    "BayesianGaussianMixture": (("iris", {"n_components": 6, "random_state": 0}),),
    "GaussianMixture": (
        ("iris", {"n_components": 3, "random_state": 0}),
        ("colours", {"n_components": 8, "max_iter": 4, "tol": 0, "init_params": "k-means++"}),
    ),
    "DecisionTreeClassifier": (("digits", {"random_state": 0}),),
    "DecisionTreeRegressor": (("diabetes", {"random_state": 0}),),
    "DictionaryLearning": (("digits", {"n_components": 10, "max_iter": 1}),),
    "ExtraTreeClassifier": (("digits", {"random_state": 0}),),
    "ExtraTreeRegressor": (("diabetes", {"random_state": 0}),),
    "ExtraTreesClassifier": (("digits", {"random_state": 0}),),
    "ExtraTreesRegressor": (("diabetes", {"random_state": 0}),),
    "FactorAnalysis": (("wine", {"n_components": 3}),),
    "GradientBoostingClassifier": (("digits", {"n_estimators": 10}),),
    "GradientBoostingRegressor": (("diabetes", {}),),
    "IncrementalPCA": (("digits", {"n_components": 20}),),
    "KMeans": (
        ("digits", {"n_clusters": 10} | SAME_START),
        ("colours", {"n_clusters": 16, "max_iter": 30} | SAME_START),
    ),
    "LinearRegression": (("diabetes", {}), ("pixels", {})),
    "LogisticRegression": (("breast_cancer", {}), ("digits", {})),
    "LogisticRegressionCV": (  # scikit-learn warns of each of these defaults, which will change
        (
            "breast_cancer",
            {"l1_ratios": (0.0,), "scoring": "neg_log_loss", "use_legacy_attributes": False},
        ),
    ),
    "MiniBatchKMeans": (("digits", {"n_clusters": 10}), ("colours", {"n_clusters": 16})),
    "MiniBatchDictionaryLearning": (("digits", {"n_components": 10, "max_iter": 1}),),
    "MultiTaskElasticNet": (("halves", {"alpha": 0.1}),),
    "MultiTaskElasticNetCV": (("halves", {"alphas": 10, "cv": 3}),),
    "MultiTaskLasso": (("halves", {"alpha": 0.1}),),
    "MultiTaskLassoCV": (("halves", {"alphas": 10, "cv": 3}),),
    "NMF": (("digits", {"n_components": 10, "max_iter": 400}),),
    "OrthogonalMatchingPursuit": (("diabetes", {"n_nonzero_coefs": 5}),),
    "PCA": (("digits", {"n_components": 20}), ("pixels", {"n_components": 8})),
    "ProbabilisticPCA": (("digits", {"n_components": 20}),),
    "QuantileForestRegressor": (("diabetes", {"random_state": 0}),),
    "QuantileRegressor": (("diabetes", {"alpha": 0.01}),),
    "RandomForestClassifier": (("digits", {"random_state": 0}),),
    "RandomForestRegressor": (("diabetes", {"random_state": 0}),),
    "RandomTreesEmbedding": (("digits", {"random_state": 0}),),
    "RidgeCV": (("diabetes", {"alphas": np.logspace(-3, 3, 25)}),),
    "RidgeClassifier": (("digits", {}),),
    "RidgeClassifierCV": (("digits", {"alphas": np.logspace(-3, 3, 25)}),),
    "TruncatedSVD": (("digits", {"n_components": 20}),),
}
SEARCHES = {"Ridge": {"alpha": np.logspace(-3, 3, 13)}}  # these run inside a GridSearchCV


class Case(NamedTuple):
    """One row of the table to be."""

    name: str
    ours: type
    theirs: type | None  # scikit-learn's class of the same name, where there is one
    data: str
    parameters: dict
    grid: dict | None  # of a GridSearchCV around the pipeline

    @property
    def title(self):
        """What is done, in words."""
        return f"{self.name} on {self.data}" + (" in a GridSearchCV" if self.grid else "")


def cases(estimators):
    """List what there is to do for `estimators`, a list of (name, class)."""
    todo = []
    for name, ours in estimators:
        for data, parameters in SPECIAL.get(name) or [(None, {})]:
            if data in PHOTOS and not importlib.util.find_spec("PIL"):
                continue  # nothing to read a photograph with
            data = data or BY_KIND.get(kind(ours), "iris")
            todo.append(Case(name, ours, namesake(ours), data, parameters, SEARCHES.get(name)))
    return todo


def namesake(ours):
    """Return scikit-learn's class of the same name and chapter, or None."""
    chapter = ours.__module__.split(".")[1]
    if importlib.util.find_spec(f"sklearn.{chapter}") is None:
        return None
    return getattr(importlib.import_module(f"sklearn.{chapter}"), ours.__name__, None)


def kind(estimator_class):
    """Return "classifier", "clusterer", ...: what the tags say, else "transformer" or ""."""
    try:
        stated = get_tags(estimator_class()).estimator_type
    except TypeError:  # a parameter without a default: it needs a line in SPECIAL
        stated = None
    return stated or ("transformer" if hasattr(estimator_class, "transform") else "")


def model_of(case, estimator_class):
    """Return the pipeline, or the search around it, not yet fitted."""
    estimator = estimator_class(**defaults(case, estimator_class) | case.parameters)
    positive = get_tags(estimator).input_tags.positive_only
    model = make_pipeline(MinMaxScaler() if positive else StandardScaler(), estimator)
    if case.grid is None:
        return model
    step = model.steps[-1][0]
    return GridSearchCV(model, {f"{step}__{name}": grid for name, grid in case.grid.items()})


def defaults(case, estimator_class):
    """Return what an estimator gets if it takes it: a seed, and as many clusters as classes."""
    names = estimator_class._get_param_names()
    y = load(case.data).y
    chosen = {"random_state": 0} if "random_state" in names else {}
    if "n_clusters" in names and y is not None:
        chosen["n_clusters"] = len(np.unique(y))
    return chosen
