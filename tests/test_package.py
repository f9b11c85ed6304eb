"""What is shipped: the sdist makes the wheel, and the wheel holds the package and nothing else."""

import pathlib
import shutil
import subprocess
import sys
import tarfile
import tomllib
import zipfile

import pytest

HOUSE = pathlib.Path(__file__).parents[1]
SOURCES = (
    "skcourse",
    "tests",
    "examples",
    "benchmarks",
    "doc",
    "pyproject.toml",
    "setup.cfg",
    "MANIFEST.in",
    "README.md",
    "LICENSE",
    "CHANGELOG.md",
)


def build(what, source, target):
    """Run the build back end in `source`, as pip does, without its download of setuptools."""
    call = f"from setuptools.build_meta import build_{what} as b; print('\\n' + b({str(target)!r}))"
    done = subprocess.run(
        [sys.executable, "-c", call], cwd=source, capture_output=True, text=True, timeout=300
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return target / done.stdout.splitlines()[-1]


@pytest.fixture(scope="module")
def sdist(tmp_path_factory):
    """The sdist of a copy of the checkout: building leaves files behind."""
    folder = tmp_path_factory.mktemp("checkout")
    for name in SOURCES:
        if (HOUSE / name).is_dir():
            ignored = shutil.ignore_patterns("__pycache__")
            shutil.copytree(HOUSE / name, folder / name, ignore=ignored)
        elif (HOUSE / name).exists():
            shutil.copy(HOUSE / name, folder)
    return build("sdist", folder, tmp_path_factory.mktemp("sdist"))


@pytest.fixture(scope="module")
def wheel(sdist, tmp_path_factory):
    """The wheel made of the unpacked sdist, so nothing that is needed can be missing there."""
    folder = tmp_path_factory.mktemp("unpacked")
    with tarfile.open(sdist) as archive:
        archive.extractall(folder, filter="data")
    (source,) = folder.iterdir()
    return build("wheel", source, tmp_path_factory.mktemp("wheel"))


def package_files():
    """List what belongs into the wheel, as paths from the root of the checkout."""
    files = [*HOUSE.glob("skcourse/**/*.py"), HOUSE / "skcourse/py.typed"]
    return {path.relative_to(HOUSE).as_posix() for path in files}


def test_wheel_is_pure_python_and_holds_the_package_alone(wheel):
    assert wheel.name.endswith("-py3-none-any.whl")
    names = set(zipfile.ZipFile(wheel).namelist())
    assert {name for name in names if ".dist-info/" not in name} == package_files()
    assert any(name.endswith(".dist-info/licenses/LICENSE") for name in names)


def test_sdist_holds_no_tests(sdist):
    with tarfile.open(sdist) as archive:
        inside = {name.partition("/")[2] for name in archive.getnames()}
    assert package_files() | {"LICENSE", "README.md", "CHANGELOG.md", "pyproject.toml"} <= inside
    assert not {name for name in inside if name.split("/")[0] in ("tests", "benchmarks")}


def test_wheel_asks_for_four_libraries(wheel):
    with zipfile.ZipFile(wheel) as archive:
        (name,) = [n for n in archive.namelist() if n.endswith(".dist-info/METADATA")]
        lines = archive.read(name).decode().splitlines()
    asked = {line.split(": ")[1] for line in lines if line.startswith("Requires-Dist")}
    always = {line for line in asked if "extra ==" not in line}
    assert always == {"scikit-learn>=1.9", "numpy", "scipy", "numba"}
    assert "Requires-Python: >=3.11" in lines


def test_wheel_fits(wheel, tmp_path):
    """From a zip unpacked elsewhere: no path of the checkout is looked at."""
    zipfile.ZipFile(wheel).extractall(tmp_path / "site")
    call = (
        "import sys; sys.path.insert(0, sys.argv[1]); import skcourse;"
        "assert skcourse.__file__.startswith(sys.argv[1]), skcourse.__file__;"
        "from skcourse.linear_model import Ridge;"
        "print(Ridge(alpha=1.0).fit([[0.0], [1.0], [2.0]], [0.0, 1.0, 2.0]).predict([[3.0]]))"
    )
    done = subprocess.run(
        [sys.executable, "-I", "-c", call, str(tmp_path / "site")],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=300,
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout == "[2.33333333]\n"


def test_importing_skcourse_imports_no_chapter():
    call = "import sys, skcourse; print(sorted({'sklearn', 'numba', 'numpy'} & set(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", call], capture_output=True, text=True, cwd=HOUSE)
    assert done.stdout == "[]\n"


def test_the_version_is_in_the_changelog():
    import skcourse

    assert skcourse.__version__ in (HOUSE / "CHANGELOG.md").read_text()
    project = tomllib.loads((HOUSE / "pyproject.toml").read_text())["project"]
    assert "version" in project["dynamic"]
