"""AdaBoost for classes: each classifier learns from the rows that those before it got wrong.

Problem     Add up votes of weak classifiers h_t, each little better than chance among K classes,
                F(x) = sum_t a_t v(h_t(x)),   v(c)_k = 1 if k = c, else -1 / (K - 1),     (1)
            so that the exponential loss  sum_i w_i exp(-1/K <v(y_i), F(x_i)>)  is small.
Iteration   From weights that add up to 1, fit h_t to them; its error is e = sum of the w_i that it
            gets wrong. With the learning rate r,
                a_t = r (log((1 - e) / e) + log(K - 1)),                                  (2)
                w_i <- w_i exp(a_t) where h_t(x_i) is wrong,  and divide by the sum.      (3)
            (2) is positive as long as h_t beats chance, e < 1 - 1/K; else the ensemble is complete.
Cost        A fit of the weak classifier per iteration. Stumps: columns are sorted once, and each
            iteration goes over them once, O(n d).
Reference   Y. Freund, R. Schapire, A decision-theoretic generalization of on-line learning and an
            application to boosting, 1997; J. Zhu, H. Zou, S. Rosset, T. Hastie, Multi-class
            AdaBoost, Statistics and Its Interface 2, 2009 (SAMME).
"""

import numpy as np
from scipy.special import softmax
from sklearn.base import ClassifierMixin
from sklearn.utils.validation import check_is_fitted, has_fit_parameter

from skcourse.ensemble.adaboost_base import BaseAdaBoost, Round
from skcourse.ensemble.tree_members import CLASSIFIERS
from skcourse.tree import DecisionTreeClassifier
from skcourse.tree.walk import add_values, pack

CHANCE = 4 * np.finfo(np.float64).eps  # what rounding may make of an error that is just chance


