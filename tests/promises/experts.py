"""What mixtures of experts promise."""

from sklearn.base import is_classifier

from skcourse.testing import Case
from skcourse.tree import DecisionTreeClassifier, DecisionTreeRegressor

SOLID = {"rows": (30, 40), "columns": (1, 3), "flaws": ("none",), "conditions": (1.0, 1e2)}


def mixture_of_experts(cls):
    """The first gate is drawn by the features: neither order nor repetition of rows matters."""
    tree = DecisionTreeClassifier if is_classifier(cls()) else DecisionTreeRegressor
    short = {"n_experts": 2, "tol": 0.1, "random_state": 0}  # of a few iterations
    yield Case(cls(**short), draws=False, problems=SOLID)
    yield Case(cls(tree(max_depth=2), **short), problems=SOLID)


LONG = {"MixtureOfExpertsClassifier": 12_000, "MixtureOfExpertsRegressor": 12_000}
PROMISES = {
    "MixtureOfExpertsClassifier": mixture_of_experts,
    "MixtureOfExpertsRegressor": mixture_of_experts,
}
