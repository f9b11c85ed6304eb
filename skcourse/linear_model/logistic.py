"""Logistic regression: the probability of each class by a linear score.

Model       z = W'x + b,   p(class k | x) = exp(z_k) / sum_m exp(z_m);                         (1)
            of two classes one score is enough, that of the second: p = 1 / (1 + exp(-z)).
Problem     The likelihood of the labels is to be great, and the coefficients small:
                C sum_i s_i (-log p(y_i | x_i)) + r |W|_1 + (1 - r) |W|^2 / 2,                (2)
            least for one W only; intercepts are not penalised.
Iteration   There is no closed form. `solver` says who descends: see `lbfgs`, `newton`,
            `newton_cg`, `stochastic_average`, and `proximal_newton` where r > 0.
Reference   D. Cox, The regression analysis of binary sequences, JRSS B, 1958.
"""

from numbers import Integral, Real

import numpy as np
from scipy.sparse import issparse
from scipy.special import expit
from sklearn.callback import CallbackSupportMixin
from sklearn.utils.multiclass import check_classification_targets
from sklearn.utils.validation import validate_data

from skcourse.core.history import SILENCE, fit_task
from skcourse.core.validation import (
    FLOATS,
    Hidden,
    Interval,
    StrOptions,
    check_finite_sums,
    fit_context,
)
from skcourse.linear_model.linear_classifier import LinearClassifier
from skcourse.linear_model.logistic_options import (
    SHORT_INDICES,
    SOLVERS,
    check_problem,
    deprecated,
    options_of,
    penalty_of,
)
from skcourse.linear_model.logistic_problem import (
    attributes_of,
    join,
    risk_of,
    solve,
    start_of,
    warn_of,
    weights_of,
)


class LogisticModel(LinearClassifier):
    """What `coef_` and `intercept_` say about new samples, by (1)."""

    def predict_proba(self, X):
        """Return the probability of each class, (n_samples, n_classes), in order of `classes_`.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features)
        """
        scores = self.decision_function(X)
        if scores.ndim == 1:
            probabilities = np.empty((len(scores), 2), scores.dtype)
            expit(scores, out=probabilities[:, 1])
            np.subtract(1, probabilities[:, 1], out=probabilities[:, 0])
            return probabilities
        scores -= scores.max(axis=1, keepdims=True)
        np.exp(scores, out=scores)
        scores /= scores.sum(axis=1, keepdims=True)
        return scores

    def predict_log_proba(self, X):
        """Return the logarithms of the probabilities, which do not underflow.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features)
        """
        scores = self.decision_function(X)
        if scores.ndim == 1:
            return -np.logaddexp(0, np.stack([scores, -scores], axis=1))
        scores -= scores.max(axis=1, keepdims=True)
        scores -= np.log(np.exp(scores).sum(axis=1, keepdims=True))
        return scores

    def _read_problem(self, X, y, sample_weight, *, dtype=FLOATS):
        """Return X, y and the weights of its rows; set `classes_` and the codes of y.

        The search for NaN in dense X is left to the first pass over the rows.
        """
        X, y = validate_data(
            self,
            X,
            y,
            accept_sparse="csr",
            dtype=dtype,
            order="C",
            accept_large_sparse=self.solver not in SHORT_INDICES,
            ensure_all_finite=issparse(X),
        )
        check_classification_targets(y)
        classes, codes = np.unique(y, return_inverse=True)
        check_problem(self.solver, classes, X)
        if issparse(X) and not X.has_canonical_format:
            X = X.copy()
            X.sum_duplicates()
        return X, y, classes, codes

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.input_tags.sparse = True
        if self.solver == "liblinear":
            tags.classifier_tags.multi_class = False
        return tags


