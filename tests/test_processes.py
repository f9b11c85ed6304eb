"""Whatever happens around a fit: forks, threads, interrupts, no place to write, little memory."""

import concurrent.futures
import multiprocessing
import os
import pathlib
import shutil
import subprocess
import sys
import textwrap

import joblib
import numpy as np
import pytest

import skcourse
from skcourse.discovery import all_estimators
from skcourse.testing import answers, assert_same_bits, make_problem
from tests.cases import small
from tests.promises import long_rows

ROOT = pathlib.Path(__file__).parents[1]
PATIENCE = 300  # seconds until a process that hangs is given up


def problem_of(estimator):
    """Return a problem of several chunks."""
    n_samples = long_rows().get(type(estimator).__name__, 60_000)
    return make_problem(estimator, n_samples=n_samples, n_features=8)


def results():
    """Fit every estimator and return what each answers."""
    found = {}
    for name, cls in all_estimators():
        estimator = small(cls)
        problem = problem_of(estimator)
        found[name] = answers(estimator.fit(problem.X, problem.y), problem.asked)
    return found


@pytest.fixture(scope="module")
def expected():
    """What this process finds; its threads have been used afterwards."""
    return results()


def assert_same(found, expected, where):
    assert found.keys() == expected.keys()
    for name in expected:
        assert_same_bits(expected[name], found[name], f"{name} {where}")


@pytest.mark.filterwarnings("ignore:.*multi-threaded.*:DeprecationWarning")
@pytest.mark.parametrize("method", ["fork", "spawn"])
def test_in_a_child(expected, method):
    context = multiprocessing.get_context(method)
    with concurrent.futures.ProcessPoolExecutor(1, mp_context=context) as pool:
        assert_same(pool.submit(results).result(timeout=PATIENCE), expected, f"after {method}")


def test_in_workers_of_joblib(expected):
    found = joblib.Parallel(n_jobs=2, timeout=PATIENCE)(joblib.delayed(results)() for _ in range(2))
    for one in found:
        assert_same(one, expected, "in a worker of loky")


def test_in_many_threads_at_once(expected):
    with concurrent.futures.ThreadPoolExecutor(6) as pool:
        for future in [pool.submit(results) for _ in range(6)]:
            assert_same(future.result(timeout=PATIENCE), expected, "among other threads")


def run(code, *arguments, cwd=ROOT, **environment):
    """Run the code in a new process; return what it prints, line by line."""
    done = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(code), *arguments],
        cwd=cwd,
        env=os.environ | {"PYTHONPATH": str(ROOT)} | environment,
        capture_output=True,
        text=True,
        timeout=PATIENCE,
        check=False,
    )
    assert done.returncode == 0, done.stdout[-2000:] + done.stderr[-4000:]
    return done.stdout.splitlines()


INTERRUPT = """
    import signal, sys, threading, time
    from threadpoolctl import threadpool_info
    from skcourse.discovery import all_estimators
    from skcourse.testing import answers, assert_same_bits, make_problem
    from tests.cases import small
    from tests.promises import long_rows

    def blas():
        return [library["num_threads"] for library in threadpool_info()]

    def interrupted(estimator, problem, seconds):
        try:
            signal.setitimer(signal.ITIMER_REAL, seconds)  # strikes once
            estimator.fit(problem.X, problem.y)
            signal.setitimer(signal.ITIMER_REAL, 0)
        except KeyboardInterrupt:
            return True
        return False

    signal.signal(signal.SIGALRM, lambda *caught: signal.raise_signal(signal.SIGINT))
    for name, cls in all_estimators():
        if cls.__module__.split(".")[1] != sys.argv[1]:
            continue
        estimator = small(cls)
        n_samples = long_rows().get(name, 400_000)
        problem = make_problem(estimator, n_samples=n_samples, n_features=16)
        fresh = answers(small(cls).fit(problem.X, problem.y), problem.asked)
        limits, before = blas(), time.perf_counter()
        small(cls).fit(problem.X, problem.y)
        seconds, hits = time.perf_counter() - before, 0
        for share in (0.1, 0.3, 0.5, 0.7, 0.9):
            unfitted = set(vars(estimator))
            if interrupted(estimator, problem, share * seconds):
                hits += 1
                assert blas() == limits, name
                if set(vars(estimator)) == unfitted:
                    continue
                whole = answers(estimator, problem.asked)  # it struck when all was done
                assert_same_bits(fresh, whole, name + " half fitted")
            estimator = small(cls)
        again = answers(small(cls).fit(problem.X, problem.y), problem.asked)
        assert_same_bits(fresh, again, name + " after an interrupt")
        print(name, hits)
"""


CHAPTERS = {}
for name, cls in all_estimators():
    CHAPTERS.setdefault(cls.__module__.split(".")[1], []).append(name)


@pytest.mark.parametrize("chapter", CHAPTERS)
def test_interrupted_fit_leaves_nothing_behind(chapter):
    hits = dict(line.split() for line in run(INTERRUPT, chapter))
    assert list(hits) == CHAPTERS[chapter]
    assert sum(map(int, hits.values())) >= len(hits)  # most of them struck


WITHOUT_CACHE = """
    import sys, skcourse
    from skcourse.testing import answers, make_problem
    from skcourse.cluster import KMeans
    from skcourse.core.kernel import cache_base
    from skcourse.linear_model import LinearRegression
    print(skcourse.__file__)
    print(cache_base())
    for estimator in (LinearRegression(), KMeans(n_clusters=3, random_state=0)):
        problem = make_problem(estimator)
        print(answers(estimator.fit(problem.X, problem.y), problem.asked)["predict"].shape)
"""


