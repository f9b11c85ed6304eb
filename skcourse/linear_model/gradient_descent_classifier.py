"""Classification by gradient descent; the descent itself is in `gradient_descent`.

Two classes     y is -1 or 1, and the sign of the prediction decides.
Several         For log_loss one softmax over the predictions, one for each class. For the losses of
                a margin, each class against the rest; their sum is minimised.
"""

import numpy as np
from scipy.special import expit, softmax
from sklearn.base import ClassifierMixin
from sklearn.utils import column_or_1d, compute_sample_weight
from sklearn.utils.metaestimators import available_if
from sklearn.utils.multiclass import check_classification_targets, unique_labels
from sklearn.utils.validation import check_is_fitted, validate_data

from skcourse.core.loss_traits import TRAITS
from skcourse.core.losses import Loss
from skcourse.core.validation import FLOATS, StrOptions, check_weights, fit_context, read_X
from skcourse.linear_model.base import SPARSE, linear_map
from skcourse.linear_model.gradient_descent import GradientDescent

LOSSES = {
    name
    for name, traits in TRAITS.items()
    if traits.task == "classification" and name != "multinomial"
}


def has_probabilities(model):
    """Tell whether predictions are logits; raise AttributeError where they are not."""
    if model.loss != "log_loss":
        raise AttributeError(f"probabilities are known for loss='log_loss', not {model.loss!r}")
    return True


