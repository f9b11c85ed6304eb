"""What the README says of the estimators is true of the package."""

import importlib
import inspect
import pathlib
import re

import numpy as np
import pytest

import skcourse
from skcourse.decomposition import FactorAnalysis, ProbabilisticPCA
from skcourse.discovery import all_estimators
from skcourse.linear_model import (
    ARDRegression,
    BayesianRidge,
    GeneralizedLinearClassifier,
    GeneralizedLinearRegressor,
    HuberRegressor,
    LogisticRegression,
    LogisticRegressionCV,
    MeanVarianceRegressor,
    OrthogonalMatchingPursuit,
    OrthogonalMatchingPursuitCV,
    Perceptron,
    PoissonRegressor,
    SGDClassifier,
    SGDRegressor,
)
from skcourse.tour.cases import namesake

HOUSE = pathlib.Path(__file__).parents[1]
PAGES = [HOUSE / "README.md", HOUSE / "CHANGELOG.md", *sorted(HOUSE.glob("doc/*.md"))]
ROW = re.compile(r"^\| `(?P<path>[\w.]+)` \| (`(?P<theirs>[\w.]+)`|none) \| .*\|$", re.MULTILINE)


def test_readme_lists_every_estimator_and_its_namesake():
    table = {row["path"]: row["theirs"] for row in ROW.finditer((HOUSE / "README.md").read_text())}
    public = all_estimators(complete=True)
    there = {f"{cls.__module__.split('.')[1]}.{name}": cls for name, cls in public}
    assert set(table) == set(there)
    for path, theirs in table.items():
        chapter, name = path.split(".")
        assert getattr(getattr(skcourse, chapter), name) is there[path]
        if theirs is None:
            assert namesake(there[path]) is None
        else:
            module, _, name = theirs.rpartition(".")
            assert getattr(importlib.import_module(module), name) is namesake(there[path])


def test_changelog_names_every_estimator():
    text = (HOUSE / "CHANGELOG.md").read_text()
    assert [name for name, _ in all_estimators(complete=True) if f"`{name}`" not in text] == []


def test_docstrings_are_laid_out_as_numpydoc_wants():
    for name, cls in all_estimators(complete=True):
        text = inspect.getdoc(cls)
        assert text.splitlines()[1] == "", name
        assert all(f"\n{part}\n---" in text for part in ("Parameters", "Attributes", "Examples"))
        parameters = text.partition("\nAttributes\n")[0]
        missing = [
            parameter
            for parameter in inspect.signature(cls).parameters
            if not re.search(rf"^(\w+, )*{parameter}(, \w+)* : ", parameters, re.MULTILINE)
        ]
        assert not missing, name


X = np.random.default_rng(0).normal(size=(60, 3))
NUMBERS, CLASSES = np.exp(X[:, 0] + 0.3 * X[:, 1] * X[:, 2]), np.digitize(X[:, 0] + X[:, 1], [0])
KEPT = [  # fits whose history is not that of the defaults
    (FactorAnalysis(1), NUMBERS),
    (LogisticRegression(), CLASSES),
    (LogisticRegression(solver="liblinear", dual=True, random_state=0), CLASSES),
    (LogisticRegression(solver="saga", random_state=0), CLASSES),
    (LogisticRegression(solver="saga", l1_ratio=0.5), CLASSES),
    (LogisticRegressionCV(use_legacy_attributes=False), CLASSES),
    (LogisticRegressionCV(use_legacy_attributes=False, solver="saga", random_state=0), CLASSES),
    (SGDClassifier(early_stopping=True, random_state=0), CLASSES),
    (GeneralizedLinearClassifier("hinge"), CLASSES),
    (GeneralizedLinearClassifier(solver="proximal-newton"), CLASSES),
    (GeneralizedLinearRegressor(penalty="l1"), NUMBERS),
    (GeneralizedLinearRegressor(penalty="l0", alpha=0.1), NUMBERS),
    (GeneralizedLinearRegressor("pinball"), NUMBERS),
    (PoissonRegressor(), NUMBERS),
    (PoissonRegressor(solver="newton-cholesky"), NUMBERS),
    (BayesianRidge(compute_score=True), NUMBERS),
    (ARDRegression(compute_score=True), NUMBERS),
    (HuberRegressor(), NUMBERS),
    (MeanVarianceRegressor(), NUMBERS),
    (OrthogonalMatchingPursuit(), NUMBERS),
    (OrthogonalMatchingPursuitCV(), NUMBERS),
    (Perceptron(random_state=0), CLASSES),
    (ProbabilisticPCA(1, solver="em", random_state=0), NUMBERS),
    (SGDRegressor(random_state=0), NUMBERS),
]


@pytest.mark.parametrize(("model", "y"), KEPT, ids=lambda value: str(value)[:60])
@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
@pytest.mark.filterwarnings("ignore::FutureWarning")
def test_what_a_history_holds_is_documented(model, y):
    text = inspect.getdoc(type(model))
    history = model.fit(X, y).history_
    assert history
    assert [name for name in history if f'"{name}"' not in text] == []


def test_readme_can_be_read_in_a_minute():
    """All but the table, in which one looks up."""
    text = (HOUSE / "README.md").read_text()
    assert len(ROW.sub("", text).split()) < 600
    assert all(len(row.group().split()) < 30 for row in ROW.finditer(text))


def test_links_within_the_house_lead_somewhere():
    for page in PAGES:
        for link in re.findall(r"\]\(([^)#]+)\)", page.read_text()):
            assert link.startswith("https://") or (page.parent / link).exists(), (page.name, link)


def test_files_that_the_pages_name_exist():
    for page in PAGES:
        for path in re.findall(
            r"`((?:skcourse|tests|benchmarks|doc|examples)/[\w./]+)`", page.read_text()
        ):
            assert (HOUSE / path).exists(), (page.name, path)
