"""Logistic regression that chooses its penalty by cross-validation.

Iteration   The rows are cut into folds. For each fold and each `l1_ratio`, a path of optima over C
            is fitted to the other folds and scored on it, see `logistic_folds`. The penalty with
            the best mean score is fitted once more to all rows, from the mean of its optima; or,
            with refit=False, the optima that are best on each fold are averaged.
Cost        n_folds * n_l1_ratios * n_cs fits, which begin near their ends.
"""

from numbers import Integral

import numpy as np
from sklearn.metrics import get_scorer, get_scorer_names
from sklearn.model_selection import check_cv
from sklearn.utils import Bunch, metadata_routing
from sklearn.utils.metadata_routing import MetadataRouter, MethodMapping, process_routing

from skcourse.core.history import fit_task
from skcourse.core.validation import (
    Hidden,
    Interval,
    StrOptions,
    check_folds,
    check_routed,
    check_weights,
    fit_context,
    routing_enabled,
)
from skcourse.linear_model.logistic import LogisticRegression, check_sums
from skcourse.linear_model.logistic_folds import (
    Grid,
    Samples,
    Watch,
    fit_paths,
    score_paths,
    scorer_for,
)
from skcourse.linear_model.logistic_layout import set_legacy, set_new
from skcourse.linear_model.logistic_options import deprecated, options_of, penalties_of
from skcourse.linear_model.logistic_problem import (
    attributes_of,
    risk_of,
    start_of,
    warn_of,
    weights_of,
)

INHERITED = {
    name: kinds
    for name, kinds in LogisticRegression._parameter_constraints.items()
    if name not in ("C", "warm_start", "l1_ratio")
}


