"""How the house is built: who may import whom, what a kernel looks like, what an import costs."""

import ast
import pathlib
import subprocess
import sys

import pytest

import skcourse

HOUSE = pathlib.Path(skcourse.__file__).parent
FILES = sorted(HOUSE.rglob("*.py"))
TREES = {path: ast.parse(path.read_text()) for path in FILES}
EVERYWHERE = {"numpy", "scipy", "numba", "sklearn", "joblib", "threadpoolctl", "skcourse"}
# Loaded by the one function that needs it, or by a module that says so.
AT_NEED = {
    "matplotlib": {"inspection/axes.py", "tour/pictures.py", "tour/__init__.py"},
    "hypothesis": {"testing/strategies.py"},
    "pytest": {"testing/cases.py"},
    "pandas": {"inspection/table.py"},
}
# Chapters that use what others offer to everybody, `from skcourse.cluster import KMeans`.
FRONT_DOORS = {"mixture": {"cluster"}, "inspection": {"cluster"}, "ensemble": {"linear_model"}}
# A chapter that stands on the engine of another: ensembles are made of trees.
STANDS_ON = {"ensemble": {"tree"}}
ids = [str(path.relative_to(HOUSE)) for path in FILES]


def imports(tree):
    """Yield (module, names, line) of every import in the tree; names is empty for `import x`."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from ((alias.name, [], node.lineno) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            yield "." * node.level + (node.module or ""), [a.name for a in node.names], node.lineno


def floor(path):
    """Return the first folder of a file below the house, or its own name."""
    return path.relative_to(HOUSE).parts[0].removesuffix(".py")


@pytest.mark.parametrize("path", FILES, ids=ids)
def test_private_names_of_others_pass_one_door(path):
    if path == HOUSE / "core" / "validation.py":
        return
    for module, names, line in imports(TREES[path]):
        if module.split(".")[0] == "sklearn":
            private = [part for part in [*module.split("."), *names] if part.startswith("_")]
            assert not private, f"line {line}: {private}"


@pytest.mark.parametrize("path", FILES, ids=ids)
def test_nothing_imports_upwards_or_across(path):
    here = floor(path)
    for module, names, line in imports(TREES[path]):
        assert not module.startswith("."), f"line {line}: name the module in full"
        parts = module.split(".")
        if parts[0] != "skcourse":
            continue
        reached = {parts[1]} if len(parts) > 1 else set(names) - {"__version__", "CHAPTERS"}
        if here == "core":
            assert reached <= {"core"}, f"line {line}: core imports {reached}"
        if here in skcourse.CHAPTERS:
            across = reached & FRONT_DOORS.get(here, set()) if len(parts) == 2 else set()
            below = {"core", here} | STANDS_ON.get(here, set())
            assert reached <= below | across, f"line {line}: {here} imports {reached}"
        if here == "testing":
            assert reached <= {"core", "testing"}, f"line {line}: testing imports {reached}"


@pytest.mark.parametrize("path", FILES, ids=ids)
def test_no_chapter_calls_its_namesake(path):
    for module, _, line in imports(TREES[path]):
        if floor(path) in skcourse.CHAPTERS:
            assert not module.startswith(f"sklearn.{floor(path)}"), f"line {line}: {module}"


@pytest.mark.parametrize("path", FILES, ids=ids)
def test_only_what_is_promised_is_needed(path):
    for module, _, line in imports(TREES[path]):
        package = module.split(".")[0]
        if package in EVERYWHERE or package in sys.stdlib_module_names:
            continue
        allowed = AT_NEED.get(package, set())
        assert str(path.relative_to(HOUSE)) in allowed, f"line {line}: {module}"


@pytest.mark.parametrize("path", FILES, ids=ids)
def test_no_kernel_starts_threads_of_its_own(path):
    keywords = [node for node in ast.walk(TREES[path]) if isinstance(node, ast.keyword)]
    assert not [k for k in keywords if k.arg == "parallel"], "parallel=True does not survive a fork"
    assert "prange" not in path.read_text()


def kernels(tree):
    """Yield the functions decorated with @kernel or @kernel(...)."""
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef):
            names = [d.func if isinstance(d, ast.Call) else d for d in node.decorator_list]
            if any(isinstance(name, ast.Name) and name.id == "kernel" for name in names):
                yield node


@pytest.mark.parametrize("path", FILES, ids=ids)
def test_kernels_are_explained_and_short_of_arguments(path):
    for function in kernels(TREES[path]):
        assert ast.get_docstring(function), function.name
        assert len(function.args.args) <= 8, f"{function.name}: group them in a NamedTuple"
        assert not function.args.kwonlyargs and not function.args.vararg, function.name


def test_there_are_kernels():
    assert sum(1 for tree in TREES.values() for _ in kernels(tree)) > 10


@pytest.mark.parametrize("path", FILES, ids=ids)
def test_a_module_can_be_read_at_one_sitting(path):
    assert len(path.read_text().splitlines()) <= 400, "two algorithms: split it"
    assert ast.get_docstring(TREES[path]) or not TREES[path].body, "no docstring"


def run(code):
    """Run the code in a new process and return what it prints."""
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, timeout=120, check=False
    )
    assert done.returncode == 0, done.stderr
    return done.stdout.split()


def test_import_of_the_package_is_next_to_nothing():
    heavy = "{'numpy', 'numba', 'scipy', 'sklearn', 'matplotlib', 'pandas', 'hypothesis'}"
    assert run(f"import sys, skcourse; print(*{heavy} & set(sys.modules))") == []


COMPILED = """
import gc, importlib
importlib.import_module("skcourse.{chapter}")
from numba.core.dispatcher import Dispatcher
found = [d for d in gc.get_objects() if isinstance(d, Dispatcher)]
found = [d for d in found if d.py_func.__module__.startswith("skcourse")]
assert found
print(*[d.py_func.__name__ for d in found if d.overloads])
"""


@pytest.mark.parametrize("chapter", skcourse.CHAPTERS)
def test_import_of_a_chapter_compiles_nothing(chapter):
    assert run(COMPILED.format(chapter=chapter)) == []


def test_testing_needs_neither_hypothesis_nor_pytest_to_be_imported():
    code = "import sys, skcourse.testing; print(*{'hypothesis', 'pytest'} & set(sys.modules))"
    assert run(code) == []
