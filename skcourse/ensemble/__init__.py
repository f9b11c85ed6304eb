"""Many models in place of one: forests, bagging, boosting."""

from skcourse.ensemble.extra_trees import ExtraTreesClassifier, ExtraTreesRegressor
from skcourse.ensemble.random_forest import RandomForestClassifier, RandomForestRegressor
from skcourse.ensemble.random_trees_embedding import RandomTreesEmbedding

__all__ = [
    "ExtraTreesClassifier",
    "ExtraTreesRegressor",
    "RandomForestClassifier",
    "RandomForestRegressor",
    "RandomTreesEmbedding",
]
