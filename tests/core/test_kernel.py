"""The cache of machine code: it is used, it cannot go stale, and trouble with it is no trouble."""

import os
import subprocess
import sys
import textwrap

import numba
import numpy as np
import pytest

from skcourse.core.kernel import cache_base, imported_files, kernel, source_key

needs_jit = pytest.mark.skipif(
    bool(numba.config.DISABLE_JIT), reason="there is no cache without JIT"
)


@kernel
def total(x):
    """Return the sum of x."""
    s = np.float64(0)  # a plain 0.0 would take the type of x where there is no JIT
    for i in range(len(x)):
        s += x[i]
    return s


@kernel(exact=True)
def rounding_error(a, b):
    """Return the exact error of fl(a + b) for |a| >= |b| (Dekker's two-sum)."""
    s = a + b
    return b - (s - a)


@kernel
def count_nan(x):
    """Return how many NaNs x holds."""
    n = 0
    for i in range(len(x)):
        n += np.isnan(x[i])
    return n


def run(folder, *lines, **environment):
    """Run lines of Python in a new process, started in `folder`; return what they print."""
    done = subprocess.run(
        [sys.executable, "-c", "\n".join(lines)],
        cwd=folder,
        env={**os.environ, "PYTHONDONTWRITEBYTECODE": "1", **environment},
        capture_output=True,
        text=True,
        timeout=300,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout.split()


def write(path, text):
    """Write a module."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(textwrap.dedent(text))


@pytest.fixture
def caller(tmp_path):
    """A package in which a kernel calls one of another file, and takes a constant from a third."""
    write(tmp_path / "course" / "__init__.py", "")
    write(tmp_path / "course" / "constants.py", "STEP = 1\n")
    write(
        tmp_path / "course" / "inner.py",
        """
        from skcourse.core.kernel import kernel
        from . import constants
        STEP = constants.STEP

        @kernel
        def inner(x):
            return x + STEP
        """,
    )
    write(
        tmp_path / "course" / "outer.py",
        """
        from course.inner import inner
        from skcourse.core.kernel import kernel

        @kernel
        def outer(x):
            return 10 * inner(x)
        """,
    )
    return tmp_path


@needs_jit
def test_second_process_loads_what_the_first_compiled(caller, tmp_path):
    cache = {"SKCOURSE_CACHE_DIR": str(tmp_path / "cache")}
    ask = [
        "import course.outer as o",
        "seen = []",
        "save = o.outer._cache.save_overload",
        "o.outer._cache.save_overload = lambda *a: (seen.append(1), save(*a))",
        "print(o.outer(1), len(seen))",
    ]
    assert run(caller, *ask, **cache) == ["20", "1"]
    assert run(caller, *ask, **cache) == ["20", "0"]


@needs_jit
@pytest.mark.parametrize(
    ("changed", "old", "new", "expected"),
    [
        ("inner.py", "x + STEP", "x - STEP", "0"),
        ("constants.py", "STEP = 1", "STEP = 5", "60"),
        ("outer.py", "10 *", "7 *", "14"),
    ],
)
def test_change_in_another_file_is_seen(caller, tmp_path, changed, old, new, expected):
    cache = {"SKCOURSE_CACHE_DIR": str(tmp_path / "cache")}
    ask = ["from course.outer import outer", "print(outer(1))"]
    assert run(caller, *ask, **cache) == ["20"]
    path = caller / "course" / changed
    path.write_text(path.read_text().replace(old, new))
    assert run(caller, *ask, **cache) == [expected]


@needs_jit
def test_damaged_cache_is_compiled_anew(caller, tmp_path):
    cache = {"SKCOURSE_CACHE_DIR": str(tmp_path / "cache")}
    ask = ["from course.outer import outer", "print(outer(1))"]
    run(caller, *ask, **cache)
    files = list((tmp_path / "cache").rglob("*.nbc"))
    assert files
    for path in files:
        path.write_bytes(path.read_bytes()[:100])
    assert run(caller, *ask, **cache) == ["20"]


@pytest.mark.parametrize("place", ["/dev/null/nowhere", "file/below"])
def test_nothing_can_be_written(caller, tmp_path, place):
    (tmp_path / "file").write_text("not a folder")
    nowhere = str(tmp_path / place)
    environment = dict.fromkeys(["SKCOURSE_CACHE_DIR", "NUMBA_CACHE_DIR", "HOME"], nowhere)
    environment["XDG_CACHE_HOME"] = nowhere
    ask = [
        "from skcourse.core.kernel import cache_base",
        "from course.outer import outer",
        "print(outer(1), cache_base())",
    ]
    assert run(caller, *ask, **environment) == ["20", "None"]


@needs_jit
def test_disk_full_is_no_error(caller, tmp_path):
    ask = [
        "import os, skcourse.core.kernel as k",
        "def full(*a, **k): raise OSError(28, 'No space left on device')",
        "from course.outer import outer",
        "os.replace = full",
        "print(outer(1))",
    ]
    assert run(caller, *ask, SKCOURSE_CACHE_DIR=str(tmp_path / "cache")) == ["20"]
    assert not list((tmp_path / "cache").rglob("*.part"))


def test_plain_python_without_jit(caller, tmp_path):
    ask = ["from course.outer import outer", "print(outer(1), type(outer).__name__)"]
    assert run(caller, *ask, NUMBA_DISABLE_JIT="1") == ["20", "function"]


@needs_jit
@pytest.mark.parametrize("variable", ["SKCOURSE_CACHE_DIR", "NUMBA_CACHE_DIR"])
def test_cache_lies_where_it_is_told(caller, tmp_path, variable):
    environment = {
        "SKCOURSE_CACHE_DIR": "",
        "NUMBA_CACHE_DIR": "",
        variable: str(tmp_path / "here"),
    }
    run(caller, "from course.outer import outer", "outer(1)", **environment)
    assert list((tmp_path / "here").rglob("outer-*.nbc"))
    assert not list((caller / "course").rglob("*.nbc"))


@needs_jit
def test_what_nobody_uses_is_removed(caller, tmp_path):
    cache = tmp_path / "cache"
    old, recent, foreign = cache / ("a" * 24), cache / ("b" * 24), cache / "somebody-elses"
    for folder in (old, recent, foreign):
        folder.mkdir(parents=True)
        (folder / "x-1.nbc").write_text("")
    for folder in (old, foreign):
        os.utime(folder, (1e9, 1e9))
    run(caller, "from course.outer import outer", "outer(1)", SKCOURSE_CACHE_DIR=str(cache))
    assert not old.exists()
    assert recent.exists()
    assert foreign.exists()


def test_key_follows_imports_of_every_form(tmp_path):
    write(tmp_path / "p" / "__init__.py", "")
    for name in ("a", "b", "c", "d", "e", "inner/__init__", "other/__init__"):
        write(tmp_path / "p" / f"{name}.py", "")
    write(
        tmp_path / "p" / "top.py",
        """
        import p.a
        import p.b as bee, numpy
        from p import (
            c,
        )
        from .d import nothing
        from . import e
        from p import inner
        from . import other
        """,
    )
    top = tmp_path / "p" / "top.py"
    found = {
        os.path.relpath(f, tmp_path / "p")
        for f in imported_files(str(top), top.read_text(), tmp_path)
    }
    assert found >= {"a.py", "b.py", "c.py", "d.py", "e.py"}
    assert found >= {os.path.join(name, "__init__.py") for name in ("inner", "other")}


def test_key_depends_on_the_source(tmp_path):
    path = tmp_path / "m.py"
    path.write_text("x = 1")
    first = source_key(str(path))
    path.write_text("x = 2")
    source_key.cache_clear()
    assert source_key(str(path)) != first


def test_exact_keeps_a_compensated_sum():
    assert rounding_error(1.0, 1e-20) == 1e-20


def test_kernel_called_by_a_kernel_is_called_from_python_too():
    @kernel
    def twice(x):
        """Return 2 x."""
        return 2 * x

    @kernel
    def four_times(x):
        """Return 4 x."""
        return twice(twice(x))

    assert four_times(1.5) == 6.0
    assert twice(1.5) == 3.0
    assert four_times(2) == 8


def test_kernel_that_makes_arrays_may_be_called_by_one_that_counts_none():
    @kernel(counted=True)
    def total_of_copy(x):
        """Return sum_i x_i."""
        return total(x.copy())

    @kernel(counted=False)
    def double_total(x):
        """Return 2 sum_i x_i."""
        return 2 * total_of_copy(x)

    x = np.arange(5.0)
    before = sys.getrefcount(x)
    assert double_total(x) == 20.0
    assert sys.getrefcount(x) == before


def test_nan_stays_visible():
    assert count_nan(np.array([1.0, np.nan, np.inf])) == 1


def test_division_by_zero_is_ieee():
    @kernel
    def ratio(a, b):
        """Return a / b."""
        return a / b

    with np.errstate(divide="ignore"):
        assert ratio(np.float64(1.0), np.float64(0.0)) == np.inf


def test_sum_is_right_for_both_dtypes():
    for dtype in (np.float32, np.float64):
        assert total(np.full(1000, 0.1, dtype)) == pytest.approx(100.0, rel=1e-6)


def test_base_is_a_folder_or_none():
    assert cache_base() is None or cache_base().is_dir()
