"""One row at a time: the median of thousands of calls of `predict` and its like, in turn."""

import time
from statistics import median

from benchmarks.each import fit, namesakes, problem
from benchmarks.report import Table, ratio_cell

TITLE = "One-row latency"
LIMIT = 0.6  # of scikit-learn's time
METHODS = ("predict", "predict_proba", "transform")
BLOCK = 50  # calls of one, then of the other


def tables(subjects, plan):
    """Make the table of one-row calls."""
    table = Table(
        TITLE,
        f"(1, 20) float64, microseconds per call. Asked: at most {LIMIT} of scikit-learn's time.",
        ["call", "scikit-learn / ours", "asked", "ours", "scikit-learn"],
    )
    for subject in subjects:
        fitted = {}
        for name, make in namesakes(subject).items():
            fitted[name] = fit(make(), problem(make(), 1_000, 20))
        row = problem(make(), 1_000, 20).X[:1]
        for method in METHODS:
            if hasattr(fitted["skcourse"], method):
                calls = {name: getattr(one, method) for name, one in fitted.items()}
                table.rows.append(line(f"{subject.name}.{method}", per_call(calls, row, plan)))
    return [table]


def per_call(calls, row, plan):
    """Return the median microseconds of each of `calls`, run in turn in blocks."""
    times = {name: [] for name in calls}
    for _ in range(4_000 // BLOCK // min(plan.shrink, 4) + 1):
        for name, call in calls.items():
            for _ in range(BLOCK):
                begin = time.perf_counter_ns()
                call(row)
                times[name].append((time.perf_counter_ns() - begin) / 1e3)
    return {name: median(values[BLOCK:]) for name, values in times.items()}  # the first block warms


def line(label, micros):
    """Make the row of one method."""
    ours, theirs = micros["skcourse"], micros.get("scikit-learn")
    if theirs is None:
        return [label, "", "", f"{ours:.1f}", ""]
    verdict = "met" if ours <= LIMIT * theirs else "missed"
    return [label, ratio_cell(theirs / ours), verdict, f"{ours:.1f}", f"{theirs:.1f}"]
