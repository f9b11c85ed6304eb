"""Linear classification by stochastic gradient descent; the descent itself is in `sgd_steps`.

Losses      hinge is the support vector machine, log_loss logistic regression, perceptron the
            perceptron; modified_huber is smooth and bears wrong labels.
Probability For log_loss p_k = 1 / (1 + exp(-z_k)); for modified_huber (z_k + 1) / 2, cut off at 0
            and 1. Several classes, each against the rest, are made to sum to 1.
Reference   B. Zadrozny, C. Elkan, KDD, 2002; T. Zhang, ICML, 2004 (modified Huber).
"""

from numbers import Integral

import numpy as np
from scipy.special import expit
from sklearn.utils.metaestimators import available_if

from skcourse.core.losses import HINGE, LOGISTIC, MODIFIED_HUBER, PERCEPTRON, SQUARED_HINGE
from skcourse.core.validation import StrOptions
from skcourse.linear_model.sgd import EPSILON, REGRESSION_LOSSES
from skcourse.linear_model.sgd_base import StochasticDescent
from skcourse.linear_model.sgd_classes import DescentClassifier

LOSSES = {
    "hinge": (HINGE,),
    "squared_hinge": (SQUARED_HINGE,),
    "perceptron": (PERCEPTRON,),
    "log_loss": (LOGISTIC,),
    "modified_huber": (MODIFIED_HUBER,),
} | REGRESSION_LOSSES
PROBABILISTIC = ("log_loss", "modified_huber")


def has_probabilities(classifier):
    """Tell whether scores mean probabilities; raise AttributeError where they do not."""
    if classifier.loss not in PROBABILISTIC:
        raise AttributeError(
            f"probability estimates are not available for loss={classifier.loss!r}"
        )
    return True


class SGDClassifier(DescentClassifier):
    """Linear classification by stochastic gradient descent.

    Give all features a common scale first, for instance by `StandardScaler`.

    Parameters
    ----------
    loss : {"hinge", "log_loss", "modified_huber", "squared_hinge", "perceptron", \
            "squared_error", "huber", "epsilon_insensitive", "squared_epsilon_insensitive"}, \
            default="hinge"
        With the margin m = y z: max(0, 1 - m); log(1 + exp(-m)); max(0, 1 - m)^2, and -4 m below
        m = -1; max(0, 1 - m)^2; max(0, -m). The others are those of `SGDRegressor`, with y = -1
        or 1.
    penalty : {"l2", "l1", "elasticnet"} or None, default="l2"
        |w|^2 / 2; |w|_1, which makes coefficients exactly 0; the two mixed.
    alpha : float, default=1e-4
        Strength of the penalty, not negative; "optimal" steps are in its units.
    l1_ratio : float or None, default=0.15
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
    epsilon : float, default=0.1
        The number in the losses of `SGDRegressor`.
    n_jobs : int, default=None
        How many classes to fit at the same time, on threads; the results do not depend on it.
    random_state : int, RandomState instance or None, default=None
        Draws the orders, and the rows kept back.
    learning_rate : {"constant", "optimal", "invscaling", "adaptive", "pa1", "pa2"}, \
            default="optimal"
        The length of step t: eta0; 1 / (alpha (t + t_0)); eta0 / t^power_t; eta0, a fifth of it
        each time the objective has ceased to fall; "pa1" and "pa2", passive-aggressive, only for
        "hinge", go as far as the sample wants, eta0 being a bound or a damping.
    eta0 : float, default=0.01
    power_t : float, default=0.5
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
    average : bool or int, default=False
        Whether `coef_` is the mean over all steps, or over those from this one on: it needs no
        small steps at the end.

    Attributes
    ----------
    coef_ : ndarray of shape (1, n_features), of two classes, or (n_classes, n_features)
    intercept_ : ndarray of shape (1,) or (n_classes,)
    n_iter_ : int, epochs; of several classes the most
    t_ : float, steps + 1
    classes_ : ndarray of shape (n_classes,)
    history_ : dict of arrays of shape (n_iter_,), or (n_iter_, n_classes) of more than two
        "loss", the mean of the losses without weights; "objective", with the penalty; each as it
        was just before the steps; "validation_score", if rows were kept back. A class that has
        ended keeps its last values.
    n_features_in_ : int
    feature_names_in_ : ndarray of shape (n_features_in_,)
        Only if X has names.

    See Also
    --------
    SGDRegressor : The same for numbers.
    Perceptron : Steps of length 1, no penalty.

    Notes
    -----
    Sparse rows move the intercept by a hundredth of what dense rows do, as in scikit-learn.

    Examples
    --------
    >>> import numpy as np
    >>> from skcourse.linear_model import SGDClassifier
    >>> X = np.random.default_rng(0).standard_normal((1000, 2))
    >>> model = SGDClassifier(random_state=0).fit(X, X @ [1.0, -2.0] > 0)
    >>> model.predict([[2.0, 0.0], [0.0, 2.0]])
    array([ True, False])
    """

    loss_functions = LOSSES
    _parameter_constraints: dict = StochasticDescent._parameter_constraints | {
        "loss": [StrOptions(set(LOSSES))],
        "n_jobs": [Integral, None],
        "class_weight": [StrOptions({"balanced"}), dict, None],
    }

    def __init__(
        self,
        loss="hinge",
        *,
        penalty="l2",
        alpha=0.0001,
        l1_ratio=0.15,
        fit_intercept=True,
        max_iter=1000,
        tol=1e-3,
        shuffle=True,
        verbose=0,
        epsilon=EPSILON,
        n_jobs=None,
        random_state=None,
        learning_rate="optimal",
        eta0=0.01,
        power_t=0.5,
        early_stopping=False,
        validation_fraction=0.1,
        n_iter_no_change=5,
        class_weight=None,
        warm_start=False,
        average=False,
    ):
        self.loss = loss
        self.penalty = penalty
        self.alpha = alpha
        self.l1_ratio = l1_ratio
        self.fit_intercept = fit_intercept
        self.max_iter = max_iter
        self.tol = tol
        self.shuffle = shuffle
        self.verbose = verbose
        self.epsilon = epsilon
        self.n_jobs = n_jobs
        self.random_state = random_state
        self.learning_rate = learning_rate
        self.eta0 = eta0
        self.power_t = power_t
        self.early_stopping = early_stopping
        self.validation_fraction = validation_fraction
        self.n_iter_no_change = n_iter_no_change
        self.class_weight = class_weight
        self.warm_start = warm_start
        self.average = average

    @available_if(has_probabilities)
    def predict_proba(self, X):
        """Return the probability of each class; of "log_loss" and "modified_huber" only.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features)

        Returns
        -------
        probabilities : ndarray of shape (n_samples, n_classes), in the order of `classes_`
        """
        values = self.decision_function(X)
        if self.loss == "log_loss":
            positive = expit(values)
        else:
            positive = (np.clip(values, -1, 1) + 1) / 2
        if positive.ndim == 1:
            return np.stack([1 - positive, positive], axis=1)
        total = positive.sum(axis=1, keepdims=True)
        positive[total[:, 0] == 0] = 1  # none of the classes: any
        return positive / np.where(total == 0, len(self.classes_), total)

    @available_if(has_probabilities)
    def predict_log_proba(self, X):
        """Return the logarithm of the probability of each class, minus infinity for 0.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features)

        Returns
        -------
        logarithms : ndarray of shape (n_samples, n_classes), in the order of `classes_`
        """
        return np.log(self.predict_proba(X))