def test_nothing_can_be_written(tmp_path):
    house = tmp_path / "installed" / "skcourse"
    shutil.copytree(
        pathlib.Path(skcourse.__file__).parent, house, ignore=shutil.ignore_patterns("__pycache__")
    )
    (tmp_path / "file").touch()
    nowhere = str(tmp_path / "file" / "below")  # cannot be made, not even by root
    for folder in [house, *filter(pathlib.Path.is_dir, house.rglob("*"))]:
        folder.chmod(0o555)
    before = sorted(house.rglob("*"))
    lines = run(
        WITHOUT_CACHE,
        cwd=tmp_path,
        PYTHONPATH=str(house.parent),
        PYTHONDONTWRITEBYTECODE="1",
        SKCOURSE_CACHE_DIR=nowhere,
        NUMBA_CACHE_DIR=nowhere,
        XDG_CACHE_HOME=nowhere,
        HOME=nowhere,
    )
    assert lines == [str(house / "__init__.py"), "None", "(20,)", "(20,)"]
    assert sorted(house.rglob("*")) == before
    for folder in [house, *filter(pathlib.Path.is_dir, house.rglob("*"))]:
        folder.chmod(0o755)


PLAIN = """
    import sys
    import joblib, numba
    from skcourse.discovery import all_estimators
    from skcourse.testing import answers, make_problem
    from tests.cases import small
    assert numba.config.DISABLE_JIT
    found = {}
    for name, cls in all_estimators():
        problem = make_problem(small(cls))
        found[name] = answers(small(cls).fit(problem.X, problem.y), problem.asked)
    joblib.dump(found, sys.argv[1])
"""


def test_plain_python_gives_the_same_answers(tmp_path):
    path = str(tmp_path / "found")
    run(PLAIN, path, NUMBA_DISABLE_JIT="1")
    for name, found in joblib.load(path).items():
        estimator = small(dict(all_estimators())[name])
        problem = make_problem(estimator)
        expected = answers(estimator.fit(problem.X, problem.y), problem.asked)
        for method, values in expected.items():
            # A compiled sum may be reordered: n eps, on data whose condition is about 100.
            tolerance = 60 * 100 * np.finfo(float).eps
            np.testing.assert_allclose(found[method], values, rtol=tolerance, atol=tolerance)


LITTLE_MEMORY = """
    import resource, sys
    import numpy as np
    from skcourse.discovery import all_estimators
    from skcourse.testing import answers, make_problem
    from tests.cases import small

    MANY, ROWS, COLUMNS = 40, 20_000, 64
    classes = [(name, cls) for name, cls in all_estimators() if name in sys.argv[2:]]
    for name, cls in classes:
        few = make_problem(small(cls), n_samples=ROWS, n_features=COLUMNS)
        small(cls).fit(few.X, few.y)  # compiles

    def memory(field):
        with open("/proc/self/status") as status:
            return next(int(line.split()[1]) for line in status if line.startswith(field)) * 1024

    X = np.memmap(sys.argv[1], np.float64, "w+", shape=(MANY * ROWS, COLUMNS))
    for i in range(MANY):
        X[i * ROWS : (i + 1) * ROWS] = few.X
    X.flush()
    del X
    X = np.memmap(sys.argv[1], np.float64, "r", shape=(MANY * ROWS, COLUMNS))
    limit = memory("VmData") + X.nbytes // 3
    resource.setrlimit(resource.RLIMIT_DATA, (limit, resource.RLIM_INFINITY))
    try:
        np.array(X)
    except MemoryError:
        print("X does not fit")
    for name, cls in classes:
        few = make_problem(small(cls), n_samples=ROWS, n_features=COLUMNS)
        y = None if few.y is None else np.tile(few.y, MANY)
        estimator = small(cls).fit(X, y)
        print(name)
        assert all(np.isfinite(values).all() for values in answers(estimator, few.asked).values())
        if "alphas" in estimator.get_params() or name == "KMeans":
            continue  # leaving out one of 40 equal rows is something else; optima are local
        expected = small(cls)
        if name.startswith("Ridge"):  # a penalty on a sum weighs the less, the more rows there are
            expected.set_params(alpha=expected.alpha / MANY)
        expected.fit(few.X, few.y)
        for method in ("predict", "decision_function", "transform"):
            if hasattr(expected, method):
                values, same = (getattr(fit, method)(few.asked) for fit in (expected, estimator))
                # A condition of 2^8, squared, and 800,000 terms: below 1e-8 of the largest.
                assert np.allclose(values, same, rtol=0, atol=1e-8 * np.abs(values).max()), name
"""


FROM_DISK = (  # those whose fit is a few passes over the rows, with an answer that copies share
    *("KMeans", "PCA", "LinearRegression", "PoissonRegressor"),
    *("Ridge", "RidgeCV", "RidgeClassifier", "RidgeClassifierCV"),
)


@pytest.mark.skipif(not os.path.exists("/proc/self/status"), reason="limits memory as Linux does")
def test_data_beyond_the_memory_allowed(tmp_path):
    lines = run(LITTLE_MEMORY, str(tmp_path / "rows"), *FROM_DISK)
    assert lines == ["X does not fit", *FROM_DISK]
