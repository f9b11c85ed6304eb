"""Bagging: many fits on rows drawn at random, and their mean.

Problem     A flexible f fitted to n rows varies much from one set of rows to another. The mean of M
            such fits, each of variance s^2 at x and correlated by r with the others, has
                Var = r s^2 + (1 - r) s^2 / M                                     (1)
            and the bias of one of them.
Iteration   Member m is fitted on a sample of the rows (with replacement: the bootstrap, which draws
            a row Poisson(1) times, nearly) and, if asked, of the features, which lowers r:
                f(x) = 1 / M sum_m f_m(x),    P(c | x) = 1 / M sum_m P_m(c | x)   (2)
            A row was not drawn by (1 - 1/n)^n = 37% of the members, which thus can be judged by it.
Cost        M fits, on as many threads or processes as there are.
Reference   L. Breiman, Bagging predictors, Machine Learning 24, 1996; T. K. Ho, The random subspace
            method for constructing decision forests, IEEE PAMI 20, 1998.
"""

import numpy as np
from sklearn.base import ClassifierMixin, RegressorMixin, is_classifier
from sklearn.metrics import accuracy_score, r2_score
from sklearn.utils import column_or_1d
from sklearn.utils.metaestimators import available_if
from sklearn.utils.multiclass import check_classification_targets
from sklearn.utils.validation import check_is_fitted

from skcourse.core.validation import check_routed
from skcourse.ensemble.bagging_base import BaseBagging
from skcourse.ensemble.bagging_members import (
    add_log_probabilities,
    add_outputs,
    add_probabilities,
    probabilities,
    sum_members,
)
from skcourse.ensemble.out_of_bag import OutOfBag
from skcourse.ensemble.tree_members import CLASSIFIERS, REGRESSORS
from skcourse.tree import DecisionTreeClassifier, DecisionTreeRegressor
from skcourse.tree.explain import ShapMixin, Terms


def members_decide(self):
    """Tell whether the members have a decision function; raise AttributeError if not."""
    base = self.estimators_[0] if hasattr(self, "estimators_") else self.estimator
    base.decision_function  # noqa: B018 - its AttributeError is the message
    return True


class ExplainedBagging(ShapMixin, BaseBagging):
    """Tell by Shapley values what the members say, if they are trees of ours."""

    def _shap_rows(self, X):
        X = self._read_X(X)
        if not self._grown:
            raise ValueError(
                f"shap_values asks for trees of skcourse.tree; estimator={self.estimator_} is none."
            )
        return X

    def _shap_terms(self):
        n_classes = [self.n_classes_] if is_classifier(self) else None
        return Terms(self._walk(), scale=1 / len(self), n_classes=n_classes, n_jobs=self.n_jobs)


