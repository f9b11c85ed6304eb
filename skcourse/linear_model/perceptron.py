"""Rosenblatt's perceptron.

Iteration   For the samples in random order, y_i = -1 or 1: where y_i (<x_i, w> + b) <= 0,
                w = w + eta_0 y_i x_i,   b = b + eta_0 y_i;                                      (1)
            stochastic gradient descent on max(0, -m), m being the margin, with constant steps.
Guarantee   If a plane through 0 keeps all samples, |x_i| <= R, at a distance g on the right side,
            (1) is run at most (R / g)^2 times; no length of step is better than another then.
Reference   F. Rosenblatt, Psychological Review, 1958; A. Novikoff, 1962 (the guarantee).
"""

from numbers import Integral, Real

from skcourse.core.losses import PERCEPTRON
from skcourse.core.validation import Interval, StrOptions
from skcourse.linear_model.sgd_base import StochasticDescent
from skcourse.linear_model.sgd_classes import DescentClassifier

FIXED = ("epsilon", "learning_rate", "power_t", "average")


class Perceptron(DescentClassifier):
    """Rosenblatt's perceptron: move when wrong.

    Parameters
    ----------
    penalty : {"l2", "l1", "elasticnet"} or None, default=None
        |w|^2 / 2; |w|_1, which makes coefficients exactly 0; the two mixed.
    alpha : float, default=1e-4
        Strength of the penalty, not negative.
    l1_ratio : float, default=0.15
        Share of |w|_1 in "elasticnet".
    fit_intercept : bool, default=True
    max_iter : int, default=1000
        Bound on the epochs of `fit`.
    tol : float or None, default=1e-3
        `fit` ends when for `n_iter_no_change` epochs the objective has not fallen, or the score on
        the rows kept back has not risen, by more than that. None goes on until `max_iter`.
    shuffle : bool, default=True
        Whether every epoch has an order of its own.
    verbose : int, default=0
        Whether to print a line per epoch.
    eta0 : float, default=1
        The length of steps; without a penalty it is only the unit of the coefficients.
    n_jobs : int, default=None
        How many classes to fit at the same time, on threads; the results do not depend on it.
    random_state : int, RandomState instance or None, default=0
        Draws the orders, and the rows kept back.
    early_stopping : bool, default=False
        Whether to keep rows back, by whose accuracy `fit` ends, instead of by the objective.
    validation_fraction : float, default=0.1
        The share kept back.
    n_iter_no_change : int, default=5
    class_weight : dict, "balanced" or None, default=None
        Weights of the classes, by label; they multiply those of the samples. "balanced" gives all
        classes the same total.
    warm_start : bool, default=False
        Whether `fit` begins at the last coefficients.

    Attributes
    ----------
    coef_ : ndarray of shape (1, n_features), of two classes, or (n_classes, n_features)
    intercept_ : ndarray of shape (1,) or (n_classes,)
    n_iter_ : int, epochs; of several classes the most
    t_ : float, steps + 1
    classes_ : ndarray of shape (n_classes,)
    history_ : dict of arrays of shape (n_iter_,), or (n_iter_, n_classes) of more than two
        "loss", "objective" and, if rows were kept back, "validation_score": see `SGDClassifier`.
    n_features_in_ : int
    feature_names_in_ : ndarray of shape (n_features_in_,)
        Only if X has names.

    See Also
    --------
    SGDClassifier : Other losses and steps.

    Examples
    --------
    >>> from skcourse.linear_model import Perceptron
    >>> X = [[0, 0], [0, 1], [1, 0], [1, 1]]
    >>> model = Perceptron(tol=None, max_iter=20).fit(X, [0, 0, 0, 1])
    >>> model.predict([[0, 1], [1, 1]])
    array([0, 1])
    """

    loss = "perceptron"
    loss_functions = {"perceptron": (PERCEPTRON,)}
    learning_rate = "constant"
    epsilon = power_t = 0.0  # of no use here
    average = False
    _parameter_constraints: dict = {
        name: allowed
        for name, allowed in StochasticDescent._parameter_constraints.items()
        if name not in FIXED
    } | {
        "l1_ratio": [Interval(Real, 0, 1, closed="both")],
        "n_jobs": [Integral, None],
        "class_weight": [StrOptions({"balanced"}), dict, None],
    }

    def __init__(
        self,
        *,
        penalty=None,
        alpha=0.0001,
        l1_ratio=0.15,
        fit_intercept=True,
        max_iter=1000,
        tol=1e-3,
        shuffle=True,
        verbose=0,
        eta0=1.0,
        n_jobs=None,
        random_state=0,
        early_stopping=False,
        validation_fraction=0.1,
        n_iter_no_change=5,
        class_weight=None,
        warm_start=False,
    ):
        self.penalty = penalty
        self.alpha = alpha
        self.l1_ratio = l1_ratio
        self.fit_intercept = fit_intercept
        self.max_iter = max_iter
        self.tol = tol
        self.shuffle = shuffle
        self.verbose = verbose
        self.eta0 = eta0
        self.n_jobs = n_jobs
        self.random_state = random_state
        self.early_stopping = early_stopping
        self.validation_fraction = validation_fraction
        self.n_iter_no_change = n_iter_no_change
        self.class_weight = class_weight
        self.warm_start = warm_start
