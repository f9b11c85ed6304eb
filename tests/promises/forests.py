"""What forests promise; all of few trees. Draws are scikit-learn's, so they depend on the order."""

from skcourse.testing import Case, scale, target_affine

FEW = {"n_estimators": 5, "random_state": 0}
DOUBLE = {"check_dtype_kept": "values are means of y, float64 as in scikit-learn"}
DRAWN = {
    "check_equal_weights_are_none": "with weights, rows are drawn by other numbers, as in theirs"
}
CODES = {"check_dtype_kept": "a code is 0 or 1, float64 as in scikit-learn"}


def random_forest_classifier(cls):
    """Rows are drawn; a unit that loses no digit changes nothing."""
    yield Case(cls(**FEW), symmetries=(scale(4.0),), excused=DRAWN)
    more = {"criterion": "entropy", "max_leaf_nodes": 8, "class_weight": "balanced_subsample"}
    yield Case(cls(oob_score=True, max_samples=0.9, **more, **FEW), excused=DRAWN)


def random_forest_regressor(cls):
    """The same of numbers."""
    moves = (scale(4.0),)
    yield Case(cls(**FEW), symmetries=moves, excused=DOUBLE | DRAWN)
    yield Case(cls(bootstrap=False, max_features=1, **FEW), draws=False, excused=DOUBLE)


def extra_trees_classifier(cls):
    """All rows, in any order; thresholds depend on the values alone."""
    yield Case(cls(**FEW), draws=False, symmetries=(scale(4.0),))


def extra_trees_regressor(cls):
    """The same of numbers, whose unit and origin may change as well."""
    moves = (scale(4.0), target_affine())
    yield Case(cls(**FEW), draws=False, symmetries=moves, excused=DOUBLE)


def random_trees_embedding(cls):
    """Targets are drawn for the rows in their order."""
    yield Case(cls(max_depth=3, **FEW), symmetries=(scale(4.0),), excused=CODES)


def quantile_forest(cls):
    """A random forest, asked for means here."""
    moves = (scale(4.0),)
    yield Case(cls(**FEW), symmetries=moves, excused=DOUBLE | DRAWN)


PROMISES = {
    "ExtraTreesClassifier": extra_trees_classifier,
    "ExtraTreesRegressor": extra_trees_regressor,
    "QuantileForestRegressor": quantile_forest,
    "RandomForestClassifier": random_forest_classifier,
    "RandomForestRegressor": random_forest_regressor,
    "RandomTreesEmbedding": random_trees_embedding,
}
LONG = {name: 60_000 if "Classifier" in name else 20_000 for name in PROMISES}  # as trees are deep
SHARP = {name: {"n_estimators": 10} for name in PROMISES}
# Levels that are full whatever rounding does to the values: as many leaves, and a dense code.
SHARP["RandomTreesEmbedding"] |= {"max_depth": 2, "sparse_output": False}
