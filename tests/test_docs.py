"""What the README says of the estimators is true of the package."""

import importlib
import inspect
import pathlib
import re

import skcourse
from skcourse.discovery import all_estimators
from skcourse.tour.cases import namesake

HOUSE = pathlib.Path(__file__).parents[1]
PAGES = [HOUSE / "README.md", HOUSE / "CHANGELOG.md", *sorted(HOUSE.glob("doc/*.md"))]
ROW = re.compile(r"^\| `(?P<path>[\w.]+)` \| (`(?P<theirs>[\w.]+)`|none) \| .*\|$", re.MULTILINE)


def test_readme_lists_every_estimator_and_its_namesake():
    table = {row["path"]: row["theirs"] for row in ROW.finditer((HOUSE / "README.md").read_text())}
    there = {f"{cls.__module__.split('.')[1]}.{name}": cls for name, cls in all_estimators()}
    assert set(table) == set(there)
    for path, theirs in table.items():
        chapter, name = path.split(".")
        assert getattr(getattr(skcourse, chapter), name) is there[path]
        if theirs is None:
            assert namesake(there[path]) is None
        else:
            module, _, name = theirs.rpartition(".")
            assert getattr(importlib.import_module(module), name) is namesake(there[path])


def test_changelog_names_every_estimator():
    text = (HOUSE / "CHANGELOG.md").read_text()
    assert [name for name, _ in all_estimators() if f"`{name}`" not in text] == []


def test_docstrings_are_laid_out_as_numpydoc_wants():
    for name, cls in all_estimators():
        text = inspect.getdoc(cls)
        assert text.splitlines()[1] == "", name
        assert all(f"\n{part}\n---" in text for part in ("Parameters", "Attributes", "Examples"))
        parameters = text.partition("\nAttributes\n")[0]
        missing = [
            parameter
            for parameter in inspect.signature(cls).parameters
            if not re.search(rf"^(\w+, )*{parameter}(, \w+)* : ", parameters, re.MULTILINE)
        ]
        assert not missing, name


def test_readme_can_be_read_in_a_minute():
    """All but the table, in which one looks up."""
    text = (HOUSE / "README.md").read_text()
    assert len(ROW.sub("", text).split()) < 600
    assert all(len(row.group().split()) < 30 for row in ROW.finditer(text))


def test_links_within_the_house_lead_somewhere():
    for page in PAGES:
        for link in re.findall(r"\]\(([^)#]+)\)", page.read_text()):
            assert link.startswith("https://") or (page.parent / link).exists(), (page.name, link)


def test_files_that_the_pages_name_exist():
    for page in PAGES:
        for path in re.findall(
            r"`((?:skcourse|tests|benchmarks|doc|examples)/[\w./]+)`", page.read_text()
        ):
            assert (HOUSE / path).exists(), (page.name, path)
