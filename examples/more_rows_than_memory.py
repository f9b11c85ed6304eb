"""Linear regression on a file: the rows are read chunk by chunk and never all at once.

A fit is a sum over rows, and `numpy.memmap` is an array whose rows lie in a file. What the fit
keeps is the sums: a matrix of as many rows and columns as there are features, however long the
file.
"""

import pathlib
import tempfile
import tracemalloc

import numpy as np

from skcourse.linear_model import LinearRegression

N, P, PIECE = 1_000_000, 20, 50_000  # rows, features, rows written at a time
rng = np.random.default_rng(0)
slopes = rng.normal(size=P)

with tempfile.TemporaryDirectory() as folder:
    path = pathlib.Path(folder) / "X.npy"
    X = np.lib.format.open_memmap(path, mode="w+", dtype=np.float64, shape=(N, P))
    y = np.empty(N)
    for start in range(0, N, PIECE):
        rows = slice(start, start + PIECE)
        X[rows] = rng.normal(loc=100.0, size=(PIECE, P))
        y[rows] = X[rows] @ slopes + 5.0 + rng.normal(size=PIECE)
    X.flush()
    del X

    X = np.load(path, mmap_mode="r")
    LinearRegression().fit(X[:1000], y[:1000])  # the first fit of a process loads machine code
    tracemalloc.start()
    model = LinearRegression().fit(X, y)
    peak = tracemalloc.get_traced_memory()[1]
    print(f"X in its file     {path.stat().st_size / 2**20:6.0f} MiB, {N:,} rows of {P} features")
    print(f"taken by the fit  {peak / 2**20:6.1f} MiB at most")
    print(f"slopes            within {np.max(np.abs(model.coef_ - slopes)):.4f} of the true ones")

    in_pieces = LinearRegression()  # rows that arrive over time: the same sums, the same answer
    for start in range(0, N, PIECE):
        in_pieces.partial_fit(X[start : start + PIECE], y[start : start + PIECE])
    gap = np.max(np.abs(in_pieces.coef_ - model.coef_))
    print(f"partial_fit       within {gap:.1e} of the fit in one go")
    del X
