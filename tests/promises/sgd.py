"""What is promised of the estimators by stochastic gradient descent."""

from skcourse.testing import Case

ONE_EPOCH = {"check_partial_fit_in_pieces": "a piece is one epoch of its own, a fit has many"}
# Steps in units of alpha are long for features beyond 1; then a rounding of one tells in the end.
SCALED = {"scales": (1e-3, 1.0), "offsets": (0.0,)}


def regressor(cls):
    """As it comes, with other penalties, with averages, and in the order of the rows."""
    yield Case(cls(), excused=ONE_EPOCH)
    yield Case(cls(penalty="l1", average=True, max_iter=20), excused=ONE_EPOCH)
    yield Case(cls(loss="huber", penalty="elasticnet", early_stopping=True), excused=ONE_EPOCH)
    yield Case(cls(learning_rate="adaptive", shuffle=False, max_iter=20), excused=ONE_EPOCH)


def classifier(cls):
    """As it comes, and the routes to probabilities."""
    yield Case(cls(), excused=ONE_EPOCH)
    yield Case(cls(loss="log_loss", average=10, max_iter=20), problems=SCALED, excused=ONE_EPOCH)
    smooth = cls(loss="modified_huber", penalty="l1", max_iter=20)
    yield Case(smooth, problems=SCALED, excused=ONE_EPOCH)


def default(cls):
    """As it comes."""
    yield Case(cls(), excused=ONE_EPOCH)


PROMISES = {
    "Perceptron": default,
    "SGDClassifier": classifier,
    "SGDOneClassSVM": default,
    "SGDRegressor": regressor,
}
