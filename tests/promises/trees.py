"""What decision trees promise: no monotone move of a feature changes where a sample falls."""

from skcourse.testing import Case, scale, target_affine

DOUBLE = {"check_dtype_kept": "values are means of y, float64 as in scikit-learn"}


def decision_tree_classifier(cls):
    """Thresholds follow a change of unit that loses no digit."""
    for more in ({}, {"criterion": "entropy", "max_leaf_nodes": 8, "ccp_alpha": 0.01}):
        yield Case(cls(random_state=0, **more), draws=False, symmetries=(scale(4.0),))


def decision_tree_regressor(cls):
    """Leaves follow a change of unit and origin of the targets, too."""
    moves = (scale(4.0), target_affine())
    yield Case(cls(random_state=0), draws=False, symmetries=moves, excused=DOUBLE)
    median = cls(criterion="absolute_error", max_depth=3, random_state=0)
    yield Case(median, draws=False, symmetries=(scale(4.0),), excused=DOUBLE)


def extra_tree_classifier(cls):
    """The thresholds drawn depend on the rows of a node, and on no order of them."""
    yield Case(cls(random_state=0), draws=False, symmetries=(scale(4.0),))


def extra_tree_regressor(cls):
    """The same of numbers."""
    moves = (scale(4.0), target_affine())
    yield Case(cls(random_state=0), draws=False, symmetries=moves, excused=DOUBLE)


PROMISES = {
    "DecisionTreeClassifier": decision_tree_classifier,
    "DecisionTreeRegressor": decision_tree_regressor,
    "ExtraTreeClassifier": extra_tree_classifier,
    "ExtraTreeRegressor": extra_tree_regressor,
}
