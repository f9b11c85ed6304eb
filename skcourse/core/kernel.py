"""The one way to compile a loop, and a cache of machine code that cannot go stale.

A kernel is compiled by numba at its first call and kept on disk. numba's own cache looks only at
the file of the kernel itself: change a function, or a constant, that it takes from another file,
and the old machine code stays in use (numba issue 1833). Here the folder of a kernel is named after
a hash of its file, of every file that this one imports from the same package or from skcourse, and
so on, and of the versions of numba and Python. A change of any of them is a new folder; the old one
is never looked at again.

The cache lies in ``SKCOURSE_CACHE_DIR``, else ``NUMBA_CACHE_DIR``, else the user's cache folder.
Where none of them can be written, or a file in it is damaged, the kernel is compiled without one.
``NUMBA_DISABLE_JIT=1`` leaves every kernel a plain Python function.
"""

import contextlib
import functools
import hashlib
import os
import pathlib
import pickle
import platform
import re
import shutil
import tempfile
import time
import uuid

import numba
from numba.core.caching import CompileResultCacheImpl, FunctionCache
from numba.core.serialize import dumps
from numba.misc.appdirs import AppDirs

FASTMATH = {"reassoc", "contract"}  # a long sum may be reordered; NaN and inf stay visible
IMPORT = re.compile(
    r"^\s*(?:from\s+([.\w]+)\s+import\s+(\([^)]*\)|[^\n]*)|import\s+([^\n]*))", re.MULTILINE
)
KEEP_DAYS = 60  # a folder of machine code that is not used any more
HOUSE = pathlib.Path(__file__).resolve().parents[1]


def kernel(function=None, *, exact=False, counted=None, inlined=False):
    """Compile `function` with the house's settings, when it is first called.

    Parameters
    ----------
    function : callable
        Arrays, numbers and NamedTuples of them in; it writes into the arrays that it was given.
    exact : bool, default=False
        Keep the order of additions as written: for compensated sums, certificates and log-sum-exp.
    counted : bool or None, default=None
        Whether it counts who refers to its arrays. One that makes none (views it may make), and
        returns none, need not: False spares the time, in running and in compiling. None: as the
        kernel does from which it is called; so what is called from such a one and makes arrays,
        must say True.
    inlined : bool, default=False
        True: becomes part of whoever calls it. A NamedTuple of arrays is otherwise handed over
        number by number, which takes a few hundred nanoseconds.

    Returns
    -------
    kernel : callable
        Releases the GIL. With ``NUMBA_DISABLE_JIT=1`` it is `function` itself.

    Examples
    --------
    >>> import numpy as np
    >>> from skcourse.core.kernel import kernel
    >>> @kernel
    ... def total(x):
    ...     s = 0.0
    ...     for i in range(len(x)):
    ...         s += x[i]
    ...     return s
    >>> total(np.ones(3))
    3.0
    """
    if function is None:
        return functools.partial(kernel, exact=exact, counted=counted, inlined=inlined)
    options = {"nogil": True, "error_model": "numpy", "no_cfunc_wrapper": True}
    options["fastmath"] = False if exact else FASTMATH
    options["forceinline"] = inlined
    if counted is not None:
        options["_nrt"] = counted
    dispatcher = numba.njit(**options)(function)
    if dispatcher is not function:
        keep_on_disk(dispatcher, "")
        twin = Twin(function, options)
        dispatcher.get_call_template = twin.get_call_template
        dispatcher.get_overload = twin.get_overload
    return dispatcher


class Twin:
    """What other kernels call: the same, without the code by which Python hands over its arrays.

    That code takes as long to compile as the loop itself where a kernel is given many arrays, and
    most kernels are called from kernels only. A twin is not called from Python: it has no way in.
    """

    def __init__(self, function, options):
        self.function, self.options = function, options

    @functools.cached_property
    def dispatcher(self):
        """What numba makes of the function, when it is first asked for."""
        within = numba.njit(no_cpython_wrapper=True, **self.options)(self.function)
        keep_on_disk(within, "within")
        return within

    def get_call_template(self, args, kws):
        """Tell numba's type inference which signature a call has, and compile it."""
        return self.dispatcher.get_call_template(args, kws)

    def get_overload(self, signature):
        """Tell numba what a call of that signature calls."""
        return self.dispatcher.get_overload(signature)


def keep_on_disk(dispatcher, kind):
    """Give a compiled function its cache, if there is a folder for it."""
    base, function = cache_base(), dispatcher.py_func
    source = pathlib.Path(function.__code__.co_filename)
    if base is not None and source.is_file():
        dispatcher._cache = KernelCache(function, base / source_key(str(source.resolve())), kind)


