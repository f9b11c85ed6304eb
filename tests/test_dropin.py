"""Every estimator in the place of scikit-learn's: in its tools, and on its data."""

import importlib

import numpy as np
import pandas as pd
import polars as pl
import pytest
from sklearn import config_context, datasets
from sklearn.base import clone, is_classifier, is_clusterer, is_regressor
from sklearn.callback import CallbackSupportMixin, ProgressBar, ScoringMonitor
from sklearn.compose import ColumnTransformer
from sklearn.ensemble import BaggingClassifier, BaggingRegressor
from sklearn.metrics import get_scorer, get_scorer_names
from sklearn.model_selection import GridSearchCV, cross_val_score
from sklearn.multioutput import MultiOutputRegressor
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import MinMaxScaler, StandardScaler
from sklearn.utils import get_tags
from sklearn.utils.validation import has_fit_parameter
from threadpoolctl import threadpool_limits

from skcourse.discovery import all_estimators
from skcourse.testing import Problem, allowance, answers, assert_agree, make_problem
from tests.cases import small
from tests.promises import judges

ESTIMATORS = [pytest.param(small(cls), id=name) for name, cls in all_estimators()]
DATA = {
    "iris": datasets.load_iris,
    "wine": datasets.load_wine,
    "breast cancer": datasets.load_breast_cancer,
    "digits": datasets.load_digits,
    "diabetes": datasets.load_diabetes,
}


def namesakes():
    return list(pairs())


def pairs():
    """Yield our class and scikit-learn's."""
    for name, cls in all_estimators():
        chapter = importlib.import_module(f"sklearn.{cls.__module__.split('.')[1]}")
        if hasattr(chapter, name):
            yield pytest.param(cls, getattr(chapter, name), id=name)


def load(name, estimator):
    """Return X and y of a bundled data set; y None if the estimator needs none."""
    X, y = DATA[name](return_X_y=True)
    if get_tags(estimator).input_tags.positive_only:
        X = X - X.min(axis=0)
    if get_tags(estimator).target_tags.positive_only:
        y = y + 1.0
    if is_regressor(estimator) and not get_tags(estimator).target_tags.single_output:
        y = np.column_stack([y, -y])
    return X, y if is_regressor(estimator) or is_classifier(estimator) else None


@pytest.mark.parametrize("data", DATA)
@pytest.mark.parametrize(("ours", "theirs"), namesakes())
def test_same_answers_on_bundled_data(ours, theirs, data):
    mine, reference = small(ours), small(theirs)
    if "n_components" in mine.get_params():
        mine, reference = (e.set_params(n_components=3) for e in (mine, reference))
    X, y = load(data, mine)
    if is_classifier(mine) and data == "diabetes":
        y = y > np.median(y)
    problem = Problem(X, y, None, X)
    with threadpool_limits(1):  # small products are slow on cores that others use, too
        expected = answers(reference.fit(X, y), X)
    found = answers(mine.fit(X, y), X)
    if (judge := judges().get(ours.__name__)) is not None:
        assert judge(mine, problem) <= judge(reference, problem) * (1 + 1e-9)
        return
    assert_agree(expected, found, allowance(reference, problem), f"on {data}")


@pytest.mark.parametrize("data", ["iris", "digits"])
@pytest.mark.parametrize(("ours", "theirs"), namesakes())
def test_same_answers_in_float32(ours, theirs, data):
    mine, reference = small(ours), small(theirs)
    if "n_components" in mine.get_params():
        mine, reference = (e.set_params(n_components=3) for e in (mine, reference))
    X, y = load(data, mine)
    X = X.astype(np.float32)
    y = y.astype(np.float32) if is_regressor(mine) else y
    methods = ("predict", "decision_function", "transform")
    found = answers(mine.fit(X, y), X, methods)
    wide = X.astype(float)
    with threadpool_limits(1):
        expected = answers(reference.fit(wide, y), wide, methods)
    if (judge := judges().get(ours.__name__)) is not None:
        problem, eps = Problem(X, y, None, X), np.finfo(np.float32).eps
        assert judge(mine, problem) <= judge(reference, problem) * (1 + len(X) * eps)
        return
    allowed = allowance(mine, Problem(X, y, None, X), methods=methods)
    assert_agree(expected, found, allowed, f"on {data} in float32")


