"""A mixture of experts for numbers: see `skcourse.ensemble.mixture_of_experts`.

By default the experts are lines, and so y is piecewise linear, with soft seams.
"""

from numbers import Real

import numpy as np
from sklearn.base import MultiOutputMixin, RegressorMixin

from skcourse.core.validation import Interval, read_Xy
from skcourse.ensemble.expert_mixture import Problem
from skcourse.ensemble.mixture_of_experts import SPARSE, MixtureOfExperts
from skcourse.linear_model import LinearRegression


class MixtureOfExpertsRegressor(RegressorMixin, MultiOutputMixin, MixtureOfExperts):
    """Several regressors, and a gate that says whom to believe where.

    Parameters
    ----------
    expert : regressor, default=None
        Whatever takes `sample_weight`; None means `LinearRegression()`.
    n_experts : int, default=3
    gate : classifier, default=None
        Whatever takes `sample_weight` and has `predict_proba`; None means
        `LogisticRegression(C=100)`.
    min_variance : float, default=1e-6
        The least variance of an expert, as a share of the variance of y: an expert that meets its
        samples exactly would be infinitely sure.
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
    experts_ : list of fitted regressors
    gate_ : fitted classifier, or None where there is one expert
        Its classes are the numbers of the experts.
    variances_ : ndarray of shape (n_experts, n_outputs)
        Of what the experts leave unexplained.
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
    MixtureOfExpertsClassifier : The same for classes.

    Examples
    --------
    >>> import numpy as np
    >>> from skcourse.ensemble import MixtureOfExpertsRegressor
    >>> X = np.linspace(-1, 1, 200)[:, np.newaxis]
    >>> y = np.abs(X[:, 0])  # two lines
    >>> mixture = MixtureOfExpertsRegressor(n_experts=2, random_state=0).fit(X, y)
    >>> bool(mixture.score(X, y) > 0.99)
    True
    """

    _parameter_constraints: dict = MixtureOfExperts._parameter_constraints | {
        "min_variance": [Interval(Real, 0.0, None, closed="neither")],
    }
    _needs_proba = False

    def __init__(
        self,
        expert=None,
        n_experts=3,
        *,
        gate=None,
        min_variance=1e-6,
        tol=1e-3,
        max_iter=100,
        n_init=1,
        warm_start=False,
        random_state=None,
    ):
        self.expert = expert
        self.n_experts = n_experts
        self.gate = gate
        self.min_variance = min_variance
        self.tol = tol
        self.max_iter = max_iter
        self.n_init = n_init
        self.warm_start = warm_start
        self.random_state = random_state

    def predict(self, X):
        """Return the mean of y, sum_k g_k(x) f_k(x).

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features)

        Returns
        -------
        y : ndarray of shape (n_samples,) or (n_samples, n_outputs)
        """
        X = self._read_X(X)
        return self._mean(X, lambda expert: expert.predict(X))

    def _read_Xy(self, X, y):
        X, y = read_Xy(self, X, y, accept_sparse=SPARSE)
        return X, y, {}

    def _problem(self, X, y, weights, known):
        columns = y.reshape(len(y), -1).astype(np.float64)
        off = columns - np.average(columns, axis=0, weights=weights)
        variances = np.average(off**2, axis=0, weights=weights)
        floor = self.min_variance * np.where(variances > 0.0, variances, 1.0)
        return Problem(X, y, weights, None, floor)

    def _default_expert(self, X, known):
        return LinearRegression()
