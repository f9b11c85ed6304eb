"""The commands of `python -m skcourse`, and the tour behind it."""

import subprocess
import sys

import numpy as np
import pytest
from sklearn.base import BaseEstimator, ClusterMixin, RegressorMixin, TransformerMixin

import skcourse
from skcourse.__main__ import main
from skcourse.discovery import all_estimators
from skcourse.tour import side_by_side
from skcourse.tour.cases import cases, kind, namesake
from skcourse.tour.side_by_side import difference, matched, within
from skcourse.tour.table import duration


class Mean(RegressorMixin, BaseEstimator):
    """Predicts the mean: an estimator of a chapter yet to come, without a namesake."""

    def fit(self, X, y):
        self.mean_ = np.mean(y)
        return self

    def predict(self, X):
        return np.full(len(X), self.mean_)


class Broken(RegressorMixin, BaseEstimator):
    """Fails at its first fit."""

    def fit(self, X, y):
        raise ArithmeticError("no such luck")


class Halver(TransformerMixin, BaseEstimator):
    """A transformer with a way back, and nothing to learn."""

    def fit(self, X, y=None):
        self.n_features_in_ = X.shape[1]
        return self

    def transform(self, X):
        return X / 2

    def inverse_transform(self, X):
        return X * 2


class Signs(ClusterMixin, BaseEstimator):
    """A clusterer that cannot predict."""

    def fit(self, X, y=None):
        self.labels_ = (X[:, 0] > 0).astype(int)
        return self


@pytest.fixture
def estimators(monkeypatch):
    """Put a list of estimators in the place of those that exist."""

    def put(*classes):
        for estimator_class in classes:
            monkeypatch.setattr(estimator_class, "__module__", "skcourse.linear_model.stand_in")
        found = [(estimator_class.__name__, estimator_class) for estimator_class in classes]
        monkeypatch.setattr("skcourse.discovery.all_estimators", lambda: found)
        monkeypatch.setattr(side_by_side, "LIMIT", 0.0)

    return put


def command(*arguments):
    """Run `python -m skcourse` with `arguments` in a process of its own."""
    return subprocess.run(
        [sys.executable, "-m", "skcourse", *arguments],
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=900,
    )


def test_help_names_the_commands():
    done = command("--help")
    assert done.returncode == 0
    assert {"versions", "warmup", "--out", "--only"} <= set(done.stdout.replace("]", " ").split())


def test_versions():
    done = command("versions")
    lines = dict(line.split(maxsplit=1) for line in done.stdout.splitlines())
    assert lines["skcourse"] == skcourse.__version__
    assert lines["numpy"] == np.__version__
    assert {"python", "scipy", "scikit-learn", "numba", "BLAS", "cores", "cache"} <= set(lines)


def test_help_and_versions_leave_the_chapters_alone():
    code = "import sys; from skcourse.__main__ import main; main(['versions']);"
    code += "assert not [m for m in sys.modules if m.startswith('skcourse.linear_model')]"
    assert subprocess.run([sys.executable, "-c", code], capture_output=True).returncode == 0


@pytest.mark.parametrize("arguments", [["--only", "KMean"], ["warmup", "--only", "KMean"]])
def test_an_unknown_name_is_an_error_with_a_hint(arguments, capsys):
    with pytest.raises(SystemExit) as stop:
        main(arguments)
    assert stop.value.code == 2
    assert "no estimator is called 'KMean'; did you mean KMeans?" in capsys.readouterr().err


@pytest.mark.parametrize(
    "arguments",
    [
        ["warmup", "--only", "Mean", "Signs"],
        ["--only", "Mean", "Signs", "warmup"],
        ["--only", "Mean", "Signs", "--out", "x", "warmup"],
        ["--out", "x", "--only", "Mean", "Signs", "warmup"],
        ["--only", "Halver", "--out", "x", "warmup", "--only", "Mean", "Signs"],
    ],
)
def test_names_may_stand_before_the_command_or_after(arguments, estimators, monkeypatch):
    estimators(Mean, Halver, Signs)
    warmed = []
    monkeypatch.setattr("skcourse.warmup.warm_up", lambda found: warmed.extend(found) or 0)
    assert main(arguments) == 0
    assert [name for name, _ in warmed] == ["Mean", "Signs"]


def test_versions_takes_no_names(capsys):
    with pytest.raises(SystemExit) as stop:
        main(["--only", "KMeans", "versions"])
    assert stop.value.code == 2
    assert "unrecognized arguments: --only KMeans" in capsys.readouterr().err