@pytest.mark.parametrize("estimator", ESTIMATORS)
def test_pipeline_grid_search_and_cross_validation(estimator):
    X, y = load("iris", estimator)
    positive = get_tags(estimator).input_tags.positive_only
    scaler = MinMaxScaler(clip=True) if positive else StandardScaler()
    steps = make_pipeline(scaler, estimator)
    plain = estimator.fit(clone(scaler).fit_transform(X), y)
    name = type(estimator).__name__.lower()
    grids = {
        "max_depth": [1, 2],
        "n_clusters": [2, 3],
        "n_components": [1, 2],
        "alpha": [0.1, 1.0],
        "alphas": [(0.1, 1.0), (1.0, 10.0)],
        "fit_intercept": [True, False],
        "reg_covar": [0.01, 0.1],
        "n_estimators": [2, 3],
        "n_experts": [1, 2],
    }
    chosen = next(p for p in grids if p in estimator.get_params())
    grid = {f"{name}__{chosen}": grids[chosen]}
    options = {"cv": 3, "error_score": "raise"}
    options["scoring"] = None if hasattr(estimator, "score") else own_score
    search = GridSearchCV(steps, grid, n_jobs=2, **options).fit(X, y)
    assert np.isfinite(search.best_score_)
    serial = GridSearchCV(steps, grid, n_jobs=1, **options).fit(X, y)
    np.testing.assert_array_equal(
        search.cv_results_["mean_test_score"], serial.cv_results_["mean_test_score"]
    )
    scores = cross_val_score(steps, X, y, n_jobs=2, **options)
    assert np.isfinite(scores).all()
    fitted = clone(steps).fit(X, y)
    for method, values in answers(fitted, X).items():
        expected = getattr(plain, method)(clone(scaler).fit_transform(X))
        np.testing.assert_array_equal(values, expected)


@pytest.mark.parametrize("estimator", ESTIMATORS)
@pytest.mark.parametrize("frame", [pd.DataFrame, pl.DataFrame])
def test_frames(estimator, frame):
    X, y = load("iris", estimator)
    names = ["a", "b", "c", "d"]
    table = frame(dict(zip(names, X.T, strict=True)))
    fit = clone(estimator).fit(table, y)
    assert list(fit.feature_names_in_) == names
    plain = clone(estimator).fit(np.ascontiguousarray(X), y)
    slack = allowance(plain, Problem(X, y), n_terms=X.shape[1] + 1, fitted_estimator=plain)
    assert_agree(answers(plain, X), answers(fit, table), slack, "in a frame")
    asked = next(m for m in ("predict", "transform", "score_samples") if hasattr(fit, m))
    with pytest.raises(ValueError, match="feature names should match"):
        getattr(fit, asked)(table[["b", "a", "c", "d"]])


@pytest.mark.parametrize("estimator", [e for e in ESTIMATORS if hasattr(e.values[0], "transform")])
def test_set_output_and_columns(estimator):
    X, _ = load("iris", estimator)
    table = pd.DataFrame(X, columns=["a", "b", "c", "d"])
    for kind, frame in (("pandas", pd.DataFrame), ("polars", pl.DataFrame)):
        shown = clone(estimator).set_output(transform=kind).fit(table)
        out = shown.transform(table)
        assert isinstance(out, frame)
        assert list(out.columns) == list(shown.get_feature_names_out())
        np.testing.assert_array_equal(out.to_numpy(), clone(estimator).fit(X).transform(X))
    columns = ColumnTransformer(
        [("some", estimator, ["a", "b", "c"])], remainder="passthrough"
    ).set_output(transform="pandas")
    some = clone(estimator).fit(table[["a", "b", "c"]])
    np.testing.assert_array_equal(
        columns.fit(table).transform(table).iloc[:, :-1], some.transform(table[["a", "b", "c"]])
    )


