"""What bagging promises; of few members. Draws are scikit-learn's, so they depend on the order."""

from skcourse.testing import Case, scale, target_affine

FEW = {"n_estimators": 4, "random_state": 0}
DOUBLE = {"check_dtype_kept": "values are means of y, float64 as in scikit-learn"}
DRAWN = {
    "check_equal_weights_are_none": "with weights, rows are drawn by other numbers, as in theirs"
}

PLAIN = DRAWN | {"check_history": "there is one only with oob_score"}


def bagging_classifier(cls):
    """Trees of ours; members of others, on processes, are met in tests/ensemble."""
    some = {"max_features": 0.7, "max_samples": 0.9, "oob_score": True}
    yield Case(cls(**FEW), symmetries=(scale(4.0),), excused=PLAIN)
    yield Case(cls(**some, **FEW), excused=DRAWN)


def bagging_regressor(cls):
    """The same of numbers, whose unit and origin may change as well."""
    moves = (scale(4.0), target_affine())
    yield Case(cls(**FEW), symmetries=moves, excused=DOUBLE | PLAIN)
    yield Case(cls(max_samples=0.9, max_features=0.7, **FEW), excused=DOUBLE | PLAIN)


PROMISES = {"BaggingClassifier": bagging_classifier, "BaggingRegressor": bagging_regressor}
LONG = {"BaggingClassifier": 60_000, "BaggingRegressor": 20_000}
