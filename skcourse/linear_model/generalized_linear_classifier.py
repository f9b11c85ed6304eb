"""Classification by any loss and any penalty; the problem and solvers are in `generalized_linear`.

Two classes     y is -1 or 1, and the sign of the score decides.
Several         For log_loss one softmax over the scores of the classes. For losses of a margin,
                each class against the rest.
Probabilities   Of log_loss and multinomial they are its model. The minimum of modified_huber's mean
                is at z = 2 P(y = 1) - 1 (Zhang), which z cut at -1 and 1 gives back.
Reference       T. Zhang, Statistical behavior and consistency of classification methods, 2004.
"""

import numpy as np
from scipy.special import expit, softmax
from sklearn.utils import column_or_1d, compute_class_weight
from sklearn.utils.metaestimators import available_if
from sklearn.utils.multiclass import check_classification_targets
from sklearn.utils.validation import validate_data

from skcourse.core.history import History, fit_task
from skcourse.core.loss_traits import TRAITS, best_constant
from skcourse.core.validation import FLOATS, StrOptions, check_weights, fit_context
from skcourse.linear_model.generalized_linear_base import GeneralizedLinear
from skcourse.linear_model.linear_classifier import LinearClassifier

LOSSES = {name for name, traits in TRAITS.items() if traits.task == "classification"}
WITH_PROBABILITIES = ("log_loss", "multinomial", "modified_huber")


def has_probabilities(model):
    """Tell whether the loss gives probabilities; raise AttributeError where it does not."""
    if model.loss not in WITH_PROBABILITIES:
        raise AttributeError(
            f"loss={model.loss!r} gives no probabilities; these do: {WITH_PROBABILITIES}"
        )
    return True


