"""scikit-learn's own tests pass with our classes in the place of theirs."""

import pathlib
import subprocess
import sys

from tests.upstream.exclusions import EXCLUDED
from tests.upstream.plugin import Score, Substitution

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


def test_score_tells_excuses_from_failures():
    score = Score(Substitution([]), {"cluster/test_birch::test_x[*]": "because"})
    for test, outcome in {"x[1]": "passed", "x[2]": "failed", "y": "passed", "z": "failed"}.items():
        score.outcomes[f"lib/sklearn/cluster/tests/test_birch.py::test_{test}"] = outcome
        score.used[f"lib/sklearn/cluster/tests/test_birch.py::test_{test}"] = test != "z"
    assert list(score.results().values()) == ["stale", "excluded", "passed", "not about us"]
    table, share = score.report()
    assert share == 0.5
    assert "stale: cluster/test_birch::test_x[1]" in table