@functools.cache
def cache_base():
    """Return the first of the cache folders that can be written, or None."""
    choices = [
        os.environ.get("SKCOURSE_CACHE_DIR"),
        numba.config.CACHE_DIR and os.path.join(numba.config.CACHE_DIR, "skcourse"),
        AppDirs(appname="skcourse", appauthor=False).user_cache_dir,
    ]
    for folder in filter(None, choices):
        with contextlib.suppress(OSError):
            os.makedirs(folder, exist_ok=True)
            tempfile.TemporaryFile(dir=folder).close()
            return pathlib.Path(folder)
    return None


@functools.cache
def source_key(path):
    """Hash the file at `path`, what it imports of its package and of skcourse, and the versions."""
    seen, todo = {}, [path]
    root = package_root(pathlib.Path(path))
    while todo:
        current = todo.pop()
        if current in seen:
            continue
        seen[current] = pathlib.Path(current).read_bytes()
        todo += imported_files(current, seen[current].decode(errors="replace"), root)
    digest = hashlib.sha256(repr((numba.__version__, platform.python_version())).encode())
    for name in sorted(seen):
        digest.update(name.encode() + b"\0" + hashlib.sha256(seen[name]).digest())
    return digest.hexdigest()[:24]


def package_root(path):
    """Return the folder above the topmost package of the module at `path`."""
    folder = path.parent
    while (folder / "__init__.py").is_file():
        folder = folder.parent
    return folder


def imported_files(path, text, root):
    """List the files that `text`, the module at `path`, imports from below `root` or the house."""
    found = []
    for origin, names, plain in IMPORT.findall(text):
        for module in [origin] if origin else re.findall(r"[\w.]+", plain):
            dots = len(module) - len(module.lstrip("."))
            bases = [pathlib.Path(path).parents[dots - 1]] if dots else [root, HOUSE.parent]
            for base in dict.fromkeys(bases):
                target = base.joinpath(*module.split("."))
                members = re.findall(r"\w+", names) if origin else []
                candidates = [target.parent / f"{target.name}.py", target / "__init__.py"]
                candidates += [target / f"{member}.py" for member in members]
                candidates += [target / member / "__init__.py" for member in members]
                found += [str(candidate) for candidate in candidates if candidate.is_file()]
    return found


class KernelCache(FunctionCache):
    """One file per kernel and signature, in a folder named after the sources.

    numba keeps an index per kernel, and two processes that write it at once can leave one that
    points to the machine code of another signature. Here the name of a file is a hash of its
    signature, and any trouble in reading or writing means compiling.
    """

    def __init__(self, function, folder, kind):
        self._py_func = function
        self._name = f"{function.__module__}.{function.__qualname__}{kind}"
        self._folder = folder
        self._cache_path = str(folder)
        self._impl = CompileResultCacheImpl.__new__(CompileResultCacheImpl)
        self._enabled = True

    def path(self, key):
        """Return the file for `key`, which holds the signature, the processor and the bytecode."""
        whole = (self._name, self._py_func.__code__.co_firstlineno, key)
        digest = hashlib.sha256(repr(whole).encode())
        return self._folder / f"{self._py_func.__name__}-{digest.hexdigest()[:24]}.nbc"

    def load_overload(self, sig, target_context):
        """Return the compiled result for `sig`, or None where there is none that can be read."""
        target_context.refresh()
        if not self._enabled:
            return None
        key = self._index_key(sig, target_context.codegen())
        try:
            with open(self.path(key), "rb") as file:
                found = self._impl.rebuild(target_context, pickle.load(file))
        except Exception:  # no file; or a damaged one, which may raise anything in unpickling
            return None
        with contextlib.suppress(OSError):
            os.utime(self._folder)  # still in use: see `remove_unused`
        return found

    def save_overload(self, sig, data):
        """Write the compiled result, whole or not at all; a full or read-only disk is no error."""
        if not self._enabled or data.lifted or data.library.has_dynamic_globals:
            return
        path = self.path(self._index_key(sig, data.codegen))
        part = path.with_suffix(f".{os.getpid()}-{uuid.uuid4().hex[:8]}.part")
        try:
            if not self._folder.is_dir():
                os.makedirs(self._folder, exist_ok=True)
                remove_unused(self._folder.parent)
            part.write_bytes(dumps(self._impl.reduce(data)))
            os.replace(part, path)
        except OSError:
            with contextlib.suppress(OSError):
                part.unlink(missing_ok=True)

    def flush(self):
        """Forget every machine code of this kernel."""
        for path in self._folder.glob(f"{self._py_func.__name__}-*.nbc"):
            path.unlink(missing_ok=True)


def remove_unused(base):
    """Remove the folders of sources that nobody has run for `KEEP_DAYS`."""
    for folder in base.glob("[0-9a-f]" * 24):
        with contextlib.suppress(OSError):
            if time.time() - folder.stat().st_mtime > KEEP_DAYS * 86_400:
                shutil.rmtree(folder, ignore_errors=True)
