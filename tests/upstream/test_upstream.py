"""scikit-learn's own tests pass with our classes in the place of theirs."""

import pathlib
import subprocess
import sys

from tests.upstream.exclusions import EXCLUDED

ROOT = pathlib.Path(__file__).parents[2]


def test_their_tests_pass_with_our_classes():
    run = subprocess.run(
        [sys.executable, "-m", "tests.upstream", "--at-least", "1"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=600,
    )
    print(run.stdout[-8000:], run.stderr[-2000:])
    assert run.returncode == 0


def test_every_exclusion_has_a_reason():
    assert all(len(reason.split()) > 3 for reason in EXCLUDED.values())
