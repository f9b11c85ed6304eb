"""The benchmarks: ratios and verdicts on made-up times; every workload at a tiny size, untimed."""

import logging
import subprocess
import sys
from functools import partial

import numpy as np
import pytest
from threadpoolctl import threadpool_limits

from benchmarks import each, first_fit, growth, latency, memory, report
from benchmarks.contenders import handed_back, overheard
from benchmarks.data import ROOT, Data, images
from benchmarks.harness import Plan, Workload, interleave, run
from benchmarks.workloads import all_workloads
from benchmarks.workloads.cluster import inertia

ONCE = Plan(shrink=500, min_rounds=1, max_rounds=1)
RIDGE = [each.Subject("Ridge", "linear_model")]


@pytest.fixture(autouse=True)
def one_thread(monkeypatch):
    """Nothing is timed here, and threads that wait for each other on a busy machine take long."""
    monkeypatch.setenv("OMP_NUM_THREADS", "1")
    with threadpool_limits(1):
        yield


class Clock:
    """A clock that goes only when a contender works."""

    def __init__(self):
        self.now = 0.0

    def __call__(self):
        return self.now

    def work(self, name, seconds, log, data):
        """Take the next of `seconds`; the fit is the name."""
        self.now += next(seconds)
        log.append(name)
        return name


def compare(times, losses, **asked):
    """Run made-up contenders: `times[name]` are those of the warm-up and of two rounds."""
    clock, log = Clock(), []
    fits = {name: partial(clock.work, name, iter(times[name]), log) for name in times}
    workload = Workload(
        "made up",
        data=lambda shrink: Data(np.zeros((1, 1)), note=f"a {shrink}th"),
        contenders=lambda: fits,
        loss=lambda data, fitted: losses[fitted],
        **asked,
    )
    return run(workload, Plan(shrink=7, min_rounds=2, max_rounds=2), clock), log


TIMES = {
    "scikit-learn lloyd": [90.0, 8.0, 6.0],
    "scikit-learn elkan": [90.0, 4.0, 5.0],
    "faiss": [90.0, 3.0, 1.0],
    "skcourse": [90.0, 2.0, 1.0],
}
LOSSES = dict.fromkeys(TIMES, 2.0)


def test_ratio_is_that_of_each_round_and_the_warm_up_is_not_counted():
    result, _ = compare(TIMES, LOSSES)
    assert result.seconds["skcourse"] == [2.0, 1.0]
    assert result.ratios("scikit-learn lloyd") == [4.0, 6.0]
    assert result.ratio("scikit-learn lloyd") == 5.0
    assert result.reference == "scikit-learn elkan"
    assert result.ratio("scikit-learn elkan") == 3.5
    assert result.notes == ["a 7th"]
    row = next(row for row in report.details(result).rows if row[0] == "scikit-learn lloyd")
    assert row[1:5] == ["5.00x", "4.00x to 6.00x", "7.00 s", "6.00 s to 8.00 s"]


def test_contenders_take_turns_at_going_first():
    _, log = compare(TIMES, LOSSES)
    a, b, c, d = TIMES
    assert log == [a, b, c, d, a, b, c, d, b, c, d, a]


def test_rounds_stop_when_the_time_is_used_up():
    for seconds, rounds in ((0.0, 3), (4.5, 5), (99.0, 6)):
        clock = Clock()
        calls = {"one": lambda clock=clock: clock.work("one", iter([1.0]), [], None)}
        plan = Plan(min_rounds=3, max_rounds=6, seconds=seconds)
        assert interleave(calls, plan, clock) == {"one": [1.0] * rounds}


@pytest.mark.parametrize(
    ("asked", "loss", "verdict"),
    [
        ({}, 2.0, ""),
        ({"floor": 3.5}, 2.0, "met"),
        ({"floor": 3.6}, 2.0, "missed"),
        ({"floor": 3.5, "rivals": ("faiss", "absent")}, 2.0, "met"),
        ({"floor": 3.5}, 2.002, "worse fit"),
        ({"floor": 3.5}, np.nan, "worse fit"),
        ({"floor": 3.5}, 1.0, "met"),
        ({"floor": 3.5, "slack": 1e-2}, 2.002, "met"),
        ({"floor": 9.0}, 2.002, "missed, worse fit"),
    ],
)
def test_floor_is_met_at_equal_quality_only(asked, loss, verdict):
    result, _ = compare(TIMES, LOSSES | {"skcourse": loss}, **asked)
    assert result.verdict() == verdict
    assert report.summary([result]).rows[0][3] == verdict


def test_slower_than_a_rival():
    times = TIMES | {"faiss": [90.0, 1.0, 0.5]}
    result, _ = compare(times, LOSSES, floor=1, rivals=("faiss",))
    assert result.verdict() == "slower than faiss"
    assert report.summary([result]).rows[0][4] == "0.50x faiss"


