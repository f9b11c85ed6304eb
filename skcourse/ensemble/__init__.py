"""Many models in place of one: forests, bagging, boosting."""

from skcourse.ensemble.extra_trees import ExtraTreesClassifier, ExtraTreesRegressor
from skcourse.ensemble.gradient_boosting_classifier import GradientBoostingClassifier
from skcourse.ensemble.gradient_boosting_regressor import GradientBoostingRegressor
from skcourse.ensemble.hist_gradient_boosting_classifier import HistGradientBoostingClassifier
from skcourse.ensemble.hist_gradient_boosting_regressor import HistGradientBoostingRegressor
from skcourse.ensemble.quantile_forest import QuantileForestRegressor
from skcourse.ensemble.random_forest import RandomForestClassifier, RandomForestRegressor
from skcourse.ensemble.random_trees_embedding import RandomTreesEmbedding

__all__ = [
    "ExtraTreesClassifier",
    "ExtraTreesRegressor",
    "GradientBoostingClassifier",
    "GradientBoostingRegressor",
    "HistGradientBoostingClassifier",
    "HistGradientBoostingRegressor",
    "QuantileForestRegressor",
    "RandomForestClassifier",
    "RandomForestRegressor",
    "RandomTreesEmbedding",
]
