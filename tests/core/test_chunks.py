"""Fixed chunks, a fixed order, any threads: the same bits, no deadlock, no thread left behind."""

import functools
import multiprocessing
import os
import threading
import time
from concurrent.futures import ThreadPoolExecutor

import joblib
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from threadpoolctl import threadpool_info, threadpool_limits

from skcourse.core import chunks
from skcourse.core.chunks import (
    chunk_slices,
    count_threads,
    for_each_chunk,
    one_blas_thread,
    reduce_blocks,
    sum_over_chunks,
)


@pytest.fixture
def many_cores(monkeypatch):
    """Let as many threads run as are asked for, on any machine."""
    monkeypatch.delenv("OMP_NUM_THREADS", raising=False)
    monkeypatch.setattr(chunks, "available_cores", functools.cache(lambda: 8))


@given(n=st.integers(0, 100_000), row_bytes=st.integers(1, 10_000), min_rows=st.integers(1, 5000))
def test_slices_cover_the_rows_once_in_order(n, row_bytes, min_rows):
    slices = chunk_slices(n, row_bytes, min_rows=min_rows)
    rows = [i for s in slices for i in (s.start, s.stop)]
    assert rows == sorted(rows)
    assert sum(s.stop - s.start for s in slices) == n
    if slices:
        assert slices[0].start == 0
        assert slices[-1].stop == n
        lengths = {s.stop - s.start for s in slices}
        assert max(lengths) - min(lengths) <= 1
        assert len(slices) == 1 or min(lengths) >= min_rows / 2


def test_slices_ask_for_nothing_but_the_shape(monkeypatch):
    before = chunk_slices(100_000, 800)
    monkeypatch.setenv("OMP_NUM_THREADS", "7")
    assert chunk_slices(100_000, 800) == before
    assert len(before) > 8


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_same_bits_for_any_threads(many_cores, dtype):
    x = np.random.default_rng(0).normal(size=200_000).astype(dtype) * 1e3

    def part(rows):
        time.sleep(1e-4 * (rows.start % 3))  # threads overtake each other
        return np.array([x[rows].sum(), (x[rows] ** 2).sum()]), float(x[rows].min())

    def combine(total, new):
        return total[0] + new[0], min(total[1], new[1])

    slices = chunk_slices(len(x), 4096)
    results = [reduce_blocks(part, slices, combine, n_jobs=n) for n in (1, 2, 3, 8)]
    for sums, least in results:
        assert sums.tobytes() == results[0][0].tobytes()
        assert least == x.min()


def test_order_of_combination_is_that_of_the_blocks(many_cores):
    def part(i):
        time.sleep(0.001 * (7 - i % 8))  # the later, the sooner done
        return [i]

    for n_jobs in (1, 2, 8):
        assert reduce_blocks(part, range(40), n_jobs=n_jobs) == list(range(40))


def test_blocks_may_come_from_a_generator_and_are_not_read_ahead(many_cores):
    taken, combined = [], []

    def blocks():
        for i in range(200):
            taken.append(i)
            yield i

    def part(i):
        if i == 0:
            time.sleep(0.1)  # the others may not run away meanwhile
            assert len(taken) < 100
        return i

    def combine(total, new):
        combined.append(new)
        return total + new

    assert reduce_blocks(part, blocks(), combine, n_jobs=4) == sum(range(200))
    assert combined == list(range(1, 200))


def test_sums_are_entry_by_entry():
    def part(rows):
        return np.ones(2), rows.stop - rows.start, [rows.start]

    sums, n, _ = sum_over_chunks(part, 10_000, row_bytes=4096)
    n_chunks = len(chunk_slices(10_000, 4096))
    assert n_chunks > 1
    np.testing.assert_array_equal(sums, [n_chunks, n_chunks])
    assert n == 10_000


def test_no_blocks_is_none():
    assert reduce_blocks(abs, []) is None
    assert reduce_blocks(abs, iter([]), n_jobs=1) is None


def test_chunks_write_in_place(many_cores):
    out = np.zeros(50_000)

    def part(rows):
        out[rows] += np.arange(rows.start, rows.stop)

    for_each_chunk(part, len(out), row_bytes=1024)
    np.testing.assert_array_equal(out, np.arange(len(out)))


@pytest.mark.parametrize("n_jobs", [1, 2, 8])
@pytest.mark.parametrize("failing", [0, 17, 39])
def test_first_error_comes_out_and_the_rest_stops(many_cores, n_jobs, failing):
    done = []

    def part(i):
        if i == failing:
            raise ValueError(f"block {i}")
        time.sleep(0.001)
        done.append(i)
        return i

    with pytest.raises(ValueError, match=f"block {failing}"):
        reduce_blocks(part, range(400), n_jobs=n_jobs)
    n_done = len(done)
    time.sleep(0.02)
    assert len(done) == n_done < 400
    assert reduce_blocks(abs, range(5), n_jobs=n_jobs) == 10


def test_error_in_combine_comes_out(many_cores):
    def combine(total, new):
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        reduce_blocks(abs, range(100), combine, n_jobs=4)


def test_inside_a_chunk_there_is_one_thread(many_cores):
    main, seen = threading.get_ident(), set()

    def inner(i):
        seen.add(threading.get_ident())
        return i

    def outer(i):
        me = threading.get_ident()
        seen.clear() if me == main else None
        assert count_threads(-1) == count_threads(8) == 1
        return reduce_blocks(inner, range(20), n_jobs=4)

    assert reduce_blocks(outer, range(16), n_jobs=4) == 16 * sum(range(20))
    assert count_threads(4) == 4