class BaggingClassifier(ClassifierMixin, ExplainedBagging):
    """Average the probabilities of classifiers, each fitted on a sample of the rows.

    Parameters
    ----------
    estimator : classifier, default=None
        The base estimator; None is `skcourse.tree.DecisionTreeClassifier()`. Trees of skcourse are
        grown together, on threads, from one ranking of the features.
    n_estimators : int, default=10
    max_samples : int or float, default=None
        How many rows each member draws. None is their number; a float is a share of it, or of the
        sum of `sample_weight`.
    max_features : int or float, default=1.0
        How many features each member draws; a float is a share of them, at least one.
    bootstrap : bool, default=True
        Whether rows are drawn with replacement.
    bootstrap_features : bool, default=False
        Whether features are.
    oob_score : bool, default=False
        Whether to judge each member by the rows that it did not draw.
    warm_start : bool, default=False
        Whether `fit` adds members to those that there are.
    n_jobs : int, default=None
        Workers, in `fit` and in predictions. Threads for trees of skcourse, else joblib's backend.
    random_state : int, RandomState instance or None, default=None
        Drives what is drawn, and the `random_state` of each member. The draws are scikit-learn's.
    verbose : int, default=0

    Attributes
    ----------
    estimator_ : the base estimator
    estimators_ : list of fitted members; they know classes by their numbers in `classes_`
    estimators_samples_ : list of arrays, the rows that each member drew
    estimators_features_ : list of arrays, the features
    classes_ : ndarray of shape (n_classes,)
    n_classes_ : int
    oob_score_ : float, the accuracy on rows not drawn; only if `oob_score`
    oob_decision_function_ : ndarray of shape (n_samples, n_classes)
        Only if `oob_score`: the mean probabilities by the members that did not draw a row, NaN if
        there are none.
    history_ : dict of arrays, only if `oob_score`: "oob_score" after each member
    n_features_in_ : int
    feature_names_in_ : ndarray of shape (n_features_in_,), only if X has names

    See Also
    --------
    BaggingRegressor : The same for numbers.

    References
    ----------
    L. Breiman, Bagging predictors, Machine Learning 24, 1996.

    Examples
    --------
    >>> from skcourse.ensemble import BaggingClassifier
    >>> X, y = [[0.0], [1.0], [2.0], [3.0], [4.0], [5.0]], [0, 0, 0, 1, 1, 1]
    >>> BaggingClassifier(random_state=0).fit(X, y).predict([[0.5], [4.5]])
    array([0, 1])
    """

    _trees = CLASSIFIERS

    def _template(self):
        return DecisionTreeClassifier() if self.estimator is None else self.estimator

    def _read_y(self, y):
        y = column_or_1d(y, warn=True)
        check_classification_targets(y)
        self.classes_, y = np.unique(y, return_inverse=True)
        self.n_classes_ = len(self.classes_)
        return y

    def _score_out_of_bag(self, X, y):
        n_classes = self.n_classes_
        sums = OutOfBag(y.reshape(-1, 1), n_classes, is_classes=True, n_trees=len(self))
        self._judge(sums, X, lambda member, view: probabilities(member, view, n_classes, {}))
        with np.errstate(invalid="ignore"):
            self.oob_decision_function_ = sums.sums / sums.counts[:, np.newaxis]
        self.oob_score_ = accuracy_score(y, sums.answers[:, 0])

    def predict(self, X, **params):
        """Return the class of highest mean probability, or of most votes, of each row.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features)
        **params : dict
            Routed to `predict_proba`, or `predict`, of the members.

        Returns
        -------
        y : ndarray of shape (n_samples,)
        """
        check_routed(self, params, "predict")
        chosen = np.argmax(self.predict_proba(X, **params), axis=1)
        return self.classes_.take(chosen, axis=0)

    def predict_proba(self, X, **params):
        """Return the mean of the members' probabilities, or the shares of their votes.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features)
        **params : dict
            Routed to `predict_proba`, or `predict`, of the members.

        Returns
        -------
        p : ndarray of shape (n_samples, n_classes)
        """
        check_routed(self, params, "predict_proba")
        X = self._read_X(X)
        if self._grown:
            return self._mean_leaves(X)
        routed = self._route("predict_proba", params).estimator
        return self._mean(add_probabilities, X, self.n_classes_, routed)

    def predict_log_proba(self, X, **params):
        """Return the logarithms of the mean probabilities.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features)
        **params : dict
            Routed to `predict_log_proba`, `predict_proba` or `predict` of the members, whichever
            they have first.

        Returns
        -------
        p : ndarray of shape (n_samples, n_classes)
        """
        check_routed(self, params, "predict_log_proba")
        check_is_fitted(self)
        if self._grown or not hasattr(self.estimator_, "predict_log_proba"):
            with np.errstate(divide="ignore"):
                return np.log(self.predict_proba(X, **params))
        X = self._read_X(X)
        routed = self._route("predict_log_proba", params).estimator.get("predict_log_proba", {})
        options = {"n_jobs": self.n_jobs, "verbose": self.verbose, "add": np.logaddexp}
        args = (self._members(), X, self.n_classes_, routed)
        return sum_members(add_log_probabilities, *args, **options) - np.log(len(self))

    @available_if(members_decide)
    def decision_function(self, X, **params):
        """Return the mean of the members' decision functions.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features)
        **params : dict
            Routed to `decision_function` of the members.

        Returns
        -------
        score : ndarray of shape (n_samples,), or (n_samples, n_classes) for more than two
        """
        check_routed(self, params, "decision_function")
        X = self._read_X(X)
        routed = self._route("decision_function", params).estimator.get("decision_function", {})
        return self._mean(add_outputs, X, "decision_function", routed)


