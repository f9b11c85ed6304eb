"""Every public estimator obeys scikit-learn's interface and says what it does."""

import inspect
import re

import numpy as np
import pytest
import sklearn
from sklearn.base import clone
from sklearn.utils import estimator_checks, get_tags
from sklearn.utils.estimator_checks import parametrize_with_checks

from skcourse.discovery import all_estimators
from skcourse.testing import make_problem
from tests.cases import fixed_centers, small

CLASSES = [pytest.param(cls, id=name) for name, cls in all_estimators()]

# Those that `parametrize_with_checks` leaves out.
FOR_ALL = ("check_param_validation", "check_dataframe_column_names_consistency")
FOR_TRANSFORMERS = (
    "check_global_output_transform_pandas",
    "check_global_set_output_transform_polars",
    "check_set_output_transform",
    "check_set_output_transform_pandas",
    "check_set_output_transform_polars",
    "check_transformer_get_feature_names_out",
    "check_transformer_get_feature_names_out_pandas",
)


def theirs(cls):
    """Return scikit-learn's class of the same name and chapter, or skip where there is none."""
    chapter = cls.__module__.split(".")[1]
    return getattr(getattr(__import__(f"sklearn.{chapter}"), chapter), cls.__name__, None)


NAMESAKES = [
    pytest.param(cls, theirs(cls), id=name) for name, cls in all_estimators() if theirs(cls)
]


def few(cls):
    """Return an estimator with its defaults, but of five members, as in scikit-learn's own run."""
    estimator = cls()
    if "n_estimators" in estimator.get_params():
        return estimator.set_params(n_estimators=5)
    if cls.__name__.startswith("HistGradientBoosting"):
        return estimator.set_params(max_iter=5)
    return estimator


ESTIMATORS = [few(cls) for _, cls in all_estimators()]


# Here a weight lengthens the step that a sample gives, and a sample that occurs twice gives two.
WEIGHTS_ARE_STEPS = ("Perceptron", "SGDClassifier", "SGDOneClassSVM", "SGDRegressor")
WEIGHTS_ARE_CHANCES = (  # of being drawn, or rows have random targets: the same in the mean only
    "BaggingClassifier",
    "BaggingRegressor",
    "IsolationForest",
    "MiniBatchKMeans",
    "QuantileForestRegressor",
    "RandomForestClassifier",
    "RandomForestRegressor",
    "RandomTreesEmbedding",
)


def impossible(estimator):
    """Return the checks that an estimator cannot pass, each with the reason."""
    if type(estimator).__name__ not in WEIGHTS_ARE_STEPS + WEIGHTS_ARE_CHANCES:
        return {}
    kinds = ("dense", "sparse")
    reason = "a longer step is not two steps, a chance no row"
    return {f"check_sample_weight_equivalence_on_{kind}_data": reason for kind in kinds}


@parametrize_with_checks(ESTIMATORS, expected_failed_checks=impossible, xfail_strict=True)
def test_their_checks(estimator, check):
    if "sample_weight_equivalence" in str(check) and type(estimator) in START:
        estimator = START[type(estimator)]
    if "check_transformer" in str(check) and "fit_algorithm" in estimator.get_params():
        # the codes of a fit are those of `transform` only by the same algorithm
        estimator = clone(estimator).set_params(transform_algorithm="lasso_lars")
    if "sparsify" in str(check) and "cv" in estimator.get_params():
        estimator = clone(estimator).set_params(cv=3)  # it has three rows of each class
    if type(estimator).__name__ == "NMF":  # as in scikit-learn's own run: W nearly at its limit
        estimator = clone(estimator).set_params(max_iter=500)
    check(estimator)


# Repeated rows and weighted ones are the same to an algorithm, not to the dice that choose where
# it begins: these are told where.
START = {
    cls: cls(n_clusters=3, init=fixed_centers, n_init=1)
    for _, cls in all_estimators()
    if callable in cls._parameter_constraints.get("init", ())
}
START |= {  # atoms that no code uses are drawn: here all are used
    cls: cls(n_components=2, alpha=0.01, max_iter=5)
    for name, cls in all_estimators()
    if name == "DictionaryLearning"
}


def left_out():
    for estimator in ESTIMATORS:
        names = FOR_ALL
        if hasattr(estimator, "transform"):
            names += FOR_TRANSFORMERS
            if not get_tags(estimator).requires_fit:
                names += ("check_transformers_unfitted_stateless",)
        for name in names:
            yield pytest.param(estimator, name, id=f"{type(estimator).__name__}-{name}")


@pytest.mark.parametrize(("estimator", "name"), left_out())
def test_checks_that_theirs_leave_out(estimator, name):
    getattr(estimator_checks, name)(type(estimator).__name__, estimator)


