"""A mixture of experts for classes: see `skcourse.ensemble.mixture_of_experts`.

By default the experts are linear, and so the borders of classes are polygons, with soft corners.
"""

import numpy as np
from sklearn.base import ClassifierMixin
from sklearn.utils.multiclass import check_classification_targets
from sklearn.utils.validation import validate_data

from skcourse.core.validation import FLOATS
from skcourse.ensemble.expert_mixture import Problem, class_shares
from skcourse.ensemble.mixture_of_experts import SPARSE, MixtureOfExperts, logistic


class MixtureOfExpertsClassifier(ClassifierMixin, MixtureOfExperts):
    """Several classifiers, and a gate that says whom to believe where.

    Parameters
    ----------
    expert : classifier, default=None
        Whatever takes `sample_weight` and has `predict_proba`; None means `LogisticRegression`.
    n_experts : int, default=3
    gate : classifier, default=None
        Whatever takes `sample_weight` and has `predict_proba`; None means
        `LogisticRegression(C=100)`.
    tol : float, default=1e-3
        EM ends when the log-likelihood per sample rises by less.
    max_iter : int, default=100
    n_init : int, default=1
        From how many drawn starts EM climbs; the best end is kept.
    warm_start : bool, default=False
        Whether `fit` goes on from the last one.
    random_state : int, RandomState instance or None, default=None
        Draws the starts, and the seeds of experts that have some.

    Attributes
    ----------
    classes_ : ndarray of shape (n_classes,)
    experts_ : list of fitted classifiers
        Their classes are the numbers of ours.
    gate_ : fitted classifier, or None where there is one expert
        Its classes are the numbers of the experts.
    log_likelihood_ : float
        Per unit of weight.
    history_ : dict
        ``"log_likelihood"``: after each iteration; it never falls.
    n_iter_ : int
    converged_ : bool
    n_features_in_ : int
    feature_names_in_ : ndarray of shape (n_features_in_,)
        Only if X has names.

    See Also
    --------
    MixtureOfExpertsRegressor : The same for numbers.

    Examples
    --------
    >>> import numpy as np
    >>> from skcourse.ensemble import MixtureOfExpertsClassifier
    >>> X = np.random.default_rng(0).normal(size=(400, 2))
    >>> y = X[:, 0] * X[:, 1] > 0  # no line divides these
    >>> mixture = MixtureOfExpertsClassifier(random_state=0).fit(X, y)
    >>> bool(mixture.score(X, y) > 0.9)
    True
    """

    _needs_proba = True

    def __init__(
        self,
        expert=None,
        n_experts=3,
        *,
        gate=None,
        tol=1e-3,
        max_iter=100,
        n_init=1,
        warm_start=False,
        random_state=None,
    ):
        self.expert = expert
        self.n_experts = n_experts
        self.gate = gate
        self.tol = tol
        self.max_iter = max_iter
        self.n_init = n_init
        self.warm_start = warm_start
        self.random_state = random_state

    def predict_proba(self, X):
        """Return the probability of each class, sum_k g_k(x) p_k(y | x).

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features)

        Returns
        -------
        shares : ndarray of shape (n_samples, n_classes)
        """
        X, n_classes = self._read_X(X), len(self.classes_)
        return self._mean(X, lambda expert: class_shares(expert, X, n_classes))

    def predict(self, X):
        """Return the most probable class of each sample.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features)

        Returns
        -------
        y : ndarray of shape (n_samples,)
        """
        shares = self.predict_proba(X)
        return self.classes_[shares.argmax(axis=1)]

    def _read_Xy(self, X, y):
        X, y = validate_data(self, X, y, accept_sparse=SPARSE, dtype=FLOATS, order="C")
        check_classification_targets(y)
        classes, y = np.unique(y, return_inverse=True)
        return X, y, {"classes_": classes}

    def _problem(self, X, y, weights, known):
        return Problem(X, y, weights, len(known["classes_"]), None)

    def _default_expert(self, X, known):
        return logistic(X.shape[1] * max(1, len(known["classes_"]) - 1))
