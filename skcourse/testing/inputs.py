"""How the numbers lie in memory, and how many bits they have."""

import pathlib
import tempfile

import numpy as np
from sklearn.utils import get_tags

from skcourse.testing.answers import (
    allowance,
    answers,
    assert_agree,
    assert_same_bits,
    fitted,
    numbers,
)
from skcourse.testing.problems import make_problem

KEPT = ("predict", "transform", "decision_function")  # whose dtype is that of X


def layouts(X):
    """Yield (name, array) with the numbers of X, differently in memory."""
    yield "Fortran order", np.asfortranarray(X)
    yield "every other column", np.repeat(X, 2, axis=1)[:, ::2]
    yield "every other row", np.repeat(X, 2, axis=0)[::2]
    yield "negative strides", np.ascontiguousarray(X[::-1, ::-1])[::-1, ::-1]
    yield "the other byte order", X.astype(X.dtype.newbyteorder())
    unaligned = np.frombuffer(b"\0" + X.tobytes(), dtype=np.uint8)[1:].view(X.dtype)
    yield "unaligned", unaligned.reshape(X.shape)


def read_only(X):
    """Return a copy of X that cannot be written."""
    copy = np.array(X, order="C")
    copy.flags.writeable = False
    return copy


def check_layouts(estimator, problem=None):
    """C or Fortran order, strided, read-only or memory-mapped: the answers are the same."""
    problem = problem or make_problem(estimator)
    problem = problem._replace(queries=problem.asked)
    expected = answers(fitted(estimator, problem), problem.asked)
    allowed = allowance(estimator, problem)
    asked = dict(layouts(problem.asked))
    for name, X in layouts(problem.X):
        found = answers(fitted(estimator, problem._replace(X=X)), asked[name])
        assert_agree(expected, found, allowed, f"if X is in {name}")
    frozen = problem._replace(**{name: read_only(a) for name, a in present_arrays(problem)})
    found = answers(fitted(estimator, frozen), frozen.asked)
    assert_same_bits(expected, found, "if the input is read-only")


def check_memmap(estimator, problem=None):
    """A memory map is as good as an array."""
    problem = problem or make_problem(estimator)
    problem = problem._replace(queries=problem.asked)
    expected = answers(fitted(estimator, problem), problem.asked)
    with tempfile.TemporaryDirectory() as folder:
        mapped = problem._replace(
            **{name: memmap(a, pathlib.Path(folder, name)) for name, a in present_arrays(problem)}
        )
        found = answers(fitted(estimator, mapped), mapped.asked)
        assert_same_bits(expected, found, "if the input is a memory map")
        del mapped


def present_arrays(problem):
    """Yield the name and value of each array of the problem."""
    return [(name, value) for name, value in problem._asdict().items() if value is not None]


def memmap(array, path):
    """Write the array to `path` and return it as a read-only memory map."""
    written = np.memmap(path, array.dtype, "w+", shape=array.shape)
    written[:] = array
    written.flush()
    return np.memmap(path, array.dtype, "r", shape=array.shape)


def check_dtype_kept(estimator, problem=None):
    """float32 in, float32 out, and the answers of float64 to the precision of float32."""
    problem = problem or make_problem(estimator)
    single, double = as_type(problem, np.float32), as_type(problem, np.float64)
    double = as_type(single, np.float64)
    fits = {np.float32: fitted(estimator, single), np.float64: fitted(estimator, double)}
    found = {np.float32: answers(fits[np.float32], single.asked)}
    found[np.float64] = answers(fits[np.float64], double.asked)
    preserved = get_tags(estimator).transformer_tags
    for dtype, values in found.items():
        for name in KEPT:
            if name not in values or not numbers(values[name]):
                continue
            if name == "transform" and np.dtype(dtype).name not in preserved.preserves_dtype:
                continue
            assert values[name].dtype == dtype, (
                f"{name} answers {values[name].dtype} to {np.dtype(dtype)}"
            )
    assert_agree(found[np.float64], found[np.float32], allowance(estimator, single), "in float32")


def as_type(problem, dtype):
    """Return the problem with its measurements in `dtype`."""
    return problem._replace(
        **{name: a.astype(dtype) for name, a in present_arrays(problem) if a.dtype.kind == "f"}
    )
