"""AdaBoost for numbers (R2): each regressor is fitted on rows drawn by the errors of those before.

Problem     Combine weak regressors h_t, each fitted where those before it erred.
Iteration   From weights w that add up to 1, draw n rows with replacement by them, and fit h_t on
            these. Over the rows of weight, with D = max_i |h_t(x_i) - y_i|, a row's loss is
                L_i = u, u^2 or 1 - exp(-u),   u = |h_t(x_i) - y_i| / D,                  (1)
            and e = sum_i w_i L_i the error of h_t. While e < 1/2, with the learning rate r,
                b = e / (1 - e),   a_t = r log(1 / b),   w_i <- w_i b^(r (1 - L_i)):      (2)
            who is right loses weight.
Prediction  The median of the h_t(x) with the weights a_t: the least of them at or below which lies
            half of the weight.                                                           (3)
Cost        A fit per iteration, and a prediction of all rows.
Reference   H. Drucker, Improving regressors using boosting techniques, ICML 1997.
"""

import numpy as np
from sklearn.base import RegressorMixin

from skcourse.core.chunks import for_each_chunk
from skcourse.core.validation import StrOptions
from skcourse.ensemble.adaboost_base import BaseAdaBoost, Round
from skcourse.ensemble.adaboost_learners import grown_as_drawn
from skcourse.ensemble.tree_members import REGRESSORS
from skcourse.tree import DecisionTreeRegressor
from skcourse.tree.walk import add_values, pack

LOSSES = {
    "linear": lambda u: u,
    "square": np.square,
    "exponential": lambda u: -np.expm1(-u),
}


def weighted_medians(values, weights):
    """Return (3) for each row of `values`, of shape (n, n_members)."""
    order = np.argsort(values, axis=1)
    below = np.cumsum(weights[order], axis=1)
    middle = np.argmax(below >= 0.5 * below[:, -1:], axis=1)
    rows = np.arange(len(values))
    return values[rows, order[rows, middle]]


class AdaBoostRegressor(RegressorMixin, BaseAdaBoost):
    """Take the weighted median of regressors, each fitted to the errors of those before (R2).

    Parameters
    ----------
    estimator : regressor, default=None
        The base estimator; None is `skcourse.tree.DecisionTreeRegressor(max_depth=3)`. Trees of
        skcourse are grown from one ranking of the features.
    n_estimators : int, default=50
        How many members there are at most: fewer if one makes no error, or too large ones.
    learning_rate : float, default=1.0
        r in equation (2) of the module.
    loss : {"linear", "square", "exponential"}, default="linear"
        L in equation (1).
    random_state : int, RandomState instance or None, default=None
        Draws the rows of each member, and seeds it, if it has a `random_state`.

    Attributes
    ----------
    estimator_ : the base estimator
    estimators_ : list of fitted members
    estimator_weights_ : ndarray of shape (n_estimators,), a_t; 0 where there is no member
    estimator_errors_ : ndarray of shape (n_estimators,), e; 1 where there is no member
    feature_importances_ : ndarray of shape (n_features,), if the members have them
    history_ : dict of arrays, "error" and "weight" of each member
    n_features_in_ : int
    feature_names_in_ : ndarray of shape (n_features_in_,), only if X has names

    See Also
    --------
    AdaBoostClassifier : The same idea for classes.

    References
    ----------
    H. Drucker, Improving regressors using boosting techniques, ICML 1997.

    Examples
    --------
    >>> from skcourse.ensemble import AdaBoostRegressor
    >>> X, y = [[0.0], [1.0], [2.0], [3.0]], [0.0, 0.0, 5.0, 5.0]
    >>> AdaBoostRegressor(random_state=1).fit(X, y).predict([[0.0], [3.0]])
    array([0., 5.])
    """

    _parameter_constraints: dict = {
        **BaseAdaBoost._parameter_constraints,
        "loss": [StrOptions(set(LOSSES))],
    }

    def __init__(
        self,
        estimator=None,
        *,
        n_estimators=50,
        learning_rate=1.0,
        loss="linear",
        random_state=None,
    ):
        super().__init__(
            estimator,
            n_estimators=n_estimators,
            learning_rate=learning_rate,
            random_state=random_state,
        )
        self.loss = loss

    def _template(self):
        return DecisionTreeRegressor(max_depth=3) if self.estimator is None else self.estimator

    def _grows(self):
        template = self.estimator_
        return type(template) in REGRESSORS and grown_as_drawn(template)

    def _round(self, learner, member, weights, rng):
        """Fit `member` on rows drawn by the weights; return (2), or None if its error is 1/2."""
        n_samples = len(weights)
        rows = rng.choice(n_samples, size=n_samples, replace=True, p=weights)
        errors = np.abs(learner.learn_rows(member, rows) - learner.y)
        present = weights > 0
        largest = errors[present].max()
        losses = LOSSES[self.loss](errors[present] / largest if largest else errors[present])
        error = (weights[present] * losses).sum()
        if error <= 0:
            return Round(1.0, 0.0, np.zeros(n_samples))
        if error >= 0.5:
            return None
        b, change = error / (1 - error), np.zeros(n_samples)
        change[present] = self.learning_rate * (1 - losses) * np.log(b)
        return Round(self.learning_rate * np.log(1 / b), error, change)

    def _end_by_chance(self, run, member):
        if not run.members:
            run.members.append(member)

    def _predictions(self, X):
        """Return what each member says of each row, (n, n_members)."""
        if not self._grown:
            return np.array([member.predict(X) for member in self.estimators_]).T

        def make(trees):
            return pack([tree.nodes for tree in trees], columns=np.arange(len(trees)))

        walk = self._packed.of([member.tree_ for member in self.estimators_], make)
        return add_values(walk, X, np.zeros((X.shape[0], len(self))))

    def _medians(self, X, predictions):
        """Return (3) of the members that `predictions` has columns of."""
        weights = self.estimator_weights_[: predictions.shape[1]]
        medians = np.empty(len(predictions), predictions.dtype)

        def part(rows):
            medians[rows] = weighted_medians(predictions[rows], weights)

        for_each_chunk(part, len(predictions), row_bytes=32 * predictions.shape[1])
        return medians

    def predict(self, X):
        """Return the weighted median of the members' predictions.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features)

        Returns
        -------
        y : ndarray of shape (n_samples,)
        """
        X = self._read_X(X)
        return self._medians(X, self._predictions(X))

    def staged_predict(self, X):
        """Yield the predictions after each member.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features)

        Yields
        ------
        y : ndarray of shape (n_samples,)
        """
        X = self._read_X(X)
        predictions = self._predictions(X)
        for n_members in range(1, len(self) + 1):
            yield self._medians(X, predictions[:, :n_members])
