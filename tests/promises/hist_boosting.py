"""What boosting on histograms promises; all of few trees."""

from skcourse.testing import Case, scale, shift, target_affine

FEW = {"max_iter": 5, "min_samples_leaf": 1, "max_leaf_nodes": 8, "random_state": 0}
DOUBLE = {"check_dtype_kept": "predictions are sums of float64 steps, as in scikit-learn"}


def hist_gradient_boosting_classifier(cls):
    """Rows in any order and any number of threads to the bit; the loss falls."""
    fine = {"draws": False, "same_bits": True, "excused": DOUBLE}
    yield Case(cls(**FEW), symmetries=(scale(4.0), shift()), falls=("loss",), **fine)
    stops = {"early_stopping": True, "validation_fraction": None}  # few rows: none to hold out
    yield Case(cls(max_features=0.5, **stops, **FEW), excused=DOUBLE)


def hist_gradient_boosting_regressor(cls):
    """The same of numbers, whose unit and origin may change as well."""
    moves = (scale(4.0), shift(), target_affine())
    fine = {"draws": False, "same_bits": True, "excused": DOUBLE}
    yield Case(cls(**FEW), symmetries=moves, falls=("loss",), **fine)
    yield Case(cls(loss="absolute_error", l2_regularization=1.0, **FEW), **fine)


PROMISES = {
    "HistGradientBoostingClassifier": hist_gradient_boosting_classifier,
    "HistGradientBoostingRegressor": hist_gradient_boosting_regressor,
}
SHARP = {name: {"max_iter": 10} for name in PROMISES}
LONG = dict.fromkeys(PROMISES, 60_000)
