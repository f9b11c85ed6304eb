"""What an isolation forest promises; of few trees."""

from skcourse.testing import Case, scale

FEW = {"n_estimators": 5, "random_state": 0}
DOUBLE = {"check_dtype_kept": "scores count cuts, float64 as in scikit-learn"}
DRAWN = {
    "check_equal_weights_are_none": "with weights, rows are drawn by other numbers, as in theirs"
}


def isolation_forest(cls):
    """Rows and cuts are drawn, but a unit that loses no digit changes nothing."""
    yield Case(cls(**FEW), symmetries=(scale(4.0),), excused=DOUBLE | DRAWN)
    some = {"max_samples": 0.9, "max_features": 0.5, "bootstrap": True, "contamination": 0.2}
    yield Case(cls(**some, **FEW), excused=DOUBLE | DRAWN)


PROMISES = {"IsolationForest": isolation_forest}
LONG = dict.fromkeys(PROMISES, 60_000)