def test_many_python_threads_at_once(many_cores):
    x = np.random.default_rng(0).normal(size=(20_000, 8))

    def fit(_):
        return sum_over_chunks(lambda rows: x[rows].T @ x[rows], len(x), row_bytes=4096, n_jobs=4)

    expected = fit(0)
    with ThreadPoolExecutor(16) as callers:
        for result in callers.map(fit, range(64)):
            assert result.tobytes() == expected.tobytes()


def blas_threads():
    return [
        library["num_threads"] for library in threadpool_info() if library["user_api"] == "blas"
    ]


def test_blas_is_held_and_given_back(many_cores):
    before = blas_threads()
    inside = []

    def part(i):
        inside.extend(blas_threads())
        time.sleep(0.002)
        return i

    with ThreadPoolExecutor(6) as callers:
        list(callers.map(lambda _: reduce_blocks(part, range(8), n_jobs=2), range(12)))
    assert set(inside) == {1}
    assert blas_threads() == before
    with pytest.raises(KeyError), one_blas_thread():
        raise KeyError
    assert blas_threads() == before


def test_blas_is_held_while_another_thread_controls_it(many_cores):
    with threadpool_limits(limits=2, user_api="blas"), ThreadPoolExecutor(1) as caller:
        inside = caller.submit(reduce_blocks, lambda _: blas_threads(), range(1)).result()
        assert set(inside) == {1}
        assert set(blas_threads()) == {2}


class PerThread:
    """A BLAS library that keeps its number of threads for each thread, as MKL does."""

    def __init__(self):
        self.local = threading.local()

    @property
    def num_threads(self):
        return getattr(self.local, "n", 4)

    def set_num_threads(self, n):
        self.local.n = n


def test_blas_that_counts_for_each_thread(many_cores, monkeypatch):
    library = PerThread()
    limit = chunks.BlasLimit()
    monkeypatch.setattr(limit, "libraries", ([], [library]), raising=False)
    monkeypatch.setattr(chunks, "blas_limit", limit)
    inside, after = [], []

    def part(i):
        inside.append(library.num_threads)
        time.sleep(0.002)
        return i

    def call(_):
        reduce_blocks(part, range(8), n_jobs=3)
        reduce_blocks(part, range(2), n_jobs=1)
        after.append(library.num_threads)

    with ThreadPoolExecutor(4) as callers:
        list(callers.map(call, range(8)))
    assert set(inside) == {1}
    assert set(after) == {4}


def child(queue):
    total = sum_over_chunks(lambda rows: rows.stop - rows.start, 10**6, row_bytes=64, n_jobs=4)
    queue.put((total, blas_threads(), threading.active_count()))


@pytest.mark.filterwarnings("ignore::DeprecationWarning")  # fork beside threads: what is tested
@pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork on this system")
@pytest.mark.parametrize("where", ["after", "during"])
def test_fork(many_cores, where):
    before = blas_threads()
    reduce_blocks(abs, range(100), n_jobs=4)  # the pool is there
    context = multiprocessing.get_context("fork")
    queue = context.Queue()

    def fork(_=None):
        process = context.Process(target=child, args=(queue,))
        process.start()
        got = queue.get(timeout=60)
        process.join(timeout=60)
        assert process.exitcode == 0
        return got

    if where == "after":
        total, threads, n_threads = fork()
    else:  # BLAS is held by the parent at that moment; the child must not inherit that for ever
        with one_blas_thread():
            total, threads, n_threads = fork()
    assert total == 10**6
    assert threads == before
    assert n_threads > 1


def in_worker(n):
    return sum_over_chunks(lambda rows: rows.stop - rows.start, n, row_bytes=64), count_threads(-1)


def test_inside_loky_workers():
    results = joblib.Parallel(n_jobs=2)(joblib.delayed(in_worker)(10**6) for _ in range(4))
    share = max(1, joblib.cpu_count() // 2)
    assert results == [(10**6, share)] * 4


def test_count_of_threads(monkeypatch):
    monkeypatch.setattr(chunks, "available_cores", functools.cache(lambda: 6))
    monkeypatch.delenv("OMP_NUM_THREADS", raising=False)
    assert count_threads(-1) == 6
    assert count_threads(-2) == 5
    assert count_threads(-100) == 1
    assert count_threads(3) == 3
    assert count_threads(None) == 1
    with joblib.parallel_config(n_jobs=2):
        assert count_threads(None) == 2
        assert count_threads(-1) == 2
        assert count_threads(5) == 5
    with joblib.parallel_config(n_jobs=-1):
        assert count_threads(-1) == joblib.cpu_count()
    counts = joblib.Parallel(2, "threading")(joblib.delayed(count_threads)(-1) for _ in range(3))
    assert counts == [1, 1, 1]
    monkeypatch.setenv("OMP_NUM_THREADS", "4,2")
    assert count_threads(-1) == 4
    assert count_threads(2) == 2
    with pytest.raises(ValueError, match="n_jobs == 0"):
        count_threads(0)


def test_interrupt_stops_all_threads(many_cores):
    done = []

    def part(i):
        if i == 5 and threading.current_thread() is not threading.main_thread():
            time.sleep(0.05)
        if i == 6:
            raise KeyboardInterrupt
        time.sleep(0.001)
        done.append(i)
        return i

    with pytest.raises(KeyboardInterrupt):
        reduce_blocks(part, range(1000), n_jobs=4)
    n_done = len(done)
    time.sleep(0.02)
    assert len(done) == n_done < 100


def test_memmap_is_read_in_pieces(tmp_path):
    path = tmp_path / "x.npy"
    np.save(path, np.arange(30_000.0).reshape(10_000, 3))
    X = np.load(path, mmap_mode="r")
    total = sum_over_chunks(lambda rows: X[rows].sum(axis=0), len(X), row_bytes=1024)
    np.testing.assert_array_equal(total, np.asarray(X).sum(axis=0))
