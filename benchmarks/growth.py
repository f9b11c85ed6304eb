"""How the time of a fit grows with the number of samples and of features."""

from statistics import median

from benchmarks.each import fit, namesakes, problem
from benchmarks.harness import interleave
from benchmarks.report import Table, ratio_cell, time_cell

TITLE = "Growth"
SAMPLES, FEATURES = (1_000, 10_000, 100_000), (10, 50, 250)
FIXED_P, FIXED_N = 50, 10_000
ABOUT = "Time of our fit, and how many times longer scikit-learn takes, {}. Left out, for want of "
ABOUT += "patience with one of the two: {}."
LEFT_OUT = (
    "ARDRegression",
    "DictionaryLearning",
    "ElasticNetCV",
    "FactorAnalysis",
    "KMedoids",
    "LassoCV",
    "LogisticRegressionCV",
    "MiniBatchDictionaryLearning",
    "MultiTaskElasticNetCV",
    "MultiTaskLassoCV",
    "NMF",
    "QuantileRegressor",
)


def tables(subjects, plan):
    """Make one table of growth with n and one of growth with p."""
    samples = [n // plan.shrink for n in SAMPLES]
    fixed_n = FIXED_N // plan.shrink
    with_n = [(n, FIXED_P) for n in samples]
    with_p = [(fixed_n, p) for p in FEATURES]
    plan = plan._replace(max_rounds=min(plan.max_rounds, 7), seconds=0.3)
    return [
        grid(f"{TITLE} with n", f"p = {FIXED_P}", "n = {0:,}", with_n, subjects, plan),
        grid(f"{TITLE} with p", f"n = {fixed_n:,}", "p = {1:,}", with_p, subjects, plan),
    ]


def grid(title, fixed, heading, shapes, subjects, plan):
    """Make a table with a row per estimator and a column per shape."""
    headings = [heading.format(*shape) for shape in shapes]
    about = ABOUT.format(fixed, ", ".join(LEFT_OUT))
    table = Table(title, about, ["estimator", *headings])
    for subject in subjects:
        if subject.name in LEFT_OUT:
            continue
        cells = [cell(subject, shape, plan) for shape in shapes]
        table.rows.append([subject.name, *cells])
    return table


def cell(subject, shape, plan):
    """Time one shape: "12.3 ms, 4.5x"."""
    makers = namesakes(subject, same_work=True)
    data = problem(next(iter(makers.values()))(), *shape)
    calls = {name: lambda make=make: fit(make(), data) for name, make in makers.items()}
    for call in calls.values():
        call()
    seconds = interleave(calls, plan)
    ours = seconds["skcourse"]
    if "scikit-learn" not in seconds:
        return time_cell(median(ours))
    ratios = [a / b for a, b in zip(seconds["scikit-learn"], ours, strict=True)]
    return f"{time_cell(median(ours))}, {ratio_cell(median(ratios))}"
