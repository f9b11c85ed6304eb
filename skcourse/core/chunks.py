"""The one way to run over rows: fixed chunks, on threads, added in a fixed order.

A fit is a sum over rows. The rows are cut into chunks by the shape of the data alone; threads
take chunks as they become free; the results are combined strictly in the order of the chunks, so
that the same bits come out whatever the number of threads. Adding keeps pace with the threads: no
more than a few results wait, however many chunks there are.

BLAS is held to one thread inside, by a count that concurrent callers share. A task never waits for
the pool: what runs inside a chunk and asks for threads again runs on its own thread. After a fork,
the child starts with a fresh pool.

`reduce_blocks` takes any iterable of blocks, not only slices of an array in memory: batches read
from a file, or results that a cluster computed elsewhere (`reduce_blocks(fetch, futures)`).
"""

import functools
import os
import threading
from concurrent.futures import ThreadPoolExecutor, wait
from contextlib import contextmanager
from itertools import pairwise

import joblib
import numpy as np
import scipy.linalg.cython_blas  # noqa: F401  the BLAS that kernels call, loaded before threadpoolctl looks around
from joblib.parallel import get_active_backend
from threadpoolctl import ThreadpoolController

from skcourse.core.interrupts import held

CHUNK_BYTES = 2**20  # of rows: what a core's cache holds while a kernel goes over them a few times
MIN_ROWS = 256  # below, the cost of a call shows
AHEAD = 4  # results per thread that may wait for their turn to be added