class LogisticRegressionCV(LogisticRegression):
    """Logistic regression with the penalty that predicts left-out rows best.

    Parameters
    ----------
    Cs : int or array-like of shape (n_cs,), default=10
        The values of C to be tried; a number means as many from 1e-4 to 1e4, evenly on a
        logarithmic scale.
    l1_ratios : array-like of shape (n_l1_ratios,), default=None
        The values of `l1_ratio` to be tried, see `LogisticRegression`. None, which is deprecated,
        stands for 0.
    fit_intercept : bool, default=True
    cv : int, splitter, iterable or None, default=None
        None means 5 stratified folds.
    dual : bool, default=False
    penalty : {"l1", "l2", "elasticnet"}, default="l2"
        Deprecated: use `l1_ratios`.
    scoring : str, callable or None, default=None
        What is best; None stands for accuracy. Its default will change, and not to set it warns.
    solver : {"lbfgs", "liblinear", "newton-cg", "newton-cholesky", "sag", "saga"}, default="lbfgs"
    tol : float, default=1e-4
    max_iter : int, default=100
    class_weight : dict, "balanced" or None, default=None
    n_jobs : int or None, default=None
        How many folds are fitted at the same time. The bits of the result do not depend on it.
    verbose : int, default=0
    refit : bool, default=True
        Whether to fit all rows with the best penalty, or to average the best fits of the folds.
    intercept_scaling : float, default=1
    random_state : int, RandomState instance or None, default=None
    use_legacy_attributes : bool, default=True
        Whether attributes have scikit-learn's old form; its default will change, and not to set it
        warns.

    Attributes
    ----------
    classes_ : ndarray of shape (n_classes,)
    coef_ : ndarray of shape (1, n_features), of two classes, or (n_classes, n_features), float64
    intercept_ : ndarray of shape (1,) or (n_classes,)
    Cs_ : ndarray of shape (n_cs,)
    l1_ratios_ : ndarray of shape (n_l1_ratios,)
    C_ : float, or in the old form an array of it, repeated for each class
    l1_ratio_ : float, or in the old form an array
    coefs_paths_ : ndarray of shape (n_folds, n_l1_ratios, n_cs, n_classes or 1, n_features + 1)
        The optima, intercepts last, if there are any. In the old form a dict with an array of
        shape (n_folds, n_cs, n_l1_ratios, n_features + 1) for each class (of two, for the second),
        without the third axis if `l1_ratios` is None.
    scores_ : ndarray of shape (n_folds, n_l1_ratios, n_cs)
        In the old form a dict with an array of shape (n_folds, n_cs, n_l1_ratios) for each class.
    n_iter_ : ndarray of shape (n_folds, n_l1_ratios, n_cs)
        In the old form of shape (1, n_folds, n_cs, n_l1_ratios).
    history_ : dict of str to ndarray, of the last fit, to all rows; only if `refit`
        What `LogisticRegression` keeps with the solver: "loss" and "gradient", "change", ...
    n_features_in_ : int
    feature_names_in_ : ndarray of shape (n_features_in_,)
        Only if X has names.

    See Also
    --------
    LogisticRegression : With a penalty that is given, and more about the parameters.

    Examples
    --------
    >>> from skcourse.linear_model import LogisticRegressionCV
    >>> from sklearn.datasets import load_iris
    >>> X, y = load_iris(return_X_y=True)
    >>> model = LogisticRegressionCV(
    ...     l1_ratios=(0,), scoring="neg_log_loss", use_legacy_attributes=False, max_iter=1000
    ... ).fit(X, y)
    >>> model.predict(X[:2])
    array([0, 0])
    >>> model.scores_.shape
    (5, 1, 10)
    """

    __metadata_request__score = {"sample_weight": metadata_routing.UNUSED}

    _parameter_constraints: dict = INHERITED | {
        "Cs": [Interval(Integral, 1, None, closed="left"), "array-like"],
        "l1_ratios": ["array-like", None, Hidden(StrOptions({"warn"}))],
        "cv": ["cv_object"],
        "scoring": [
            StrOptions(set(get_scorer_names())),
            callable,
            None,
            Hidden(StrOptions({"warn"})),
        ],
        "refit": ["boolean"],
        "penalty": [
            StrOptions({"l1", "l2", "elasticnet"}),
            Hidden(StrOptions({"deprecated"})),
        ],
        "use_legacy_attributes": ["boolean", Hidden(StrOptions({"warn"}))],
    }

    def __init__(
        self,
        *,
        Cs=10,
        l1_ratios="warn",
        fit_intercept=True,
        cv=None,
        dual=False,
        penalty="deprecated",
        scoring="warn",
        solver="lbfgs",
        tol=1e-4,
        max_iter=100,
        class_weight=None,
        n_jobs=None,
        verbose=0,
        refit=True,
        intercept_scaling=1.0,
        random_state=None,
        use_legacy_attributes="warn",
    ):
        self.Cs = Cs
        self.l1_ratios = l1_ratios
        self.fit_intercept = fit_intercept
        self.cv = cv
        self.dual = dual
        self.penalty = penalty
        self.scoring = scoring
        self.tol = tol
        self.max_iter = max_iter
        self.class_weight = class_weight
        self.n_jobs = n_jobs
        self.verbose = verbose
        self.solver = solver
        self.refit = refit
        self.intercept_scaling = intercept_scaling
        self.random_state = random_state
        self.use_legacy_attributes = use_legacy_attributes

    @fit_context
    def fit(self, X, y, sample_weight=None, **params):
        """Choose the penalty, and find coefficients and intercepts.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features)
        y : array-like of shape (n_samples,), of labels
        sample_weight : float or array-like of shape (n_samples,), default=None
        **params : dict
            For the scorer and the splitter, if `enable_metadata_routing=True`.

        Returns
        -------
        self : LogisticRegressionCV

        Raises
        ------
        ValueError
            As in `LogisticRegression`, or if no penalty is given to choose from.

        Warns
        -----
        ConvergenceWarning
            If iterations of some fits ended at `max_iter`.
        """
        check_routed(self, params)
        penalty, ratios = penalties_of(self)
        legacy = self._warn_of_defaults()
        options = options_of(self, penalty)
        grid = Grid(as_grid(self.Cs), ratios)
        X, y, classes, codes = self._read_problem(X, y, sample_weight)
        sample_weight = check_weights(sample_weight, X)
        routed = self._route(sample_weight, params)
        folds = list(check_cv(self.cv, y, classifier=True).split(X, y, **routed.splitter.split))
        check_folds(folds, sample_weight)
        samples = self._samples(X, y, classes, codes, sample_weight)
        risk = risk_of(X, codes, len(classes), samples.weights, self.fit_intercept)
        check_sums(risk, start_of(risk, 0), X, self)

        dtype = np.float64 if self.solver == "liblinear" else X.dtype
        attributes = attributes_of(classes, risk.outputs, dtype)
        n_fits = len(folds) * len(ratios) * len(grid.Cs)
        task = fit_task(self, X, y, sample_weight, max_subtasks=n_fits + 2)
        watch = Watch(task, attributes)
        paths = fit_paths(samples, folds, grid, options, self.n_jobs, watch)
        scorer = None if self.scoring in (None, "warn") else get_scorer(self.scoring)
        model = LogisticRegression(solver=self.solver)
        model.classes_, model.n_features_in_ = classes, X.shape[1]
        scorer = scorer_for(scorer, classes)
        given = routed.scorer.score
        scores = score_paths(model, samples, folds, paths.thetas, scorer, given, sample_weight)
        if paths.unfinished:
            warn_of(paths.unfinished[0], options, None, 0.0)

        if self.refit:
            chosen, found = self._refit(risk, options, grid, paths, scores, watch)
        else:
            chosen, found = best_of_folds(grid, paths, scores), None
        theta, C, ratio = chosen
        task.subtask("end", attributes=lambda: attributes(theta)).end(lambda: attributes(theta))
        for name, value in attributes(theta).items():
            setattr(self, name, value)
        self.Cs_, self.l1_ratios_ = grid.Cs, np.asarray(ratios)
        keep = set_legacy if legacy else set_new
        keep(self, paths, scores, C, ratio, penalty)
        if found is not None:
            self.history_ = found.history
        task.end()
        return self

    def _warn_of_defaults(self):
        """Return whether attributes have the old form; warn of defaults that will change."""
        if isinstance(self.scoring, str) and self.scoring == "warn":
            deprecated(
                "The default value of the parameter 'scoring' will change from None, i.e. "
                "accuracy, to 'neg_log_loss' in version 1.11. To silence this warning, explicitly "
                "set the scoring parameter: scoring='neg_log_loss' for the new, scoring='accuracy' "
                "or scoring=None for the old default."
            )
        if self.use_legacy_attributes != "warn":
            return self.use_legacy_attributes
        deprecated(
            f"The fitted attributes of {type(self).__name__} will be simplified in scikit-learn "
            "1.10 to remove redundancy. Set`use_legacy_attributes=False` to enable the new "
            "behavior now, or set it to `True` to silence this warning during the transition "
            "period while keeping the deprecated behavior for the time being. The default value "
            "of use_legacy_attributes will change from True to False in scikit-learn 1.10. See "
            f"the docstring of {type(self).__name__} for more details."
        )
        return True

    def _samples(self, X, y, classes, codes, sample_weight):
        """Return the training data; balanced classes are so in all rows, not in each fold."""
        balance = self.class_weight
        if isinstance(balance, dict) and not set(balance) <= set(classes):
            raise ValueError(
                "The given class_weight dict must have the class labels as keys; "
                f"classes={classes} but key={balance.keys()}"
            )
        weights = weights_of(X, y, classes, codes, sample_weight, balance)
        return Samples(X, y, codes, classes, weights)

    def _refit(self, risk, options, grid, paths, scores, watch):
        """Return theta, C and `l1_ratio` of the best mean score, and the Minimum."""
        best = np.unravel_index(np.argmax(scores.sum(axis=0).T), scores.shape[:0:-1])[::-1]
        C, ratio = grid.Cs[best[1]], grid.l1_ratios[best[0]]
        start = paths.thetas[:, *best].mean(axis=0)
        options = options._replace(verbose=max(0, options.verbose - 1))
        if options.solver == "liblinear":
            start = start_of(risk, 0)
        found = watch.solve("refit", risk, options, C, ratio, start)
        warn_of(found, options, risk, C)
        return (found.theta, C, ratio), found

    def score(self, X, y, *, sample_weight=None, **score_params):
        """Return the score, by `scoring`, of the predictions for X.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features)
        y : array-like of shape (n_samples,)
        sample_weight : array-like of shape (n_samples,), default=None
        **score_params : dict
            For the scorer, if `enable_metadata_routing=True`.

        Returns
        -------
        score : float
        """
        check_routed(self, score_params, "score")
        if sample_weight is not None:
            score_params["sample_weight"] = sample_weight
        if routing_enabled():
            score_params = process_routing(self, "score", **score_params).scorer.score
        return self._get_scorer()(self, X, y, **score_params)

    def _route(self, sample_weight, params):
        """Return what splitter and scorer are to be given."""
        if routing_enabled():
            return process_routing(self, "fit", sample_weight=sample_weight, **params)
        given = {} if sample_weight is None else {"sample_weight": sample_weight}
        return Bunch(splitter=Bunch(split={}), scorer=Bunch(score=given))

    def get_metadata_routing(self):
        """Return where metadata go: to the splitter and the scorer.

        Returns
        -------
        routing : MetadataRouter
        """
        splitting = MethodMapping().add(caller="fit", callee="split")
        scoring = MethodMapping().add(caller="score", callee="score")
        scoring = scoring.add(caller="fit", callee="score")
        router = MetadataRouter(owner=self).add_self_request(self)
        router = router.add(splitter=self.cv, method_mapping=splitting)
        return router.add(scorer=self._get_scorer(), method_mapping=scoring)

    def _get_scorer(self):
        """Return the scorer; that of accuracy by default."""
        unset = isinstance(self.scoring, str) and self.scoring == "warn"
        return get_scorer("accuracy" if unset else self.scoring or "accuracy")


def as_grid(Cs):
    """Return the values of C, (n_cs,)."""
    if isinstance(Cs, Integral):
        return np.logspace(-4, 4, Cs)
    Cs = np.asarray(Cs)
    if Cs.size == 0 or not np.all(Cs > 0):
        raise ValueError(f"Cs must hold at least one number, and positive ones only; got {Cs}.")
    return Cs


def best_of_folds(grid, paths, scores):
    """Return the means of theta, C and `l1_ratio` that are best on each fold."""
    n_folds, n_ratios, n_cs = scores.shape
    best = np.argmax(scores.transpose(0, 2, 1).reshape(n_folds, -1), axis=1)
    at_C, at_ratio = np.unravel_index(best, (n_cs, n_ratios))
    theta = paths.thetas[range(n_folds), at_ratio, at_C].mean(axis=0)
    ratios = np.array([ratio or 0.0 for ratio in grid.l1_ratios], dtype=float)
    return theta, np.mean(grid.Cs[at_C]), np.mean(ratios[at_ratio])