NOT_ROUTED = {"AdaBoostClassifier", "AdaBoostRegressor"}  # as scikit-learn's


@pytest.mark.parametrize(
    "estimator", [e for e in ESTIMATORS if has_fit_parameter(e.values[0], "sample_weight")]
)
def test_weights_are_routed(estimator):
    X, y = load("iris", estimator)
    weights = np.random.default_rng(0).uniform(0.5, 2, len(X))
    direct = clone(estimator).fit(X, y, sample_weight=weights)
    with config_context(enable_metadata_routing=True):
        if type(estimator).__name__ in NOT_ROUTED:
            with pytest.raises(
                NotImplementedError, match="metadata routing is not yet implemented"
            ):
                clone(estimator).fit(X, y, sample_weight=weights)
            return
        if getattr(estimator, "scoring", None) in get_scorer_names():  # it asks for weights itself
            scorer = get_scorer(estimator.scoring).set_score_request(sample_weight=True)
            estimator = clone(estimator).set_params(scoring=scorer)
        steps = make_pipeline(estimator.set_fit_request(sample_weight=True))
        routed = steps.fit(X, y, sample_weight=weights)
        for method, values in answers(direct, X).items():
            np.testing.assert_array_equal(values, getattr(routed, method)(X))
        if is_regressor(estimator) and y.ndim == 1:
            each = MultiOutputRegressor(clone(estimator).set_fit_request(sample_weight=True))
            each.fit(X, np.column_stack([y, y]), sample_weight=weights)
            np.testing.assert_array_equal(each.predict(X)[:, 0], direct.predict(X))


@pytest.mark.parametrize(
    "estimator",
    [e for e in ESTIMATORS if is_regressor(e.values[0]) or is_classifier(e.values[0])],
)
def test_inside_an_ensemble(estimator):
    X, y = load("iris", estimator)
    bagging = BaggingClassifier if is_classifier(estimator) else BaggingRegressor
    forest = bagging(estimator, n_estimators=4, n_jobs=2, random_state=0).fit(X, y)
    assert forest.score(X, y) > 0.7


@pytest.mark.parametrize("estimator", ESTIMATORS)
def test_html_view_shows_parameters_and_links(estimator):
    X, y = load("iris", estimator)
    html = clone(estimator).fit(X, y)._repr_html_()
    assert type(estimator).__name__ in html
    assert all(name in html for name in estimator.get_params(deep=False))
    assert repr(estimator).startswith(type(estimator).__name__)


class Listener:
    """A callback that counts tasks, looks at the fit so far, and stops after `patience`."""

    def __init__(self, patience):
        self.patience = patience
        self.n_begun = self.n_ended = self.n_torn_down = 0
        self.seen = []

    def setup(self, estimator, context):
        self.context = context

    def on_fit_task_begin(self, estimator, context):
        self.n_begun += 1

    def on_fit_task_end(self, estimator, context, *, fitted_estimator=None):
        self.n_ended += 1
        if fitted_estimator is not None:
            self.seen.append(fitted_estimator)
        return self.patience is not None and self.n_ended >= self.patience

    def teardown(self, estimator, context):
        self.n_torn_down += 1


def with_gaps(X, estimator):
    """Return the rows, less some values if only then the estimator has to iterate."""
    if type(estimator).__name__ != "Gaussian":
        return X
    gaps = np.random.default_rng(0).random(X.shape) < 0.2
    return np.where(gaps, np.nan, X).astype(X.dtype)


def n_steps(fit):
    """Return the number of iterations of a fit, or of its trees."""
    return np.max(fit.n_iter_) if hasattr(fit, "n_iter_") else len(fit.estimators_)