class LogisticRegression(CallbackSupportMixin, LogisticModel):
    """Classify by linear scores whose softmax are probabilities.

    Parameters
    ----------
    penalty : {"l1", "l2", "elasticnet"} or None, default="l2"
        Deprecated, as in scikit-learn: use `l1_ratio`, and `C=np.inf` for none.
    C : float, default=1.0
        Inverse of the strength of the penalty, positive; infinity for no penalty.
    l1_ratio : float, default=0.0
        Share of |W|_1 in the penalty, the rest being |W|^2 / 2. More than 0 makes coefficients
        exactly 0; "saga" takes any, "liblinear" 0 and 1, the others 0.
    dual : bool, default=False
        With "liblinear" and l1_ratio=0: coordinate descent on the dual problem, for fewer samples
        than features.
    tol : float, default=1e-4
        The iteration ends when no slope of (loss + penalty) / sum of weights is larger. Relative
        to the largest slope at the start with "liblinear" and "saga".
    fit_intercept : bool, default=True
    intercept_scaling : float, default=1
        "liblinear" penalises the intercept, divided by this number.
    class_weight : dict, "balanced" or None, default=None
        Weights of the classes, by label; they multiply those of the samples. "balanced" gives all
        classes the same total.
    random_state : int, RandomState instance or None, default=None
        Draws the samples of "sag", "saga" and the dual "liblinear".
    solver : {"lbfgs", "liblinear", "newton-cg", "newton-cholesky", "sag", "saga"}, default="lbfgs"
        - "lbfgs": L-BFGS in a metric made from a few rows; the best choice but for odd problems;
        - "newton-cholesky": Newton's method; few features times classes, many samples;
        - "newton-cg": Newton's method by conjugate gradients;
        - "sag", "saga": stochastic average gradients; give features a common scale first. With
          `l1_ratio` > 0 "saga" stands for proximal Newton, which is exact and sooner there;
        - "liblinear": two classes only, the intercept penalised; Newton's method by conjugate
          gradients, proximal Newton for l1_ratio=1, or, if `dual`, coordinate descent.
    max_iter : int, default=100
        Bound on the iterations; of "sag", "saga" and the dual, on passes over the samples.
    verbose : int, default=0
        Whether to print each iteration.
    warm_start : bool, default=False
        Whether to begin where the last fit has ended; not with "liblinear".
    n_jobs : int, default=None
        Deprecated, without effect, as in scikit-learn. A fit uses all cores that it may.

    Attributes
    ----------
    classes_ : ndarray of shape (n_classes,)
    coef_ : ndarray of shape (1, n_features), of two classes, or (n_classes, n_features)
        W, in the dtype of X; with "liblinear" float64.
    intercept_ : ndarray of shape (1,) or (n_classes,)
    n_iter_ : ndarray of shape (1,), int32
    history_ : dict of str to ndarray of shape (n_iter,)
        After each iteration "loss", (2) over C sum s, and "gradient", its largest slope; with
        `l1_ratio` > 0 "loss", "violation" of what makes an optimum, and "n_active", the number of
        coefficients that are not 0. Of averaged gradients it is "change", the largest of a
        coefficient over the largest coefficient; of the dual "slope", its largest.
    n_features_in_ : int
    feature_names_in_ : ndarray of shape (n_features_in_,)
        Only if X has names.

    See Also
    --------
    LogisticRegressionCV : Chooses C and `l1_ratio` by cross-validation.

    Notes
    -----
    The bits of a fit do not depend on the number of threads.

    Examples
    --------
    >>> from skcourse.linear_model import LogisticRegression
    >>> hours = [[1.0], [2.0], [3.0], [4.0], [5.0], [6.0]]
    >>> model = LogisticRegression().fit(hours, ["fail", "fail", "pass", "fail", "pass", "pass"])
    >>> model.predict([[1.5], [4.5]])
    array(['fail', 'pass'], dtype='<U4')
    >>> model.predict_proba([[3.5]]).round(2)
    array([[0.5, 0.5]])
    """

    _parameter_constraints: dict = {
        "penalty": [
            StrOptions({"l1", "l2", "elasticnet"}),
            None,
            Hidden(StrOptions({"deprecated"})),
        ],
        "C": [Interval(Real, 0, None, closed="right")],
        "l1_ratio": [Interval(Real, 0, 1, closed="both"), None],
        "dual": ["boolean"],
        "tol": [Interval(Real, 0, None, closed="left")],
        "fit_intercept": ["boolean"],
        "intercept_scaling": [Interval(Real, 0, None, closed="neither")],
        "class_weight": [dict, StrOptions({"balanced"}), None],
        "random_state": ["random_state"],
        "solver": [StrOptions(set(SOLVERS))],
        "max_iter": [Interval(Integral, 0, None, closed="left")],
        "verbose": ["verbose"],
        "warm_start": ["boolean"],
        "n_jobs": [None, Integral],
    }

    def __init__(
        self,
        penalty="deprecated",
        *,
        C=1.0,
        l1_ratio=0.0,
        dual=False,
        tol=1e-4,
        fit_intercept=True,
        intercept_scaling=1,
        class_weight=None,
        random_state=None,
        solver="lbfgs",
        max_iter=100,
        verbose=0,
        warm_start=False,
        n_jobs=None,
    ):
        self.penalty = penalty
        self.C = C
        self.l1_ratio = l1_ratio
        self.dual = dual
        self.tol = tol
        self.fit_intercept = fit_intercept
        self.intercept_scaling = intercept_scaling
        self.class_weight = class_weight
        self.random_state = random_state
        self.solver = solver
        self.max_iter = max_iter
        self.verbose = verbose
        self.warm_start = warm_start
        self.n_jobs = n_jobs

    @fit_context
    def fit(self, X, y, sample_weight=None):
        """Find coefficients and intercepts.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features)
        y : array-like of shape (n_samples,), of labels
        sample_weight : float or array-like of shape (n_samples,), default=None
            Not negative. A weight of 2 is a row that occurs twice.

        Returns
        -------
        self : LogisticRegression

        Raises
        ------
        ValueError
            If the parameters do not go together, X or the weights are not finite, or y has one
            class only.

        Warns
        -----
        ConvergenceWarning
            If iterations ended at `max_iter`, or if without a penalty there is no optimum.
        """
        penalty, C = penalty_of(self)
        options = options_of(self, penalty)
        if self.n_jobs is not None:
            deprecated(
                "'n_jobs' has no effect since 1.8 and will be removed in 1.10. You provided "
                f"'n_jobs={self.n_jobs}', please leave it unspecified."
            )
        X, y, classes, codes = self._read_problem(X, y, sample_weight)
        weights = weights_of(X, y, classes, codes, sample_weight, self.class_weight)
        risk = risk_of(X, codes, len(classes), weights, self.fit_intercept)
        theta = self._start(risk)
        check_sums(risk, theta, X, self)

        dtype = np.float64 if self.solver == "liblinear" else X.dtype
        attributes = attributes_of(classes, risk.outputs, dtype)
        task = fit_task(self, X, y, sample_weight, max_subtasks=max(self.max_iter, 1) + 1)
        found = solve(risk, options, C, self.l1_ratio, theta, task=task, attributes=attributes)
        end_of(task, found, attributes)
        warn_of(found, options, risk, C)
        self.classes_ = classes
        self.coef_, self.intercept_ = list(attributes(found.theta).values())[1:]
        self.n_iter_ = np.array([found.n_iter], np.int32)
        self.history_ = found.history
        task.end()
        return self

    def _start(self, risk):
        """Return where to begin: theta of the last fit, or the best without features."""
        if self.warm_start and self.solver != "liblinear" and hasattr(self, "coef_"):
            theta = join(self.coef_, self.intercept_ if self.fit_intercept else 0.0)
            expected = (risk.p + 1) * risk.outputs
            if len(theta) != expected:
                raise ValueError(
                    f"Initialization coef is of shape {self.coef_.shape}, expected shape "
                    f"{(risk.outputs, risk.p)}: with warm_start=True the data must have the "
                    "features and classes of the last fit."
                )
            if not np.all(np.isfinite(theta)):
                raise ValueError(
                    "Floating-point under-/overflow: coef_ or intercept_, where warm_start=True "
                    "begins, is not finite. Set warm_start=False, or give them finite values."
                )
            return theta
        return start_of(risk, 0 if self.solver == "liblinear" else self.max_iter)


def check_sums(risk, theta, X, estimator):
    """Raise ValueError if X is not finite, or so large that its sums are not.

    The first pass over the rows shows it; the solver, which begins at the same theta, will not
    have to repeat it.
    """
    with np.errstate(over="ignore", invalid="ignore"):
        slopes = risk.value_and_gradient(theta)[1]
    if not check_finite_sums(slopes, X, estimator=estimator):
        raise ValueError(
            "Input X is so large that sums over its rows overflow. Bring its columns to a common "
            "scale, as StandardScaler does."
        )


def end_of(task, found, attributes):
    """End with an empty subtask, as scikit-learn does, and with two if there was no iteration."""
    if task is not SILENCE:
        for _ in range(1 if found.n_iter else 2):
            task.subtask("end-iter", attributes=lambda: attributes(found.theta)).end()