class AdaBoostClassifier(ClassifierMixin, BaseAdaBoost):
    """Add up the votes of classifiers, each fitted to the errors of those before (SAMME).

    Parameters
    ----------
    estimator : classifier, default=None
        The base estimator, whose `fit` takes `sample_weight`; None is
        `skcourse.tree.DecisionTreeClassifier(max_depth=1)`, a stump. Trees of skcourse are grown
        from one ranking of the features.
    n_estimators : int, default=50
        How many members there are at most: fewer if one makes no error, or is no better than
        chance.
    learning_rate : float, default=1.0
        r in equation (2) of the module.
    random_state : int, RandomState instance or None, default=None
        Seeds the members, if they have a `random_state`.

    Attributes
    ----------
    estimator_ : the base estimator
    estimators_ : list of fitted members
    estimator_weights_ : ndarray of shape (n_estimators,), a_t; 0 where there is no member
    estimator_errors_ : ndarray of shape (n_estimators,), e; 1 where there is no member
    classes_ : ndarray of shape (n_classes,)
    n_classes_ : int
    feature_importances_ : ndarray of shape (n_features,), if the members have them
    history_ : dict of arrays, "error" and "weight" of each member
    n_features_in_ : int
    feature_names_in_ : ndarray of shape (n_features_in_,), only if X has names

    See Also
    --------
    AdaBoostRegressor : The same idea for numbers.

    References
    ----------
    J. Zhu, H. Zou, S. Rosset, T. Hastie, Multi-class AdaBoost, 2009.

    Examples
    --------
    >>> from skcourse.ensemble import AdaBoostClassifier
    >>> X, y = [[0.0], [1.0], [2.0], [3.0], [4.0], [5.0]], [0, 0, 1, 1, 0, 0]
    >>> AdaBoostClassifier(n_estimators=5, random_state=0).fit(X, y).predict(X)
    array([0, 0, 1, 1, 0, 0])
    """

    def _template(self):
        return DecisionTreeClassifier(max_depth=1) if self.estimator is None else self.estimator

    def _grows(self):
        if not has_fit_parameter(self.estimator_, "sample_weight"):
            name = type(self.estimator_).__name__
            raise ValueError(f"{name} doesn't support sample_weight.")
        return type(self.estimator_) in CLASSIFIERS

    def _round(self, learner, member, weights, rng):
        """Fit `member`; return (2) and (3), or None if it is no better than chance."""
        wrong = learner.learn(member, weights) != learner.y
        error = np.mean(np.average(wrong, weights=weights, axis=0))
        if error <= 0:
            return Round(1.0, 0.0, np.zeros(len(weights)))
        n_classes = len(member.classes_)
        if error >= 1 - 1 / n_classes - CHANCE:
            return None
        odds = np.log((1 - error) / error) + np.log(n_classes - 1.0)
        weight = self.learning_rate * odds
        return Round(weight, error, weight * wrong)

    def _end_by_chance(self, run, member):
        if not run.members:
            raise ValueError(
                "BaseClassifier in AdaBoostClassifier ensemble is worse than random, ensemble can "
                "not be fit."
            )

    def _attributes(self, run):
        classes = getattr(run.members[0], "classes_", None)
        more = {"classes_": classes, "n_classes_": len(classes)}
        return super()._attributes(run) | more

    def _walk(self):
        """Return the trees as one table: leaves hold a_t v."""
        n_classes = self.n_classes_
        others = -1 / (n_classes - 1) if n_classes > 1 else 0.0
        weights = self.estimator_weights_[: len(self)]

        def make(given):
            trees = [tree.nodes for tree in given[: len(self)]]
            chosen = [np.argmax(nodes.value[:, 0], axis=1) for nodes in trees]
            votes = [np.where(c[:, np.newaxis] == np.arange(n_classes), 1, others) for c in chosen]
            return pack(trees, values=votes, scale=weights)

        trees = [member.tree_ for member in self.estimators_]
        return self._packed.of([*trees, *weights], make)

    def _add_votes(self, X, members, out):
        """Add a_t v of the members members[0] .. members[1] to `out`, (n, n_classes)."""
        if self._grown:
            add_values(self._walk(), X, out, trees=members)
            return
        others = -1 / (self.n_classes_ - 1)
        for t in range(*members):
            weight = self.estimator_weights_[t]
            chosen = np.asarray(self.estimators_[t].predict(X))[:, np.newaxis] == self.classes_
            out += np.where(chosen, weight, others * weight)

    def _decide(self, sums, norm):
        """Return the decision of sums of votes: of two classes, that for the second one."""
        sums = sums / norm
        return sums[:, 1] - sums[:, 0] if self.n_classes_ == 2 else sums

    def decision_function(self, X):
        """Return F(x) of equation (1) over the sum of the a_t.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features)

        Returns
        -------
        score : ndarray of shape (n_samples, n_classes)
            Of two classes (n_samples,): that for the second class less that for the first.
        """
        X = self._read_X(X)
        if self.n_classes_ == 1:
            return np.zeros((X.shape[0], 1))
        sums = np.zeros((X.shape[0], self.n_classes_))
        self._add_votes(X, (0, len(self)), sums)
        return self._decide(sums, self.estimator_weights_.sum())

    def staged_decision_function(self, X):
        """Yield the decision function after each member.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features)

        Yields
        ------
        score : ndarray, as from `decision_function`
        """
        X = self._read_X(X)
        sums = np.zeros((X.shape[0], self.n_classes_))
        for t, norm in enumerate(np.cumsum(self.estimator_weights_[: len(self)])):
            if self.n_classes_ > 1:
                self._add_votes(X, (t, t + 1), sums)
                yield self._decide(sums, norm)
            else:
                yield sums

    def _classes_of(self, decision):
        """Return the class for each row of a decision function."""
        chosen = decision > 0 if self.n_classes_ == 2 else np.argmax(decision, axis=1)
        return self.classes_.take(chosen, axis=0)

    def predict(self, X):
        """Return the class of highest decision for each sample.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features)

        Returns
        -------
        y : ndarray of shape (n_samples,)
        """
        return self._classes_of(self.decision_function(X))

    def staged_predict(self, X):
        """Yield the predictions after each member.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features)

        Yields
        ------
        y : ndarray of shape (n_samples,)
        """
        for decision in self.staged_decision_function(X):
            yield self._classes_of(decision)

    def _probabilities(self, decision):
        """Return the softmax of F / (K - 1), by which (1) estimates probabilities."""
        if self.n_classes_ == 1:
            return np.ones((len(decision), 1))
        if self.n_classes_ == 2:
            return softmax(np.column_stack([-decision, decision]) / 2, axis=1)
        return softmax(decision / (self.n_classes_ - 1), axis=1)

    def predict_proba(self, X):
        """Return the softmax of the decision function over n_classes - 1.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features)

        Returns
        -------
        p : ndarray of shape (n_samples, n_classes)
        """
        check_is_fitted(self)
        return self._probabilities(self.decision_function(X))

    def staged_predict_proba(self, X):
        """Yield the probabilities after each member.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features)

        Yields
        ------
        p : ndarray of shape (n_samples, n_classes)
        """
        for decision in self.staged_decision_function(X):
            yield self._probabilities(decision)

    def predict_log_proba(self, X):
        """Return the logarithms of the probabilities.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features)

        Returns
        -------
        p : ndarray of shape (n_samples, n_classes)
        """
        with np.errstate(divide="ignore"):
            return np.log(self.predict_proba(X))
