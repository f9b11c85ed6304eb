"""Run scikit-learn's shipped tests with our classes in the place of theirs.

``python -m tests.upstream --help`` lists the options.
"""

import argparse
import os
import pathlib
import sys

import pytest
import sklearn

from tests.upstream.exclusions import EXCLUDED, MODULES, TOGETHER
from tests.upstream.plugin import Score, Substitution


def main():
    """Run the modules; print the table; exit 0 if the share that passes is large enough."""
    parser = argparse.ArgumentParser(prog="python -m tests.upstream", description=__doc__)
    parser.add_argument(
        "modules", nargs="*", help="parts of module names, such as ridge; default: all"
    )
    parser.add_argument("-k", default="", help="as in pytest: which tests")
    parser.add_argument(
        "--at-least", type=float, default=1.0, help="share that has to pass, default 1"
    )
    parser.add_argument("--verbose", action="store_true", help="show the tracebacks too")
    options = parser.parse_args()
    modules = [
        module
        for module in MODULES
        if not options.modules or any(part in module for part in options.modules)
    ]
    if not modules:
        parser.error(f"no such module; there are {', '.join(MODULES)}")
    share = run(modules, options.k, options.verbose)
    sys.exit(share < options.at_least)


def run(modules, k="", verbose=False):
    """Run the test modules and return the share that passes."""
    chapters = {module.split(".")[1] for module in modules}
    substitution = Substitution(sorted(chapters | (TOGETHER if chapters & TOGETHER else set())))
    print("in the place of scikit-learn's:", ", ".join(substitution.names), flush=True)
    score = Score(substitution, EXCLUDED)
    home = pathlib.Path(sklearn.__file__).parent
    arguments = ["-q", "--disable-warnings", "-p", "no:cacheprovider", "-c", os.devnull]
    arguments += ["--import-mode=importlib", f"--rootdir={home.parent}", f"--confcutdir={home}"]
    arguments += ["--tb=short" if verbose else "--tb=no", "--no-summary" if not verbose else "-rN"]
    arguments += ["-k", k, "--pyargs", *modules]
    code = pytest.main(arguments, plugins=[score])
    table, share = score.report()
    print(table)
    if code not in (pytest.ExitCode.OK, pytest.ExitCode.TESTS_FAILED):
        sys.exit(f"pytest did not run the tests: {code!r}")
    return share


if __name__ == "__main__":
    main()
