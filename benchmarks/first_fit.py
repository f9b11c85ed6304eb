"""The first fit of a process: without compiled kernels on disk (cold), and with them (warm)."""

import tempfile

from benchmarks.child import ask
from benchmarks.contenders import classes
from benchmarks.report import Table, time_cell

TITLE = "First fit"
SHAPE = (1_000, 20)
COLD, WARM = 8.0, 0.6  # seconds: the budget of a first fit ever, and of a first fit of a process
HEAD = ["estimator", "cold", "warm", "asked", "later fits", "import"]
HEAD += ["scikit-learn: first", "later fits", "import"]


def tables(subjects, plan):
    """Make the table of first fits, each in a process of its own."""
    table = Table(
        TITLE,
        f"{SHAPE[0]:,} x {SHAPE[1]}, in a new process each. Cold: the folder of compiled kernels "
        f"is empty; warm: it is filled. Asked: cold under {COLD:.0f} s, warm under {WARM} s.",
        HEAD,
    )
    for subject in subjects:
        with tempfile.TemporaryDirectory() as folder:
            cold, warm = (
                ask("first_fit", subject, "skcourse", *SHAPE, SKCOURSE_CACHE_DIR=folder)
                for _ in range(2)
            )
        theirs = {}
        if "scikit-learn" in classes(subject.chapter, subject.name):
            theirs = ask("first_fit", subject, "scikit-learn", *SHAPE)
        verdict = "met" if cold["first"] < COLD and warm["first"] < WARM else "missed"
        row = [subject.name, time_cell(cold["first"]), time_cell(warm["first"]), verdict]
        row += [time_cell(warm[key]) for key in ("later", "imported")]
        row += [time_cell(theirs.get(key)) for key in ("first", "later", "imported")]
        table.rows.append(row)
    return [table]
