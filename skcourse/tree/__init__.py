"""Decision trees."""

from skcourse.tree.decision_tree import DecisionTreeClassifier, DecisionTreeRegressor
from skcourse.tree.extra_tree import ExtraTreeClassifier, ExtraTreeRegressor

__all__ = [
    "DecisionTreeClassifier",
    "DecisionTreeRegressor",
    "ExtraTreeClassifier",
    "ExtraTreeRegressor",
]
