"""Ctrl-C is raised where it is asked for, or at the end, and nowhere else."""

import os
import signal
import threading

import pytest

from skcourse.core.chunks import blas_limit, one_blas_thread, reduce_blocks
from skcourse.core.history import SILENCE
from skcourse.core.interrupts import held


def test_held_until_delivered():
    done = []
    with pytest.raises(KeyboardInterrupt), held:
        signal.raise_signal(signal.SIGINT)
        done.append("held")
        held.deliver()
        done.append("never")
    assert done == ["held"]
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler


def test_released_while_others_work():
    done = []
    with pytest.raises(KeyboardInterrupt), held:
        with held.released(really=False):
            signal.raise_signal(signal.SIGINT)
            done.append("held")
        with held.released():
            done.append("never")
    assert done == ["held"]
    with pytest.raises(KeyboardInterrupt), held, held.released():
        signal.raise_signal(signal.SIGINT)
    with pytest.raises(KeyboardInterrupt), held:
        with held.released():
            pass
        signal.raise_signal(signal.SIGINT)
        done.append("held again")
    assert done == ["held", "held again"]
    assert held.depth == 0
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler


def test_held_until_the_end_of_the_outermost():
    done = []
    with pytest.raises(KeyboardInterrupt), held:
        with held:
            signal.raise_signal(signal.SIGINT)
        done.append("still held")
    assert done == ["still held"]
    assert held.depth == 0


def test_who_does_not_raise_hears_of_it_and_work_goes_on():
    heard = []
    before = signal.signal(signal.SIGINT, lambda *caught: heard.append(caught[0]))
    try:

        def part(i):
            if i == 3:
                signal.raise_signal(signal.SIGINT)
            return i

        assert reduce_blocks(part, range(10), n_jobs=1) == 45
    finally:
        signal.signal(signal.SIGINT, before)
    assert heard == [signal.SIGINT]


@pytest.mark.parametrize("n_jobs", [1, 2])
def test_reduction_stops_soon(n_jobs):
    done = []

    def part(i):
        if threading.current_thread() is threading.main_thread():
            signal.raise_signal(signal.SIGINT)
        done.append(i)
        return i

    with pytest.raises(KeyboardInterrupt):
        reduce_blocks(part, range(100_000), n_jobs=n_jobs)
    assert len(done) < 100_000
    assert blas_limit.n_inside == 0


@pytest.mark.parametrize(
    "one_turn", [lambda: SILENCE.subtask("iteration"), lambda: reduce_blocks(int, [0])]
)
def test_an_iteration_delivers_and_so_does_a_pass_over_a_single_block(one_turn):
    with held:
        signal.raise_signal(signal.SIGINT)
        with pytest.raises(KeyboardInterrupt):
            one_turn()


def test_blas_gets_its_threads_back():
    with pytest.raises(KeyboardInterrupt), one_blas_thread():
        signal.raise_signal(signal.SIGINT)
    assert blas_limit.n_inside == 0


def test_other_threads_have_no_interrupts():
    depths = []

    def hold():
        with held:
            depths.append(held.depth)

    thread = threading.Thread(target=hold)
    thread.start()
    thread.join()
    assert depths == [0]


@pytest.mark.skipif(not hasattr(os, "fork"), reason="there is no fork here")
@pytest.mark.filterwarnings("ignore:.*multi-threaded.*:DeprecationWarning")
def test_forked_child_hears_its_own():
    with held:
        child = os.fork()
        if child == 0:
            try:
                signal.raise_signal(signal.SIGINT)
            except KeyboardInterrupt:
                os._exit(7)
            os._exit(1)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 7
