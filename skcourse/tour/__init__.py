"""A tour of the house: every estimator that exists, on real data, beside scikit-learn's namesake.

`python -m skcourse` runs it. The list is found by looking (`skcourse.discovery`), so an estimator
takes part by being there: `cases` picks its data, `side_by_side` fits and times it, `table` prints,
`pictures` draws.
"""

import os
import time

import sklearn

import skcourse
from skcourse.core.chunks import available_cores, count_threads
from skcourse.tour.cases import cases
from skcourse.tour.side_by_side import compare
from skcourse.tour.table import one_line, print_table

__all__ = ["run"]


def run(estimators, out):
    """Fit the estimators one by one, print what came out, draw pictures.

    Parameters
    ----------
    estimators : list of (name, class), see `skcourse.discovery.all_estimators`
    out : path-like
        The folder for pictures; made when the first of them is written.

    Returns
    -------
    status : int
        0, or 1 if anything failed; what failed, and how, stands in its row.
    """
    started = time.perf_counter()
    todo = cases(estimators)
    rows = []
    print(
        f"skcourse {skcourse.__version__} beside scikit-learn {sklearn.__version__}, on "
        f"{count_threads()} cores. The first run ever compiles: allow a minute."
    )
    for i, case in enumerate(todo, 1):
        print(f"[{i:>{len(str(len(todo)))}}/{len(todo)}] {case.title} ...", end=" ", flush=True)
        rows.append(compare(case, len(todo)))
        print(one_line(rows[-1]), flush=True)
    print_table(rows)
    if busy():
        print(
            f"\nThe machine was busy (load {busy():.1f}): the ratios are those of a busy machine."
        )
    failures = sum(row.error is not None for row in rows)
    failures += draw(estimators, rows, out)
    print(f"\n{time.perf_counter() - started:.0f} s in all; {failures or 'nothing'} failed.")
    return 1 if failures else 0


def busy():
    """Return how many processes want to run, of late, if that is more than there are cores."""
    load = os.getloadavg()[0] if hasattr(os, "getloadavg") else 0.0
    return load if load > available_cores() + 1 else None


def draw(estimators, rows, out):
    """Write the pictures of `estimators` if matplotlib is there; return how many failed."""
    try:
        import matplotlib as mpl
    except ImportError:
        print("\nNo pictures: matplotlib is not installed (`pip install matplotlib`).")
        return 0
    from skcourse.tour.pictures import draw_all

    with mpl.rc_context({"font.size": 9, "axes.spines.top": False, "axes.spines.right": False}):
        written, failed = draw_all(estimators, rows, out)
    if written:
        print(f"\nPictures in {written[0].parent}: {', '.join(path.name for path in written)}")
    for name, error in failed:
        print(f"The picture {name} failed: {error!r}")
    return len(failed)
