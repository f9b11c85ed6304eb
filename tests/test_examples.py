"""Every example runs from a folder of its own, with matplotlib and without."""

import pathlib
import subprocess
import sys

import pytest

HOUSE = pathlib.Path(__file__).parents[1]
EXAMPLES = sorted((HOUSE / "examples").glob("*.py"))
WITHOUT = "import runpy, sys; sys.modules['matplotlib'] = None; runpy.run_path(sys.argv[1])"


def run(folder, *arguments):
    """Run Python in `folder` with `arguments`; return what it printed."""
    command = [sys.executable, "-W", "error::DeprecationWarning:__main__", *arguments]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def test_there_are_examples():
    assert EXAMPLES


@pytest.mark.parametrize("example", EXAMPLES, ids=lambda path: path.stem)
def test_runs_and_writes_the_pictures_that_it_names(example, tmp_path):
    if "matplotlib" in example.read_text():
        pytest.importorskip("matplotlib")
    printed = run(tmp_path, str(example))
    named = {line.split()[-1] for line in printed.splitlines() if line.startswith("wrote ")}
    assert printed
    assert {path.name for path in tmp_path.iterdir()} == named


@pytest.mark.parametrize(
    "example", [e for e in EXAMPLES if "matplotlib" in e.read_text()], ids=lambda path: path.stem
)
def test_runs_without_matplotlib(example, tmp_path):
    assert "No picture" in run(tmp_path, "-c", WITHOUT, str(example))
    assert not list(tmp_path.iterdir())
