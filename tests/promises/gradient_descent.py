"""Gradient descent: on a full batch nothing is drawn; on batches the order of the rows is."""

from skcourse.testing import Case

PIECES = {"check_partial_fit_in_pieces": "an epoch over a piece is not one over the whole"}
# Of few steps: how many it takes until rest is a matter of rounding.
FEW = {"max_iter": 20, "tol": None}
# Where classes balance, the slope of an intercept is rounding, which tiny features would not hide.
SEEN = {"scales": (1.0, 1e3)}


def regressor(cls):
    """Return one full batch and many, plain and with all that may be added."""
    full = {"draws": False, "excused": PIECES}
    yield Case(cls(**FEW), falls=("loss",), **full)
    yield Case(cls(penalty="elasticnet", alpha=0.1, optimizer="nesterov", **FEW), **full)
    yield Case(cls(loss="pinball", optimizer="adam", penalty="scad", **FEW), **full)
    yield Case(cls(batch_size=7, record="path", penalty="l2", **FEW), excused=PIECES)


def classifier(cls):
    """Softmax and margins, on a full batch and online."""
    full = {"draws": False, "excused": PIECES, "problems": SEEN}
    yield Case(cls(**FEW), falls=("loss",), **full)
    yield Case(cls(loss="squared_hinge", penalty="l1", alpha=0.01, **FEW), **full)
    yield Case(cls(batch_size=1, loss="hinge", eta0=0.01, **FEW), excused=PIECES)


PROMISES = {"GradientDescentClassifier": classifier, "GradientDescentRegressor": regressor}
