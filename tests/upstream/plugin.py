"""A pytest plugin that puts our public names into scikit-learn's packages and keeps the score."""

import functools
import importlib
import inspect
from collections import Counter
from fnmatch import fnmatchcase

from sklearn.base import BaseEstimator

from tests.upstream.exclusions import LENT

ENTRANCES = ("__init__", "fit", "fit_predict", "fit_transform", "partial_fit")


class Substitution:
    """Our classes and functions in scikit-learn's public packages; `n_calls` counts their uses."""

    def __init__(self, chapters):
        self.n_calls = 0
        self.names = []
        for chapter in chapters:
            ours = importlib.import_module(f"skcourse.{chapter}")
            theirs = importlib.import_module(f"sklearn.{chapter}")
            for name in ours.__all__:
                if hasattr(theirs, name):
                    self.lend(getattr(ours, name), getattr(theirs, name))
                    setattr(theirs, name, self.counted(getattr(ours, name)))
                    self.names.append(f"{chapter}.{name}")

    def lend(self, ours, theirs):
        """Give our class what their tests ask of the private parts of theirs."""
        for private in LENT.get(theirs.__name__, ()):
            setattr(ours, private, getattr(theirs, private))

    def counted(self, member):
        """Return the class, or the function, so that its use is noticed."""
        if not inspect.isclass(member):
            return self.noticed(member)
        if issubclass(member, BaseEstimator):
            for name in ENTRANCES:
                if inspect.isfunction(method := getattr(member, name, None)):
                    setattr(member, name, self.noticed(method))
        return member

    def noticed(self, function):
        """Return `function`, counting its calls, with its name and signature."""

        @functools.wraps(function)
        def call(*args, **kwargs):
            self.n_calls += 1
            return function(*args, **kwargs)

        return call


class Score:
    """What became of each test: passed, failed, skipped, excluded, stale, or not about us.

    "Not about us" are the tests in which none of our names was used: most of them are of private
    functions, or of classes that we do not have.
    """

    def __init__(self, substitution, excluded):
        self.substitution, self.excluded = substitution, excluded
        self.outcomes = {}
        self.used = {}
        self.messages = {}

    def pytest_runtest_setup(self, item):
        """Remember the calls so far; fixtures count too."""
        self.used[item.nodeid] = self.substitution.n_calls

    def pytest_runtest_teardown(self, item):
        """See whether the test has used us."""
        before = self.used.get(item.nodeid, self.substitution.n_calls)
        self.used[item.nodeid] = self.substitution.n_calls > before

    def pytest_runtest_logreport(self, report):
        """Note the worst of setup, call and teardown."""
        key = report.nodeid
        if report.failed:
            self.outcomes[key] = "failed"
            crash = getattr(report.longrepr, "reprcrash", None)
            self.messages[key] = " ".join(crash.message.split())[:200] if crash else ""
        elif report.skipped or report.when == "call":
            self.outcomes.setdefault(key, "skipped" if report.skipped else "passed")

    def results(self):
        """Return the outcome of each test by its short name "chapter/module::test"."""
        results = {}
        for nodeid, outcome in self.outcomes.items():
            name = short(nodeid)
            if any(fnmatchcase(name, literal(pattern)) for pattern in self.excluded):
                outcome = {"failed": "excluded", "passed": "stale"}.get(outcome, outcome)
            elif outcome != "skipped" and not self.used.get(nodeid):
                outcome = "not about us"
            results[name] = outcome
        return results

    def report(self):
        """Return the table, the failures, and the share of the tests about us that passes."""
        results = self.results()
        columns = ["passed", "failed", "stale", "excluded", "not about us", "skipped"]
        modules = sorted({name.split("::")[0] for name in results})
        lines = [" " * 30 + "".join(f"{column:>14}" for column in columns)]
        for module in [*modules, ""]:
            count = Counter(outcome for name, outcome in results.items() if name.startswith(module))
            lines.append(
                f"{module or 'all':30}" + "".join(f"{count[column]:14}" for column in columns)
            )
        bad = [name for name, outcome in results.items() if outcome in ("failed", "stale")]
        messages = {short(nodeid): text for nodeid, text in self.messages.items()}
        lines += [f"{results[name]}: {name}  {messages.get(name, '')}" for name in bad]
        n_passed = sum(outcome == "passed" for outcome in results.values())
        share = n_passed / max(n_passed + len(bad), 1)
        lines.append(f"{n_passed} of {n_passed + len(bad)} passed with our classes: {share:.2%}")
        return "\n".join(lines), share


def short(nodeid):
    """Return "cluster/test_birch::test[x]" of ".../cluster/tests/test_birch.py::test[x]"."""
    path, _, test = nodeid.partition("::")
    chapter, _, module = path.rpartition("sklearn/")[2].partition("/tests/")
    return f"{chapter}/{module.removesuffix('.py')}::{test}"


def literal(pattern):
    """Let the brackets of test parameters stand for themselves, and only * and ? be wild."""
    return pattern.replace("[", "[[]")
