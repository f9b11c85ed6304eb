"""What runs here: versions, BLAS, cores, where machine code is kept. For bug reports."""

import importlib.metadata
import platform

from threadpoolctl import threadpool_info

import skcourse
from skcourse.core.chunks import available_cores, count_threads
from skcourse.core.kernel import cache_base

LIBRARIES = ("numpy", "scipy", "scikit-learn", "numba")


def versions():
    """Return what runs here, a dict of str by name.

    Examples
    --------
    >>> from skcourse.versions import versions
    >>> "numba" in versions()
    True
    """
    found = {"skcourse": skcourse.__version__}
    found["python"] = f"{platform.python_version()}, {platform.system()} {platform.machine()}"
    found |= {name: importlib.metadata.version(name) for name in LIBRARIES}
    found["BLAS"] = "; ".join(sorted(set(map(blas, threadpool_info())) - {""})) or "unknown"
    found["cores"] = f"{available_cores()}, of which {count_threads()} used"
    found["cache"] = str(cache_base() or "none: no folder can be written")
    return found


def blas(library):
    """Describe one library that threadpoolctl found; "" if it is no BLAS."""
    if library["user_api"] != "blas":
        return ""
    kind = library.get("architecture")
    return f"{library['internal_api']} {library['version']}" + (f" ({kind})" if kind else "")


def print_versions():
    """Print what runs here, one line each."""
    found = versions()
    width = max(map(len, found))
    for name, value in found.items():
        print(f"{name:<{width}}  {value}")
