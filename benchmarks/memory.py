"""Peak memory of a fit beyond X, each in a process of its own."""

from benchmarks.child import ask
from benchmarks.contenders import classes
from benchmarks.report import Table

TITLE = "Peak memory"
SHAPE = (500_000, 100)
LIMIT = 0.25  # of X: room for a few numbers per row, not for a copy


def tables(subjects, plan):
    """Make the table of memory, in units of X."""
    n, p = SHAPE[0] // plan.shrink, SHAPE[1]
    table = Table(
        TITLE,
        f"X: {n:,} x {p}, C-contiguous float64, {8e-6 * n * p:.0f} MB. By how much the process "
        f"grows at most during the fit, in units of X. Asked: at most {LIMIT}, that is, no copy.",
        ["estimator", "ours", "asked", "scikit-learn", "scikit-learn-intelex"],
    )
    for subject in subjects:
        shares = {}
        for contender in classes(subject.chapter, subject.name):
            answer = ask("memory", subject, contender, n, p)
            if not answer["handed_back"]:
                shares[contender] = answer["grown"] / answer["X"]
        verdict = "met" if shares["skcourse"] <= LIMIT else "missed"
        peers = [shares.get(name) for name in ("scikit-learn", "scikit-learn-intelex")]
        cells = ["" if share is None else f"{share:.2f}" for share in [shares["skcourse"], *peers]]
        table.rows.append([subject.name, cells[0], verdict, *cells[1:]])
    return [table]