def test_an_unknown_command_is_an_error(capsys):
    with pytest.raises(SystemExit) as stop:
        main(["tuor"])
    assert stop.value.code == 2
    assert "tuor" in capsys.readouterr().err


def test_tour_prints_a_row_and_writes_pictures(tmp_path, monkeypatch, capsys):
    pytest.importorskip("matplotlib")
    monkeypatch.setattr(side_by_side, "LIMIT", 0.0)
    assert main(["--only", "PCA", "--out", str(tmp_path / "new" / "folder")]) == 0
    printed = capsys.readouterr().out
    assert "PCA on digits" in printed
    assert str(tmp_path / "new" / "folder") in printed
    written = {path.name for path in (tmp_path / "new" / "folder").iterdir()}
    assert written == {"pca_digits.png", "times.png"}


def test_tour_without_matplotlib_makes_no_folder(estimators, tmp_path, monkeypatch, capsys):
    estimators(Mean)
    monkeypatch.setitem(sys.modules, "matplotlib", None)
    assert main(["--out", str(tmp_path / "none")]) == 0
    assert "No pictures" in capsys.readouterr().out
    assert not (tmp_path / "none").exists()


def test_tour_reports_a_failure_and_goes_on(estimators, tmp_path, capsys):
    estimators(Broken, Mean)
    assert main(["--out", str(tmp_path)]) == 1
    printed = capsys.readouterr().out
    assert "FAILED  Broken on diabetes: ArithmeticError: no such luck" in printed
    assert "Mean " in printed
    assert "1 failed" in printed


def test_tour_reports_a_picture_that_fails(estimators, tmp_path, monkeypatch, capsys):
    pictures = pytest.importorskip("skcourse.tour.pictures")
    monkeypatch.setattr(pictures, "PICTURES", [("a.png", lambda cls: 1 / 0, ["Mean"])])
    estimators(Mean)
    assert main(["--out", str(tmp_path)]) == 1
    assert "The picture a.png failed: ZeroDivisionError" in capsys.readouterr().out


@pytest.mark.parametrize("stranger", [Mean, Halver, Signs])
def test_tour_takes_any_kind_without_a_namesake(stranger, estimators, tmp_path, capsys):
    estimators(stranger)
    assert main(["--out", str(tmp_path)]) == 0
    assert "scikit-learn has none" in capsys.readouterr().out
    assert not list(tmp_path.iterdir())


def test_every_estimator_has_its_case():
    pairs = all_estimators()
    todo = cases(pairs)
    assert {case.name for case in todo} == set(dict(pairs))
    assert any(case.grid for case in todo)
    for case in todo:
        assert case.theirs is namesake(case.ours)
        assert case.theirs is None or case.theirs.__module__.startswith("sklearn.")


def test_no_defaults_that_scikit_learn_is_going_to_change(monkeypatch, recwarn):
    monkeypatch.setattr(side_by_side, "LIMIT", 0.0)
    pairs = [pair for pair in all_estimators() if pair[0] == "LogisticRegressionCV"]
    assert [side_by_side.compare(case).error for case in cases(pairs)] == [None]
    assert not recwarn.list


def test_kinds():
    assert [kind(cls) for cls in (Mean, Signs, Halver)] == ["regressor", "clusterer", "transformer"]


def test_difference_of_clusters_does_not_see_their_names():
    theirs, ours = np.array([0, 0, 1, 1, 2]), np.array([2, 2, 0, 0, 0])
    assert difference(theirs, ours, "clusterer") == "1 of 5"
    assert difference(theirs, ours, "classifier") == "5 of 5"
    assert np.sum(np.equal(*matched(theirs, ours))) == 4


def test_difference_of_components_does_not_see_their_signs():
    theirs = np.array([[1.0, 4.0], [-2.0, 8.0]])
    ours = theirs * [1.0, -1.0] + [[0.0, 0.0], [0.0, 0.8]]
    assert difference(theirs, ours, "transformer") == "1e-01"


def test_turns_alternate_and_short_fits_are_repeated(monkeypatch):
    calls = []
    fits = [lambda: calls.append("theirs"), lambda: calls.append("ours")]
    monkeypatch.setattr(side_by_side, "TURN", 0.0)
    times = side_by_side.time_in_turns(fits, budget=0.0)
    assert np.shape(times) == (side_by_side.LEAST, 2)
    assert calls[:6] == ["theirs", "ours", "ours", "theirs", "theirs", "ours"]
    monkeypatch.setattr(side_by_side, "TURN", 0.005)
    calls.clear()
    side_by_side.time_in_turns(fits, budget=0.0)
    assert len(calls) > 2 * side_by_side.LEAST + 2