def chunk_slices(n_rows, row_bytes, *, min_rows=MIN_ROWS):
    """Cut rows into slices of about equal length, by their number and size alone.

    Parameters
    ----------
    n_rows : int
    row_bytes : int, the size of one row of all that a kernel touches
    min_rows : int, default=256
        Raise it where the statistics of a chunk are costly to add up (a scatter matrix: several
        times its width).

    Returns
    -------
    slices : list of slice, empty for no rows
    """
    target = max(min_rows, CHUNK_BYTES // max(row_bytes, 1))
    n_chunks = max(1, round(n_rows / target))
    edges = [n_rows * i // n_chunks for i in range(n_chunks + 1)]
    return [slice(start, stop) for start, stop in pairwise(edges) if stop > start]


def add(total, part):
    """Add `part` to `total`, entry by entry if they are tuples; arrays of `total` in place."""
    if isinstance(total, tuple):
        sums = [add(t, p) for t, p in zip(total, part, strict=True)]
        return type(total)(*sums) if hasattr(total, "_fields") else tuple(sums)
    if isinstance(total, np.ndarray):
        total += part
        return total
    return total + part


def sum_over_chunks(part, n_rows, *, row_bytes=256, min_rows=MIN_ROWS, n_jobs=-1):
    """Return the sum of `part(rows)` over all chunks of rows, added in the order of the rows.

    Parameters
    ----------
    part : callable, from a slice to an array, a number, or a tuple of them, made anew in each call
    n_rows : int, at least 1
    row_bytes, min_rows : int, see `chunk_slices`
    n_jobs : int or None, default=-1
        As in joblib: None is 1 unless a joblib context says otherwise, -1 all cores that the
        process may use.
    """
    return reduce_blocks(
        part, chunk_slices(n_rows, row_bytes, min_rows=min_rows), add, n_jobs=n_jobs
    )


def for_each_chunk(part, n_rows, *, row_bytes=256, min_rows=MIN_ROWS, n_jobs=-1):
    """Call `part(rows)` for all chunks of rows; it writes where it wants and returns nothing."""
    reduce_blocks(
        part,
        chunk_slices(n_rows, row_bytes, min_rows=min_rows),
        lambda total, part: None,
        n_jobs=n_jobs,
    )


def reduce_blocks(part, blocks, combine=add, *, n_jobs=-1):
    """Return combine(...combine(combine(r_0, r_1), r_2)...) for r_i = part(block_i).

    Parameters
    ----------
    part : callable, run on any thread, one block at a time
    blocks : iterable, read in order and no faster than needed
    combine : callable, default=`add`
        Takes the result so far, which it may change, and the next one. Never runs on two threads
        at once.
    n_jobs : int or None, default=-1

    Returns
    -------
    result : whatever `combine` makes; None if there are no blocks

    Raises
    ------
    Exception
        What `part` or `combine` raised first, after all threads have stopped.
    """
    if not hasattr(blocks, "__len__"):
        blocks, n_threads = iter(blocks), count_threads(n_jobs)
    else:
        n_threads = min(count_threads(n_jobs), len(blocks)) if len(blocks) > 1 else 1
    with held, one_blas_thread():
        if n_threads == 1:
            return fold(map(part, blocks), combine)
        return Reduction(part, blocks, combine, n_threads).run()


def fold(results, combine):
    """Combine `results` one by one, in order; None if there are none."""
    results = iter(results)
    total = next(results, None)
    held.deliver()
    for result in results:
        total = combine(total, result)
        held.deliver()
    return total


class Reduction:
    """One pass over blocks by several threads; see `reduce_blocks`."""

    def __init__(self, part, blocks, combine, n_threads):
        self.part, self.blocks, self.combine = part, enumerate(blocks), combine
        self.n_threads = n_threads
        self.changed = threading.Condition()
        self.n_combined, self.total, self.waiting = 0, None, {}
        self.error = None

    def run(self):
        """Work on the calling thread and `n_threads` - 1 of the pool."""
        helpers = [pool().submit(self.work) for _ in range(self.n_threads - 1)]
        self.work()
        wait([helper for helper in helpers if not helper.cancel()])  # the others have nothing to do
        if self.error is not None:
            raise self.error
        return self.total

    def work(self):
        """Take blocks until there are none, or something failed."""
        inside.active, before = True, getattr(inside, "active", False)
        try:
            with one_blas_thread():
                while (numbered := self.next_block()) is not None:
                    i, block = numbered
                    self.hand_in(i, self.part(block))
                    held.deliver()
        except BaseException as error:  # KeyboardInterrupt too: the others must stop first
            self.stop(error)
        finally:
            inside.active = before

    def stop(self, error):
        """Let no thread take another block; the first error is the one that is raised."""
        with self.changed:
            self.error = self.error or error
            self.changed.notify_all()

    def next_block(self):
        """Return the next block and its number, or None at the end."""
        with self.changed:
            return next(self.blocks, None) if self.error is None else None

    def hand_in(self, i, result):
        """Combine what is next in order; wait if this result is far ahead of its turn."""
        with self.changed:
            self.waiting[i] = result
            while self.n_combined in self.waiting:
                result = self.waiting.pop(self.n_combined)
                self.total = self.combine(self.total, result) if self.n_combined else result
                self.n_combined += 1
                self.changed.notify_all()
            while i - self.n_combined > AHEAD * self.n_threads and self.error is None:
                self.changed.wait()


def count_threads(n_jobs=-1):
    """Return how many threads to use: `n_jobs` as joblib reads it, but no more than are free.

    Inside a chunk, and on a thread that joblib runs tasks on, that is 1; in a joblib context, its
    number; and never more than OMP_NUM_THREADS.
    """
    if getattr(inside, "active", False):
        return 1
    if n_jobs is None:
        n_jobs = joblib.effective_n_jobs(None)
    if n_jobs == 0:
        raise ValueError("n_jobs == 0 has no meaning")
    if n_jobs < 0:
        backend, asked = get_active_backend()
        if backend.nesting_level and threading.current_thread() is not threading.main_thread():
            return 1
        if n_jobs == -1 and asked is not None:
            n_jobs = joblib.effective_n_jobs(asked)
    if n_jobs < 0:
        n_jobs = max(1, available_cores() + 1 + n_jobs)
    limit = os.environ.get("OMP_NUM_THREADS", "").split(",")[0]
    return min(n_jobs, int(limit)) if limit.isdigit() and int(limit) else n_jobs


@functools.cache
def available_cores():
    """Return how many cores this process may use (affinity, containers, LOKY_MAX_CPU_COUNT)."""
    return joblib.cpu_count()


@functools.cache
def pool():
    """Return the threads that all reductions of this process share."""
    return ThreadPoolExecutor(max_workers=max(available_cores(), 8), thread_name_prefix="skcourse")


class BlasLimit:
    """Counts who wants BLAS on one thread: the first sets it, the last restores what was there.

    Most libraries keep that number for the whole process. MKL, and what runs on OpenMP, keep it for
    each thread: there each thread sets and restores its own.
    """

    def __init__(self):
        self.lock = threading.Lock()
        self.n_inside = 0
        self.before = []

    @functools.cached_property
    def libraries(self):
        """The BLAS libraries of this process: those that count for all, and those for a thread."""
        found = ThreadpoolController().select(user_api="blas").lib_controllers
        own = [
            library.internal_api == "mkl" or getattr(library, "threading_layer", "") == "openmp"
            for library in found
        ]
        shared = [library for library, is_own in zip(found, own, strict=True) if not is_own]
        return shared, [library for library in found if library not in shared]

    def enter(self):
        """Hold BLAS to one thread; return what `exit` needs to know."""
        shared, own = self.libraries
        with self.lock:
            if self.n_inside == 0:
                self.before = set_threads(shared, [1] * len(shared))
            self.n_inside += 1
        return set_threads(own, [1] * len(own))

    def exit(self, mine):
        """Give back what `enter` took."""
        shared, own = self.libraries
        set_threads(own, mine)
        with self.lock:
            self.n_inside -= 1
            if self.n_inside == 0:
                set_threads(shared, self.before)

    def forget(self):
        """In a forked child: nobody is inside any more, whatever the parent was doing."""
        self.lock = threading.Lock()
        if self.n_inside:
            self.n_inside = 0
            set_threads(self.libraries[0], self.before)


def set_threads(libraries, counts):
    """Set how many threads each library uses; return how many it used before."""
    before = [library.num_threads for library in libraries]
    for library, count in zip(libraries, counts, strict=True):
        if library.num_threads != count:
            # threadpoolctl lets only the first thread that set a number set another, lest threads
            # restore each other's; the count of BlasLimit guards against that
            release = getattr(library, "clear_controlling_thread", lambda force: None)
            release(force=True)
            library.set_num_threads(count)
            release(force=True)
    return before


@contextmanager
def one_blas_thread():
    """Hold BLAS to one thread, in the whole process, as long as anyone is inside."""
    mine = None
    try:
        with held:
            mine = blas_limit.enter()
        yield
    finally:
        if mine is not None:
            with held:
                blas_limit.exit(mine)


def start_afresh():
    """In a forked child: the parent's threads are gone."""
    pool.cache_clear()
    available_cores.cache_clear()
    inside.active = False
    blas_limit.forget()


inside = threading.local()  # .active: this thread is working on a chunk
blas_limit = BlasLimit()
if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=start_afresh)