class BaggingRegressor(RegressorMixin, ExplainedBagging):
    """Average the predictions of regressors, each fitted on a sample of the rows.

    Parameters
    ----------
    estimator : regressor, default=None
        The base estimator; None is `skcourse.tree.DecisionTreeRegressor()`. Trees of skcourse are
        grown together, on threads, from one ranking of the features.
    n_estimators : int, default=10
    max_samples : int or float, default=None
        How many rows each member draws. None is their number; a float is a share of it, or of the
        sum of `sample_weight`.
    max_features : int or float, default=1.0
        How many features each member draws; a float is a share of them, at least one.
    bootstrap : bool, default=True
        Whether rows are drawn with replacement.
    bootstrap_features : bool, default=False
        Whether features are.
    oob_score : bool, default=False
        Whether to judge each member by the rows that it did not draw.
    warm_start : bool, default=False
        Whether `fit` adds members to those that there are.
    n_jobs : int, default=None
        Workers, in `fit` and in predictions. Threads for trees of skcourse, else joblib's backend.
    random_state : int, RandomState instance or None, default=None
        Drives what is drawn, and the `random_state` of each member. The draws are scikit-learn's.
    verbose : int, default=0

    Attributes
    ----------
    estimator_ : the base estimator
    estimators_ : list of fitted members
    estimators_samples_ : list of arrays, the rows that each member drew
    estimators_features_ : list of arrays, the features
    oob_score_ : float, R^2 on rows not drawn; only if `oob_score`
    oob_prediction_ : ndarray of shape (n_samples,) or (n_samples, n_outputs)
        Only if `oob_score`: the mean prediction by the members that did not draw a row, 0 if there
        are none.
    history_ : dict of arrays, only if `oob_score`: "oob_score" after each member
    n_features_in_ : int
    feature_names_in_ : ndarray of shape (n_features_in_,), only if X has names

    See Also
    --------
    BaggingClassifier : The same for classes.

    References
    ----------
    L. Breiman, Bagging predictors, Machine Learning 24, 1996.

    Examples
    --------
    >>> from skcourse.ensemble import BaggingRegressor
    >>> X, y = [[0.0], [1.0], [2.0], [3.0], [4.0], [5.0]], [0.0, 0.0, 0.0, 1.0, 1.0, 1.0]
    >>> BaggingRegressor(random_state=0).fit(X, y).predict([[0.0], [5.0]])
    array([0., 1.])
    """

    _trees = REGRESSORS

    def _template(self):
        return DecisionTreeRegressor() if self.estimator is None else self.estimator

    def _score_out_of_bag(self, X, y):
        columns = y.reshape(len(y), -1).astype(np.float64)
        sums = OutOfBag(columns, 1, is_classes=False, n_trees=len(self))
        self._judge(sums, X, lambda member, view: member.predict(view))
        self.oob_prediction_ = sums.answers.reshape(y.shape)
        self.oob_score_ = r2_score(y, self.oob_prediction_)

    def predict(self, X, **params):
        """Return the mean of the members' predictions.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features)
        **params : dict
            Routed to `predict` of the members.

        Returns
        -------
        y : ndarray of shape (n_samples,) or (n_samples, n_outputs)
        """
        check_routed(self, params, "predict")
        X = self._read_X(X)
        if self._grown:
            means = self._mean_leaves(X)
            return means if means.shape[1] > 1 else means[:, 0]
        routed = self._route("predict", params).estimator.get("predict", {})
        return self._mean(add_outputs, X, "predict", routed)