def test_losses_are_compared_with_those_of_scikit_learn():
    result, _ = compare(TIMES, LOSSES | {"skcourse": 3.0, "faiss": 1.0})
    assert result.excess("skcourse") == 0.5
    assert result.excess("faiss") == -0.5
    assert result.excess("scikit-learn elkan") == 0.0
    result, _ = compare(TIMES, dict.fromkeys(TIMES, 0.0) | {"skcourse": 1e-9})
    assert (result.excess("faiss"), result.excess("skcourse")) == (0.0, np.inf)


def test_contender_that_cannot_is_left_out_and_named():
    def refuse(data):
        raise NotImplementedError("takes no weights")

    workload = Workload(
        "made up",
        data=lambda shrink: Data(np.zeros((1, 1))),
        contenders=lambda: {"scikit-learn": lambda data: 1, "faiss": refuse},
        loss=lambda data, fitted: fitted,
        floor=1,
    )
    result = run(workload, ONCE)
    assert list(result.seconds) == ["scikit-learn"]
    assert result.notes == ["faiss: takes no weights."]
    assert result.verdict() == ""  # ours is not there
    assert "faiss: takes no weights." in str(report.details(result))


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (None, ""),
        (12.34, "12.3 s"),
        (0.9999, "1.00 s"),
        (0.25, "250 ms"),
        (1.5e-5, "15.0 µs"),
        (2e-8, "0.0200 µs"),
    ],
)
def test_times_have_three_digits(seconds, text):
    assert report.time_cell(seconds) == text


def test_inertia_by_the_definition():
    rng = np.random.default_rng(0)
    X, centres, weights = rng.random((50, 3)), rng.random((4, 3)), rng.random(50)
    squares = ((X[:, np.newaxis] - centres) ** 2).sum(axis=2).min(axis=1)
    fitted = type("Fitted", (), {"cluster_centers_": centres})
    # sums of 50 numbers of order 1: rounding of about 50 eps
    assert inertia(Data(X), fitted) == pytest.approx(squares.sum(), rel=1e-13)
    assert inertia(Data(X, sample_weight=weights), fitted) == pytest.approx(
        squares @ weights, rel=1e-13
    )


def test_workloads_have_names_of_their_own():
    names = [workload.name for workload in all_workloads()]
    assert len(set(names)) == len(names)


@pytest.mark.parametrize("workload", all_workloads(), ids=lambda workload: workload.name)
def test_workload_runs_and_fits_as_well_as_scikit_learn(workload, tmp_path, monkeypatch):
    monkeypatch.setenv("SKCOURSE_DATA", str(tmp_path))  # the stand-in for the images
    result = run(workload, ONCE)
    assert {len(seconds) for seconds in result.seconds.values()} == {1}
    assert np.isfinite(list(result.losses.values())).all()
    assert (result.reference is not None) == workload.namesake
    assert not workload.namesake or result.excess("skcourse") <= workload.slack


def test_without_a_folder_of_data_there_is_a_stand_in(monkeypatch):
    monkeypatch.delenv("SKCOURSE_DATA", raising=False)
    assert "No mnist.npz found" in images(3, shrink=1_000).note


def test_fit_handed_back_to_scikit_learn_is_recognised():
    logger = logging.getLogger("sklearnex")
    before = logger.handlers, logger.level, logger.propagate
    with overheard() as messages:
        logger.info("sklearn.linear_model.Ridge.fit: running accelerated version on CPU")
    assert len(messages) == 1 and not handed_back(messages)
    with overheard() as messages:
        logger.info("sklearn.linear_model.Ridge.fit: running accelerated version on CPU")
        logger.info("sklearn.linear_model.Ridge.fit: fallback to original Scikit-learn")
    assert handed_back(messages)
    assert (logger.handlers, logger.level, logger.propagate) == before


@pytest.mark.parametrize("question", [latency, first_fit, memory, growth])
def test_question_makes_tables(question):
    for table in question.tables(RIDGE, Plan(shrink=100, min_rounds=1, max_rounds=1)):
        assert table.title.startswith(question.TITLE)
        assert [len(row) for row in table.rows] == [len(table.head)]
        assert table.rows[0][0].startswith("Ridge")
        assert str(table).count("\n|") == 3


@pytest.mark.parametrize("subject", each.subjects(), ids=lambda subject: subject.name)
def test_problem_suits_every_estimator(subject):
    makers = each.namesakes(subject)
    data = each.problem(makers["skcourse"](), 40, 12)
    for make in makers.values():
        each.fit(make(), data)
    assert data.X.shape == (40, 12)


def test_command_prints_and_writes(tmp_path):
    page = tmp_path / "RESULTS.md"
    command = [sys.executable, "-m", "benchmarks", "--quick", "--threads", "1", "--only", "iris"]
    done = subprocess.run(
        [*command, "--output", page], cwd=ROOT, capture_output=True, text=True, check=True
    )
    text = page.read_text(encoding="utf-8")
    assert "| KMeans iris" in text and "## KMeans iris" in text and "scikit-learn 1." in text
    assert "KMeans iris" in done.stdout and "Ridge" not in text
    assert str(ROOT) not in text
