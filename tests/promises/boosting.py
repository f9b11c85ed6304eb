"""What gradient boosting promises; all of few trees."""

from skcourse.testing import Case, scale, target_affine

FEW = {"n_estimators": 5, "random_state": 0}
DOUBLE = {"check_dtype_kept": "predictions are sums of float64 steps, as in scikit-learn"}


def gradient_boosting_classifier(cls):
    """Rows in any order; a unit that loses no digit changes nothing; the loss falls."""
    fine = {"draws": False, "symmetries": (scale(4.0),), "excused": DOUBLE}
    yield Case(cls(**FEW), falls=("loss",), **fine)
    yield Case(cls(subsample=0.7, max_leaf_nodes=4, max_features=2, **FEW), excused=DOUBLE)


def gradient_boosting_regressor(cls):
    """The same of numbers, whose unit and origin may change as well."""
    moves = (scale(4.0), target_affine())
    fine = {"draws": False, "excused": DOUBLE}
    yield Case(cls(**FEW), symmetries=moves, falls=("loss",), **fine)
    yield Case(cls(loss="absolute_error", **FEW), symmetries=(scale(4.0),), **fine)
    yield Case(cls(loss="huber", subsample=0.7, **FEW), excused=DOUBLE)


PROMISES = {
    "GradientBoostingClassifier": gradient_boosting_classifier,
    "GradientBoostingRegressor": gradient_boosting_regressor,
}
LONG = dict.fromkeys(PROMISES, 60_000)
SHARP = {  # deeper, cuts of equal gain are frequent, and their rounding chooses among them
    name: {"n_estimators": 10, "max_depth": 2} for name in PROMISES
}
