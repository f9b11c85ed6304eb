"""Threads that meet: every task is done once, whoever comes, and whenever."""

import threading
import time
from functools import partial

import numpy as np
import pytest
from numba.core.config import DISABLE_JIT

from skcourse.core.chunks import reduce_blocks
from skcourse.core.kernel import kernel
from skcourse.core.team import (
    OVER,
    OWN,
    announce,
    dismiss,
    hand_in,
    new_board,
    take_task,
    wait_for_all,
    wait_for_task,
)

ROUNDS, TASKS = 300, 7


@kernel
def work(board, done, leads):
    """Count each task; in a round, tasks see all that was done in the rounds before."""
    n_rounds, n_wrong = 0, 0
    while True:
        task = take_task(board) if leads else wait_for_task(board)
        if task >= 0:
            for other in range(len(done)):
                n_wrong += done[other] < board[OWN] - 1
            done[task] += 1
            hand_in(board)
        elif leads:
            wait_for_all(board)
            if n_rounds == ROUNDS:
                dismiss(board)
                return n_wrong
            n_rounds += 1
            board[OWN] = n_rounds
            announce(board, len(done))
        else:
            return n_wrong


def test_the_leader_needs_nobody():
    board, done = new_board(1), np.zeros(TASKS, np.int64)
    assert work(board, done, True) == 0
    np.testing.assert_array_equal(done, ROUNDS)
    assert board[OVER] == 1
    assert work(board, done, False) == 0  # who comes too late has nothing to do
    np.testing.assert_array_equal(done, ROUNDS)


@pytest.mark.skipif(DISABLE_JIT, reason="plain Python works alone: it has no atomic additions")
@pytest.mark.parametrize("n_threads", [2, 5])
def test_every_task_is_done_once(n_threads):
    for _ in range(10):
        board, done = new_board(1), np.zeros(TASKS, np.int64)
        part = partial(lambda board, done, i: work(board, done, i == 0), board, done)
        wrong = reduce_blocks(part, range(n_threads), n_jobs=n_threads)
        assert wrong == 0
        np.testing.assert_array_equal(done, ROUNDS)


@pytest.mark.skipif(DISABLE_JIT, reason="plain Python works alone: it has no atomic additions")
def test_a_helper_waits_for_the_leader():
    board, done = new_board(1), np.zeros(TASKS, np.int64)
    helper = threading.Thread(target=work, args=(board, done, False))
    helper.start()
    time.sleep(0.01)
    assert work(board, done, True) == 0
    helper.join(timeout=60)
    assert not helper.is_alive()
    np.testing.assert_array_equal(done, ROUNDS)