def with_steps(estimator):
    """Return the estimator, told to take a few steps if it would be through after the first."""
    if estimator.get_params().get("n_estimators") == 1:
        return clone(estimator).set_params(n_estimators=3)
    if "n_experts" in estimator.get_params():  # digits are told apart at once
        return clone(estimator).set_params(tol=0, max_iter=4)
    return estimator


ITERATIVE = [e for e in ESTIMATORS if isinstance(e.values[0], CallbackSupportMixin)]


@pytest.mark.parametrize("estimator", ITERATIVE)
def test_callbacks_hear_every_iteration_and_may_stop_it(estimator):
    X, y = load("digits", estimator)
    X = with_gaps(X, estimator)
    estimator = with_steps(estimator)
    plain = clone(estimator).fit(X, y)
    patient, hasty = Listener(None), Listener(1)
    heard = clone(estimator).set_callbacks(patient).fit(X, y)
    for method, values in answers(plain, X).items():
        np.testing.assert_array_equal(values, getattr(heard, method)(X))
    assert patient.n_begun == patient.n_ended > n_steps(plain)
    assert patient.n_torn_down == 1
    assert patient.seen
    stopped = clone(estimator).set_callbacks(hasty).fit(X, y)
    assert n_steps(stopped) < n_steps(plain)
    assert hasty.n_torn_down == 1
    answers(stopped, X)


@pytest.mark.parametrize("estimator", ITERATIVE)
def test_their_callbacks(estimator):
    X, y = datasets.load_iris(return_X_y=True)  # the monitor scores only what has a target
    X = with_gaps(X, estimator)
    y = y + get_tags(estimator).target_tags.positive_only
    monitor = ScoringMonitor(scoring={"score": own_score})
    shown = clone(estimator).set_callbacks(monitor, ProgressBar()).fit(X, y)
    scores = [entry["score"] for entry in monitor.get_logs().data]
    assert len(scores) >= n_steps(shown)
    assert np.isfinite(scores).all()
    assert scores[-1] == pytest.approx(own_score(shown, X, y))
    plain = clone(estimator).fit(X, y)
    for method, values in answers(plain, X).items():
        np.testing.assert_array_equal(values, getattr(shown, method)(X))


def own_score(estimator, X, y=None):
    """Score as the estimator does; one that does not, by what it says of the samples."""
    if hasattr(estimator, "score"):
        return estimator.score(X, y)
    if hasattr(estimator, "decision_function"):
        return estimator.decision_function(X).mean()
    return np.square(np.asarray(estimator.transform(X))).mean()


class Saboteur(Listener):
    """A callback that raises at the end of the first task, or when it is set up."""

    def __init__(self, *, at_setup):
        super().__init__(None)
        self.at_setup = at_setup

    def setup(self, estimator, context):
        super().setup(estimator, context)
        if self.at_setup:
            raise ArithmeticError("enough")

    def on_fit_task_end(self, estimator, context, *, fitted_estimator=None):
        raise ArithmeticError("enough")


@pytest.mark.parametrize("at_setup", [False, True])
@pytest.mark.parametrize("estimator", ITERATIVE)
def test_failed_fit_tears_callbacks_down(estimator, at_setup):
    listener, saboteur = Listener(None), Saboteur(at_setup=at_setup)
    problem = make_problem(estimator)
    X = with_gaps(problem.X, estimator)
    failing = clone(estimator).set_callbacks(listener, saboteur)
    with pytest.raises(ArithmeticError, match="enough"):
        failing.fit(X, problem.y)
    if at_setup:
        assert listener.n_begun == 0
    else:
        assert listener.n_begun > listener.n_ended  # the fit, and perhaps a run, end with no call
    assert listener.n_torn_down == saboteur.n_torn_down == 1
    failing.set_callbacks(listener).fit(X, problem.y)
    assert listener.n_torn_down == 2


def test_there_are_iterative_estimators():
    assert any(is_clusterer(e.values[0]) for e in ITERATIVE)
