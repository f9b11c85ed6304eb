"""What AdaBoost promises; of few members."""

from sklearn.linear_model import LinearRegression

from skcourse.testing import Case, scale, target_affine
from skcourse.tree import DecisionTreeClassifier

FEW = {"n_estimators": 5, "random_state": 0}
VOTES = {"check_dtype_kept": "votes are sums of weights, float64 as in scikit-learn"}
DOUBLE = {"check_dtype_kept": "values are means of y, float64 as in scikit-learn"}


def adaboost_classifier(cls):
    """Weights do all: the order of rows and their unit change nothing."""
    yield Case(cls(**FEW), draws=False, symmetries=(scale(4.0),), excused=VOTES)


def adaboost_regressor(cls):
    """Rows are drawn, in their order."""
    yield Case(cls(**FEW), symmetries=(scale(4.0), target_affine()), excused=DOUBLE)
    yield Case(cls(LinearRegression(), loss="square", **FEW), excused=DOUBLE)


PROMISES = {"AdaBoostClassifier": adaboost_classifier, "AdaBoostRegressor": adaboost_regressor}
LONG = {"AdaBoostClassifier": 60_000, "AdaBoostRegressor": 20_000}
# of classes apart, stumps split off one or another alike, and theirs leaves the choice to rounding
DEEP = DecisionTreeClassifier(max_depth=3, random_state=0)
SHARP = {"AdaBoostClassifier": {"estimator": DEEP, "n_estimators": 1}}