@pytest.mark.parametrize(("ours", "theirs"), NAMESAKES)
def test_constructor_is_theirs(ours, theirs):
    mine = dict(inspect.signature(ours).parameters)
    expected = inspect.signature(theirs).parameters
    common = {name: mine.pop(name) for name in list(expected)}
    assert list(common) == list(expected)
    for name, parameter in expected.items():
        same = common[name].default, common[name].kind
        assert repr(same) == repr((parameter.default, parameter.kind)), name
    ordered = [name for name in inspect.signature(ours).parameters if name in expected]
    assert ordered == list(expected)
    assert all(extra.kind is extra.KEYWORD_ONLY for extra in mine.values())


@pytest.mark.parametrize(("ours", "theirs"), NAMESAKES)
def test_methods_are_theirs(ours, theirs):
    for name, method in inspect.getmembers(theirs, inspect.isfunction):
        if name.startswith("_") or name == "sparsify":
            continue
        assert hasattr(ours, name), name
        mine = inspect.signature(getattr(ours, name)).parameters
        expected = inspect.signature(method).parameters
        assert [p for p in mine if p in expected] == list(expected), name
        for parameter in expected:
            assert mine[parameter].default == expected[parameter].default, (name, parameter)


@pytest.mark.parametrize(("ours", "theirs"), NAMESAKES)
def test_fitted_attributes_are_theirs(ours, theirs):
    mine, reference = small(ours), small(theirs)
    problem = make_problem(mine)
    mine.fit(problem.X, problem.y)
    reference.fit(problem.X, problem.y)
    for name, value in public_state(reference).items():
        assert hasattr(mine, name), name
        found = getattr(mine, name)
        if value is None:  # such as the iterations of a ridge, which we do count
            continue
        assert np.shape(found) == np.shape(value), name
        assert isinstance(found, type(value)) or np.isscalar(found) == np.isscalar(value), name
        if isinstance(value, np.ndarray):
            assert found.dtype == value.dtype, name


def public_state(estimator):
    return {
        name: value
        for name, value in vars(estimator).items()
        if name.endswith("_") and not name.startswith("_")
    }


@pytest.mark.parametrize(("ours", "theirs"), NAMESAKES)
def test_tags_are_theirs(ours, theirs):
    mine, reference = get_tags(ours()), get_tags(theirs())
    assert mine.estimator_type == reference.estimator_type
    for more in ("allow_nan", "sparse"):  # what ours take beyond theirs
        if getattr(mine.input_tags, more):
            setattr(reference.input_tags, more, True)
    for group in ("input_tags", "target_tags", "classifier_tags", "transformer_tags"):
        if group == "transformer_tags" and getattr(mine, group) is not None:
            kept = set(getattr(reference, group).preserves_dtype)
            assert set(mine.transformer_tags.preserves_dtype) >= kept
            continue
        assert getattr(mine, group) == getattr(reference, group), group


def sections(text):
    """Return {"Parameters": [names], "Attributes": [names], ...} of a numpydoc docstring."""
    found, lines = {}, inspect.cleandoc(text or "").splitlines()
    heads = [i for i in range(1, len(lines)) if re.fullmatch(r"-{3,}", lines[i])]
    for head, end in zip(heads, [*heads[1:], len(lines) + 1], strict=True):
        body = lines[head + 1 : end - 1]
        names = [line.split(" : ")[0] for line in body if re.match(r"\S", line)]
        found[lines[head - 1]] = [
            name.strip().lstrip("*") for group in names for name in group.split(",")
        ]
    return found


def described(cls, attribute):
    """Return what the docstring says of an attribute."""
    text = inspect.cleandoc(cls.__doc__).partition("\nAttributes\n")[2]
    return re.search(rf"^{attribute}\b.*\n(?: .*\n|\n)*", text, re.MULTILINE)[0]


@pytest.mark.parametrize("cls", CLASSES)
def test_docstring_tells_all(cls):
    parts = sections(cls.__doc__)
    assert {"Parameters", "Attributes", "Examples"} <= set(parts), sorted(parts)
    assert parts["Parameters"] == list(inspect.signature(cls).parameters)
    estimator = small(cls)
    problem = make_problem(estimator)
    estimator.fit(problem.X, problem.y)
    told = set(parts["Attributes"])
    assert set(public_state(estimator)) - told == set()
    assert "n_features_in_" in told
    absent = {name for name in told if not hasattr(estimator, name)}
    untrue = {name for name in absent if "only if" not in described(cls, name).lower()}
    assert not untrue, f"documented, without an 'only if', but not there: {sorted(untrue)}"


@pytest.mark.parametrize("cls", CLASSES)
def test_methods_are_documented(cls):
    for name, method in inspect.getmembers(cls, inspect.isfunction):
        if name.startswith("_") or not method.__module__.startswith("skcourse"):
            continue
        assert method.__doc__, name


def test_version_of_scikit_learn_is_the_one_we_promise():
    assert tuple(map(int, sklearn.__version__.split(".")[:2])) >= (1, 9)