class GradientDescentClassifier(ClassifierMixin, GradientDescent):
    """Linear classification by gradient descent: any loss, any penalty, any first-order rule.

    Parameters
    ----------
    loss : {"log_loss", "hinge", "squared_hinge", "modified_huber", "perceptron"}, \
            default="log_loss"
        See `skcourse.core.losses` for the formulas. Of more than two classes, "log_loss" has one
        softmax; the others set each class against the rest.
    penalty : {"l2", "l1", "elasticnet", "group", "mcp", "scad", "l0"} or None, default=None
        On the coefficients, not on the intercept; see `skcourse.core.penalties` for the formulas.
        l2 adds to the gradient; all others act by their proximal step after each move, and give
        coefficients that are exactly 0.
    alpha : float, default=1e-4
        Strength of the penalty; the loss is a mean over the samples.
    l1_ratio : float, default=0.15
        Share of l1 in "elasticnet".
    gamma : float, default=None
        From how many times alpha on "mcp" and "scad" leave a coefficient alone. None is 3 for
        "mcp", where it must be above 1, and 3.7 for "scad", where it must be above 2.
    groups : array-like of shape (n_features,), default=None
        For "group", the label of the group that each feature belongs to.
    fit_intercept : bool, default=True
    optimizer : {"sgd", "momentum", "nesterov", "adagrad", "rmsprop", "adam", "adamw"}, \
            default="sgd"
        The rule by which parameters move; see `skcourse.core.optimizers`. "sgd" is the plain step
        against the gradient, of whatever batch. For "adamw", l2 is a decay of the coefficients
        instead. The proximal step of the last four has the rule's own length for each coefficient;
        they do not take "group".
    learning_rate : {"auto", "lipschitz", "constant", "invscaling"}, default="auto"
        The length of steps: "lipschitz" is 1/L, with L the largest curvature of the objective, or
        of what can be expected of a batch; it never overshoots, but exists only for losses of
        bounded curvature and for the first three rules. "constant" is eta0, "invscaling" is
        eta0 / t^power_t at update t = 1, 2, ... "auto" is "lipschitz" where it exists, else
        "constant".
    eta0 : float, default=0.01
    power_t : float, default=0.5
    momentum : float, default=0.9
        Of "momentum" and "nesterov".
    beta_1 : float, default=0.9
        Memory of "adam" and "adamw" for gradients.
    beta_2 : float, default=0.999
        Memory of "rmsprop", "adam" and "adamw" for squared gradients.
    optimizer_epsilon : float, default=1e-8
        Keeps the last four rules from dividing by 0.
    batch_size : int, float, "full" or None, default=None
        Rows per update: a number, from 1 ("online") on; a share of the rows, between 0 and 1; all
        of them ("full", None).
    max_iter : int, default=1000
        Epochs at most: passes over the rows.
    tol : float or None, default=1e-8
        The descent is at rest when an epoch moves the parameters by no more, squared:
        ``|theta_new - theta_old|^2 <= tol``. None runs all epochs, without a warning.
    n_iter_no_change : int, default=10
        With validation data: epochs without a new minimum of their loss, after which to stop.
    shuffle : bool, default=True
        Whether each epoch draws a new order of the rows; of no effect on a full batch.
    class_weight : dict, "balanced" or None, default=None
        Weights of the classes, by label; they multiply those of the samples.
    random_state : int, RandomState instance or None, default=None
        Draws that order.
    warm_start : bool, default=False
        Begin where the last fit ended; momentum and the like begin anew.
    record : {"path"} or None, default=None
        "path" keeps the parameters after every update in `history_`.

    Attributes
    ----------
    coef_ : ndarray of shape (1, n_features), or (n_classes, n_features), dtype of X
    intercept_ : ndarray of shape (1,) or (n_classes,)
    classes_ : ndarray of shape (n_classes,)
    n_iter_ : int
        Epochs; those of `partial_fit` are added.
    history_ : dict of str to ndarray of shape (n_iter_,)
        "loss" is the mean over the batches of the objective, each at the parameters that it met:
        for a full batch, the objective before the step. "gradient_norm" is the length of their mean
        gradient, without what acts by a proximal step; "learning_rate" the length of the last step.
        With validation data, "validation_loss" is theirs after the epoch, without the penalty. With
        ``record="path"``, "parameters" has shape (n_iter_, n_batches, n_parameters): coefficients,
        then intercepts, after every update (of `partial_fit`: of the last call).
    n_features_in_ : int
    feature_names_in_ : ndarray of shape (n_features_in_,)
        Only if X has feature names that are all strings.

    Notes
    -----
    Weights are scaled to a mean of 1. A descent that leaves the range of numbers raises ValueError,
    which names the longest step that is safe; one that is getting worse when it ends warns. All
    rows as one batch are read on all cores; batches of few rows on one. Every update touches all
    parameters: very wide sparse X wants large batches.

    See Also
    --------
    GradientDescentRegressor : The same for numbers.
    RidgeClassifier : Classification by least squares in closed form.

    Examples
    --------
    >>> from skcourse.linear_model import GradientDescentClassifier
    >>> model = GradientDescentClassifier(penalty="l2", alpha=0.1)
    >>> model.fit([[0.0], [1.0], [2.0], [3.0]], ["a", "a", "b", "b"]).predict([[0.5], [2.5]])
    array(['a', 'b'], dtype='<U1')
    >>> bool(model.history_["loss"][-1] < model.history_["loss"][0])
    True
    """

    _parameter_constraints: dict = {
        "loss": [StrOptions(LOSSES)],
        "class_weight": [dict, StrOptions({"balanced"}), None],
    } | GradientDescent._parameter_constraints

    def __init__(
        self,
        loss="log_loss",
        *,
        penalty=None,
        alpha=1e-4,
        l1_ratio=0.15,
        gamma=None,
        groups=None,
        fit_intercept=True,
        optimizer="sgd",
        learning_rate="auto",
        eta0=0.01,
        power_t=0.5,
        momentum=0.9,
        beta_1=0.9,
        beta_2=0.999,
        optimizer_epsilon=1e-8,
        batch_size=None,
        max_iter=1000,
        tol=1e-8,
        n_iter_no_change=10,
        shuffle=True,
        class_weight=None,
        random_state=None,
        warm_start=False,
        record=None,
    ):
        self.loss = loss
        self.penalty = penalty
        self.alpha = alpha
        self.l1_ratio = l1_ratio
        self.gamma = gamma
        self.groups = groups
        self.fit_intercept = fit_intercept
        self.optimizer = optimizer
        self.learning_rate = learning_rate
        self.eta0 = eta0
        self.power_t = power_t
        self.momentum = momentum
        self.beta_1 = beta_1
        self.beta_2 = beta_2
        self.optimizer_epsilon = optimizer_epsilon
        self.batch_size = batch_size
        self.max_iter = max_iter
        self.tol = tol
        self.n_iter_no_change = n_iter_no_change
        self.shuffle = shuffle
        self.class_weight = class_weight
        self.random_state = random_state
        self.warm_start = warm_start
        self.record = record

    @fit_context
    def partial_fit(self, X, y, classes=None, sample_weight=None):
        """Go on for one epoch, on these rows.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features)
        y : array-like of shape (n_samples,)
        classes : array-like of shape (n_classes,), default=None
            All labels that there will be; to be given in the first call, and the same later on.
        sample_weight : array-like of shape (n_samples,), default=None
            Scaled to a mean of 1 in each call.

        Returns
        -------
        self : GradientDescentClassifier
        """
        if self.class_weight == "balanced":
            raise ValueError(
                "class_weight 'balanced' is not supported for partial_fit, which does not know "
                "all labels. Pass the weights as a dict."
            )
        if classes is not None:
            classes = unique_labels(classes)
            if hasattr(self, "coef_") and not np.array_equal(classes, self.classes_):
                raise ValueError(
                    f"`classes={classes!r}` is not the same as on last call to partial_fit, was: "
                    f"{self.classes_!r}"
                )
            self.classes_ = classes
        elif not hasattr(self, "coef_"):
            raise ValueError("classes must be passed on the first call to partial_fit.")
        return self._more(X, y, sample_weight)

    def decision_function(self, X):
        """Return the predictions z of the linear model.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features)

        Returns
        -------
        scores : ndarray of shape (n_samples,), of `classes_[1]`, or (n_samples, n_classes)
        """
        if not hasattr(self, "coef_"):
            check_is_fitted(self)
        kinds = {"accept_sparse": list(SPARSE), "dtype": "numeric"}
        X = read_X(self, X, order=None, finite=False, **kinds)
        if len(self.coef_) == 1:
            return linear_map(X, self.coef_[0], self.intercept_[0], self)
        return linear_map(X, self.coef_, self.intercept_, self)

    def predict(self, X):
        """Return the class of each sample.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features)

        Returns
        -------
        y : ndarray of shape (n_samples,)
        """
        scores = self.decision_function(X)
        best = (scores > 0).astype(np.intp) if scores.ndim == 1 else scores.argmax(axis=1)
        return self.classes_[best]

    @available_if(has_probabilities)
    def predict_proba(self, X):
        """Return the probability of each class; only of log_loss.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features)

        Returns
        -------
        P : ndarray of shape (n_samples, n_classes), rows sum to 1
        """
        scores = self.decision_function(X)
        if scores.ndim == 2:
            return softmax(scores, axis=1)
        return expit(np.column_stack([-scores, scores]))

    @available_if(has_probabilities)
    def predict_log_proba(self, X):
        """Return the logarithms of `predict_proba`."""
        return np.log(self.predict_proba(X))

    @property
    def _n_outputs(self):
        return len(self.classes_) if len(self.classes_) > 2 else 1

    @property
    def _softmax(self):
        return self.loss == "log_loss" and len(self.classes_) > 2

    def _loss_traits(self):
        """Return what is known of the loss."""
        return TRAITS["multinomial" if self._softmax else self.loss]

    def _kernel_loss(self):
        """Return the loss as kernels take it."""
        return Loss(self._loss_traits().code)

    def _read(self, X, y, *, reset, whole):
        """Return the rows and the numbers of their classes; the `whole` tells which there are."""
        X, y = validate_data(self, X, y, reset=reset, accept_sparse="csr", dtype=FLOATS, order="C")
        check_classification_targets(y)
        y = column_or_1d(y, warn=True)
        if whole:
            self.classes_ = np.unique(y)
        if len(self.classes_) < 2:
            raise ValueError(
                f"The number of classes has to be greater than one; got {len(self.classes_)} class."
            )
        if unknown := set(np.unique(y).tolist()) - set(self.classes_.tolist()):
            raise ValueError(f"y holds labels that are not among the classes: {sorted(unknown)}.")
        return X, np.searchsorted(self.classes_, y)

    def _targets(self, y):
        """Return what the kernels take: the class for a softmax, else -1 and 1."""
        if self._softmax:
            return y[:, np.newaxis].astype(np.float64)
        if self._n_outputs == 1:
            return np.where(y == 1, 1.0, -1.0)[:, np.newaxis]
        return np.where(y[:, np.newaxis] == np.arange(self._n_outputs), 1.0, -1.0)

    def _weights(self, sample_weight, X, y):
        """Return weights of mean 1, those of the classes included, or None."""
        if self.class_weight:
            balance = compute_sample_weight(self.class_weight, self.classes_[y])
            given = check_weights(sample_weight, X, dtype=np.float64)
            sample_weight = balance if given is None else given * balance
        return super()._weights(sample_weight, X, y)

    def _shaped(self, W, b):
        """Return `coef_` and `intercept_`."""
        return W, b