class GeneralizedLinearClassifier(GeneralizedLinear, LinearClassifier):
    """Linear classification by any loss and any penalty, to a minimum that is certified.

    Parameters
    ----------
    loss : {"log_loss", "multinomial", "hinge", "squared_hinge", "modified_huber", \
            "perceptron"}, default="log_loss"
        See `skcourse.core.losses` for the formulas. Of more than two classes, "log_loss" is
        "multinomial"; the others set each class against the rest. "hinge", which has a kink, goes
        with the penalties None, "l2", "l1" and "elasticnet". "perceptron" is refused, since 0 is
        its minimum.
    penalty : {"l2", "l1", "elasticnet", "group", "mcp", "scad", "l0"} or None, default="l2"
        On the coefficients, not on the intercept; see `skcourse.core.penalties` for the formulas.
    alpha : float, default=1e-4
        Strength of the penalty; the loss is a mean over the samples.
    l1_ratio : float, default=0.15
        Share of l1 in "elasticnet".
    gamma : float, default=None
        From how many times alpha on "mcp" and "scad" leave a coefficient alone. None is 3 for
        "mcp", where it must be above 1, and 3.7 for "scad", where it must be above 2.
    groups : array-like of shape (n_features,), default=None
        For "group", the label of the group that each feature belongs to.
    penalty_weights : array-like of shape (n_features,), default=None
        Multiples of the penalty, feature by feature: 0 leaves a feature unpenalised, infinity
        leaves it out. Within a group they are the same. None is 1 for all.
    fit_intercept : bool, default=True
    solver : {"auto", "lbfgs", "newton-cholesky", "proximal-newton", "proximal-gradient", \
            "interior-point"}, default="auto"
        What each needs of loss and penalty is in `skcourse.linear_model.generalized_linear`; it
        refuses what it cannot do. "auto" chooses by that.
    max_iter : int, default=1000
    tol : float, default=1e-6
        The fit ends where no entry of the gradient, or of what takes its place where the penalty
        has kinks, is larger; for losses with kinks, where the duality gap is at most this share of
        the objective (or of 1, if that is larger).
    class_weight : dict, "balanced" or None, default=None
        Weights of the classes, by label; they multiply those of the samples.
    warm_start : bool, default=False
        Begin at the coefficients of the last fit.
    verbose : int, default=0
        Whether to print a line for each iteration.

    Attributes
    ----------
    coef_ : ndarray of shape (1, n_features), or (n_classes, n_features), dtype of X
    intercept_ : ndarray of shape (1,) or (n_classes,)
    classes_ : ndarray of shape (n_classes,)
    n_iter_ : int
        Of all classes together, where each is set against the rest.
    solver_ : str
        The one that was chosen.
    history_ : dict of arrays of shape (n_iter_,)
        After each iteration "loss", which is the objective, and "gradient", "violation" or "gap":
        what `tol` is compared with; of "proximal-newton" also "n_active", how many coefficients
        are not 0. Where each class is set against the rest, they come one after the other, and
        "class" is the index in `classes_`.
    n_features_in_ : int
    feature_names_in_ : ndarray of shape (n_features_in_,)
        Only if X has names.

    See Also
    --------
    LogisticRegression : Penalties of scikit-learn's.
    GradientDescentClassifier : The same objectives by plain descent.
    GeneralizedLinearRegressor : The same for numbers.

    Examples
    --------
    >>> from skcourse.linear_model import GeneralizedLinearClassifier
    >>> model = GeneralizedLinearClassifier("hinge", penalty="l2", alpha=0.1)
    >>> model.fit([[0.0], [1.0], [2.0], [3.0]], ["a", "a", "b", "b"]).predict([[0.5], [2.5]])
    array(['a', 'b'], dtype='<U1')
    """

    _parameter_constraints: dict = GeneralizedLinear._parameter_constraints | {
        "loss": [StrOptions(LOSSES)],
        "class_weight": [dict, StrOptions({"balanced"}), None],
    }

    def __init__(
        self,
        loss="log_loss",
        *,
        penalty="l2",
        alpha=1e-4,
        l1_ratio=0.15,
        gamma=None,
        groups=None,
        penalty_weights=None,
        fit_intercept=True,
        solver="auto",
        max_iter=1000,
        tol=1e-6,
        class_weight=None,
        warm_start=False,
        verbose=0,
    ):
        self.loss = loss
        self.penalty = penalty
        self.alpha = alpha
        self.l1_ratio = l1_ratio
        self.gamma = gamma
        self.groups = groups
        self.penalty_weights = penalty_weights
        self.fit_intercept = fit_intercept
        self.solver = solver
        self.max_iter = max_iter
        self.tol = tol
        self.class_weight = class_weight
        self.warm_start = warm_start
        self.verbose = verbose

    @fit_context
    def fit(self, X, y, sample_weight=None):
        """Find the coefficients and the intercepts.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features)
        y : array-like of shape (n_samples,)
        sample_weight : float or array-like of shape (n_samples,), default=None
            Not negative; a weight of 2 is a row given twice.

        Returns
        -------
        self : GeneralizedLinearClassifier

        Raises
        ------
        ValueError
            If there are not two classes; if no solver, or not the one that is asked for, has what
            loss and penalty need; if a warm start is not finite.

        Warns
        -----
        ConvergenceWarning
            If the fit did not get to where `tol` is met, with the cause and the remedy.
        """
        X, codes, weights = self._read(X, y, sample_weight)
        K = len(self.classes_)
        softmax_loss = self.loss == "multinomial" or (self.loss == "log_loss" and K > 2)
        task = fit_task(self, X, y, sample_weight, max_subtasks=None)
        fit_all = self._fit_softmax if softmax_loss else self._fit_each
        theta, n_iter, history, solver = fit_all(X, codes, weights, task)
        self._check_finite(theta, X)
        vars(self).update(self._attributes(theta, X.dtype))
        self.n_iter_, self.history_, self.solver_ = n_iter, history, solver
        task.end()
        return self

    def _read(self, X, y, sample_weight):
        """Return X, the numbers of the classes, and the weights, those of the classes included."""
        X, y = validate_data(self, X, y, accept_sparse="csr", dtype=FLOATS, order="C")
        check_classification_targets(y)
        y = column_or_1d(y, warn=True)
        self.classes_, codes = np.unique(y, return_inverse=True)
        if len(self.classes_) < 2:
            raise ValueError(
                "This solver needs samples of at least 2 classes in the data, but the data "
                f"contains only one class: {self.classes_[0]!r}"
            )
        weights = check_weights(sample_weight, X)
        if self.class_weight is not None:
            balance = compute_class_weight(
                self.class_weight, classes=self.classes_, y=y, sample_weight=weights
            )[codes]
            weights = balance if weights is None else balance * weights
        return X, codes, weights

    def _fit_softmax(self, X, codes, weights, task):
        """Return theta (p + 1, K or 1), how many iterations, the history and the solver."""
        K = len(self.classes_)
        start = self._warm((X.shape[1] + 1, K if K > 2 else 1))
        if start is None:
            start = np.zeros((X.shape[1] + 1, K))
            if self.fit_intercept:
                start[-1] = best("multinomial", codes, weights)
        elif K == 2:
            start = np.hstack([-start / 2, start / 2])

        def merged(theta):  # of two classes, the score of the second less that of the first
            return theta if K > 2 else theta[:, 1:] - theta[:, :1]

        found = self._find(
            self._samples(X, codes, weights, "multinomial", n_classes=K),
            start,
            task,
            lambda theta: self._attributes(merged(theta), X.dtype),
        )
        return merged(found.theta), found.n_iter, found.history, found.solver

    def _fit_each(self, X, codes, weights, task):
        """Return the same, with a column of theta for each class against the rest."""
        positives = range(len(self.classes_)) if len(self.classes_) > 2 else [1]
        theta = np.zeros((X.shape[1] + 1, len(positives)))
        warm, history, n_iter = self._warm(theta.shape), History(), 0
        for k, positive in enumerate(positives):
            y = np.where(codes == positive, 1.0, -1.0)
            start = np.zeros((X.shape[1] + 1, 1))
            if warm is not None:
                start = warm[:, k : k + 1]
            elif self.fit_intercept:
                start[-1] = best(self.loss, y, weights)

            def attributes(column, k=k):
                theta[:, k] = column[:, 0]
                return self._attributes(theta, X.dtype)

            samples = self._samples(X, y, weights, self.loss)
            found = self._find(samples, start, task, attributes)
            theta[:, k] = found.theta[:, 0]
            n_iter += found.n_iter
            for i in range(found.n_iter):
                here = {name: values[i] for name, values in found.history.items()}
                history.append(**here, **({"class": positive} if len(positives) > 1 else {}))
        return theta, n_iter, history.arrays(), found.solver

    def _attributes(self, theta, dtype):
        """Return what a fit that ends at theta leaves behind."""
        intercept = theta[-1] if self.fit_intercept else np.zeros(theta.shape[1])
        return {
            "coef_": np.ascontiguousarray(theta[:-1].T + 0.0, dtype=dtype),  # no -0
            "intercept_": intercept.astype(dtype),
        }

    @available_if(has_probabilities)
    def predict_proba(self, X):
        """Return the probability of each class.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features)

        Returns
        -------
        P : ndarray of shape (n_samples, n_classes), rows sum to 1
        """
        scores = self.decision_function(X)
        if self.loss == "modified_huber":
            shares = (np.clip(scores, -1, 1) + 1) / 2
            if shares.ndim == 1:
                return np.column_stack([1 - shares, shares])
            total = shares.sum(axis=1, keepdims=True)
            return np.where(total > 0, shares / np.where(total > 0, total, 1), 1 / shares.shape[1])
        if scores.ndim == 1:
            return expit(np.column_stack([-scores, scores]))
        return softmax(scores, axis=1)

    @available_if(has_probabilities)
    def predict_log_proba(self, X):
        """Return the logarithms of `predict_proba`."""
        with np.errstate(divide="ignore"):
            return np.log(self.predict_proba(X))


def best(loss, y, weights):
    """Return the best constant scores, or 0 where a class has no weight and there are none."""
    with np.errstate(divide="ignore"):
        found = best_constant(loss, y, weights)
    return np.where(np.isfinite(found), found, 0.0)
