"""Many models in place of one: forests, bagging, boosting."""

from skcourse.ensemble.adaboost import AdaBoostClassifier
from skcourse.ensemble.adaboost_regressor import AdaBoostRegressor
from skcourse.ensemble.bagging import BaggingClassifier, BaggingRegressor
from skcourse.ensemble.extra_trees import ExtraTreesClassifier, ExtraTreesRegressor
from skcourse.ensemble.gradient_boosting_classifier import GradientBoostingClassifier
from skcourse.ensemble.gradient_boosting_regressor import GradientBoostingRegressor
from skcourse.ensemble.hist_gradient_boosting_classifier import HistGradientBoostingClassifier
from skcourse.ensemble.hist_gradient_boosting_regressor import HistGradientBoostingRegressor
from skcourse.ensemble.isolation_forest import IsolationForest
from skcourse.ensemble.mixture_of_experts_classifier import MixtureOfExpertsClassifier
from skcourse.ensemble.mixture_of_experts_regressor import MixtureOfExpertsRegressor
from skcourse.ensemble.quantile_forest import QuantileForestRegressor
from skcourse.ensemble.random_forest import RandomForestClassifier, RandomForestRegressor
from skcourse.ensemble.random_trees_embedding import RandomTreesEmbedding

__all__ = [
    "AdaBoostClassifier",
    "AdaBoostRegressor",
    "BaggingClassifier",
    "BaggingRegressor",
    "ExtraTreesClassifier",
    "ExtraTreesRegressor",
    "GradientBoostingClassifier",
    "GradientBoostingRegressor",
    "HistGradientBoostingClassifier",
    "HistGradientBoostingRegressor",
    "IsolationForest",
    "MixtureOfExpertsClassifier",
    "MixtureOfExpertsRegressor",
    "QuantileForestRegressor",
    "RandomForestClassifier",
    "RandomForestRegressor",
    "RandomTreesEmbedding",
]