def test_the_turns_of_all_cases_fit_in_the_time_for_all(monkeypatch):
    given = []
    monkeypatch.setattr(side_by_side, "row_of", lambda case, budget: given.append(budget))
    side_by_side.compare(None)
    side_by_side.compare(None, n_cases=100)
    assert given == [side_by_side.BUDGET, side_by_side.ALL / 100]


def test_variance_within_clusters():
    X = np.array([[0.0], [2.0], [10.0], [12.0]])
    assert within(X, np.array([0, 0, 1, 1])) == pytest.approx(1 - 4 / 104)


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(12.3456, "12.3 s"), (0.25, "250 ms"), (2e-3, "2.00 ms"), (4e-7, "0.40 us")],
)
def test_duration(seconds, text):
    assert duration(seconds) == text


def test_warmup_fills_the_cache(tmp_path, monkeypatch):
    monkeypatch.setenv("SKCOURSE_CACHE_DIR", str(tmp_path))
    done = command("warmup", "--only", "LinearRegression")
    assert done.returncode == 0, done.stdout + done.stderr
    assert "LinearRegression" in done.stdout
    assert str(tmp_path) in done.stdout
    files = set(tmp_path.rglob("*.nbc"))
    assert files
    fit = (
        "from skcourse.linear_model import LinearRegression\nLinearRegression().fit(*blobs(900, 5))"
    )
    assert after(fit) == ["done"]
    assert set(tmp_path.rglob("*.nbc")) == files


BLOBS = """
import warnings
import numpy as np, scipy.sparse as sp
warnings.simplefilter("ignore")

def blobs(n, p, dtype=np.float64):
    rng = np.random.default_rng(0)
    X = rng.normal(size=(n, p)).astype(dtype) + rng.integers(0, 3, (n, 1), dtype=np.int8)
    return X, X[:, 0] + X[:, 1]

"""


def after(code):
    """Run the code in a new process; return its words, "done" last."""
    done = subprocess.run(
        [sys.executable, "-c", BLOBS + code + "\nprint('done')"],
        capture_output=True,
        text=True,
        timeout=900,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout.split()


FITS = """
from skcourse.cluster import KMeans
from skcourse.core.kernel import KernelCache
from skcourse.decomposition import PCA
from skcourse.discovery import all_estimators
from skcourse.linear_model import LinearRegression, Ridge, RidgeCV
from skcourse.warmup import warm_up

status = warm_up(all_estimators())
assert not status
load = KernelCache.load_overload

def heard(cache, *signature):
    print("asks for", cache._name)
    return load(cache, *signature)

KernelCache.load_overload = heard
print("warm")
for dtype in (np.float64, np.float32):
    for n, p in ((3_000, 5), (2_000, 200), (30, 200)):
        X, y = blobs(n, p, dtype)
        S, weights = sp.random(n, p, 0.1, "csr", dtype, random_state=0), np.ones(n, dtype)
        for rows in (X, np.asfortranarray(X), S, S.tocsc()):
            for k in (3, 20):
                means = KMeans(k, n_init=1, random_state=0).fit(rows).fit(rows, None, weights)
                means.predict(rows), means.transform(rows), means.score(rows)
            for linear in (LinearRegression(), Ridge(), Ridge(solver="sag"), Ridge(solver="lsqr")):
                linear.fit(rows, y).fit(rows, y, weights).predict(rows)
            PCA(2, svd_solver="covariance_eigh").fit(rows).transform(rows)
        for k in (3, 20):
            means = KMeans(k, init="random", n_init=2, random_state=0).fit(X)
            means.predict(X[:1]), means.transform(X[:1])
        for linear in (
            LinearRegression(positive=True), Ridge(solver="saga"), Ridge(positive=True), RidgeCV()
        ):
            linear.fit(X, y).fit(X, y, weights).predict(X[:1])
        for linear in (LinearRegression(), Ridge()):
            linear.partial_fit(X, y).partial_fit(X, y, weights).predict(X[:1])
        for axes in (PCA(2), PCA()):
            axes.fit(X, sample_weight=weights).transform(X[:1])
            axes.partial_fit(X).partial_fit(X, sample_weight=weights)
"""


def test_warmup_leaves_nothing_to_compile():
    words = after(FITS)
    asked = words[words.index("warm") + 1 :]
    assert asked == ["done"]


def test_warmup_reports_a_failure(estimators, capsys):
    estimators(Broken, Mean)
    assert main(["warmup"]) == 1
    printed = capsys.readouterr().out
    assert "FAILED: ArithmeticError('no such luck')" in printed
    assert "Mean" in printed
