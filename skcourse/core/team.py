"""A few threads work through one compiled loop together, meeting every few microseconds.

A call of `core.chunks` costs some 50 us: too much where a loop shares its work a thousand times a
second, each time a little. Here one such call starts the threads, and they agree in memory. The
leader runs the loop. Where it has work to share, it writes on a board what is to be done and how
many tasks there are; whoever is free takes the next task by one atomic addition; the leader works
too, and goes on when all tasks are done. A helper that comes late, or never, is not waited for:
then the leader does it all. So nothing can hang on a full pool.

The board is int64, each of its numbers on a line of cache of its own:
    board[TICKETS] = round | tasks in this round | tasks taken (24, 20 and 20 bits)
    board[DONE]    = tasks that were done in this round
    board[OVER]    = 1 when the leader is through

Reference   The atomic instructions of LLVM's Language Reference, sequentially consistent.
"""

import os

import numba
import numpy as np
from numba.core import types
from numba.extending import intrinsic

from skcourse.core.kernel import kernel

LINE = 8  # int64 of a line of cache
TICKETS, DONE, OVER, OWN = 0, 1 * LINE, 2 * LINE, 3 * LINE
FIELD = 20  # bits of the number of tasks
MASK = 2**FIELD - 1
POSIX = os.name == "posix"
PATIENCE = 200  # looks at the board before a thread lets others run


def new_board(n_more=0):
    """Return a board on which nothing is to be done; the caller has `n_more` places from OWN on."""
    return np.zeros(OWN + n_more, np.int64)


def element(context, builder, array_type, array, i):
    """Return the address of array[i]."""
    data = context.make_array(array_type)(context, builder, array).data
    return builder.gep(data, [i])


def add_instruction(typing, array, i, amount):
    """Say to numba which instruction `fetch_add(array, i, amount)` is."""

    def generate(context, builder, signature, arguments):
        address = element(context, builder, signature.args[0], *arguments[:2])
        return builder.atomic_rmw("add", address, arguments[2], "seq_cst")

    return types.int64(array, types.int64, types.int64), generate


def load_instruction(typing, array, i):
    """Say to numba which instruction `load(array, i)` is."""

    def generate(context, builder, signature, arguments):
        address = element(context, builder, signature.args[0], *arguments)
        return builder.load_atomic(address, "seq_cst", 8)

    return types.int64(array, types.int64), generate


def store_instruction(typing, array, i, value):
    """Say to numba which instruction `store(array, i, value)` is."""

    def generate(context, builder, signature, arguments):
        address = element(context, builder, signature.args[0], *arguments[:2])
        builder.store_atomic(arguments[2], address, "seq_cst", 8)
        return context.get_dummy_value()

    return types.void(array, types.int64, types.int64), generate


if numba.config.DISABLE_JIT:

    def fetch_add(array, i, amount):
        """Add to array[i]; return what was there. Plain Python works alone."""
        before = array[i]
        array[i] += amount
        return before

    def load(array, i):
        """Return array[i]."""
        return array[i]

    def store(array, i, value):
        """Set array[i]."""
        array[i] = value

    def rest():
        """Let another thread run; in plain Python the interpreter sees to that."""

else:
    fetch_add = intrinsic(add_instruction)
    load = intrinsic(load_instruction)
    store = intrinsic(store_instruction)
    sched_yield = types.ExternalFunction("sched_yield", types.int32())

    @kernel
    def rest():
        """Let another thread run, where the system can be asked to."""
        if POSIX:
            sched_yield()


@kernel
def announce(board, n_tasks):
    """Begin a round of `n_tasks`: what they are must be written down before."""
    before = load(board, TICKETS)
    store(board, DONE, 0)
    store(board, TICKETS, (((before >> (2 * FIELD)) + 1) << (2 * FIELD)) | (n_tasks << FIELD))


@kernel
def take_task(board):
    """Return the number of a task that nobody has taken yet, or -1 if there is none."""
    seen = load(board, TICKETS)
    if (seen & MASK) >= ((seen >> FIELD) & MASK):
        return -1
    ticket = fetch_add(board, TICKETS, 1)
    task = ticket & MASK
    return task if task < ((ticket >> FIELD) & MASK) else -1


@kernel
def hand_in(board):
    """Say that a task is done."""
    fetch_add(board, DONE, 1)


@kernel
def wait_for_all(board):
    """Return when all tasks of this round are done."""
    looks, n_tasks = 0, (load(board, TICKETS) >> FIELD) & MASK
    while load(board, DONE) < n_tasks:
        looks += 1
        if looks % PATIENCE == 0:
            rest()


@kernel
def see_to_the_end(board, n_looks):
    """Look at most `n_looks` times whether all tasks of this round are done; return whether."""
    looks, n_tasks = 0, (load(board, TICKETS) >> FIELD) & MASK
    while load(board, DONE) < n_tasks and looks < n_looks:
        looks += 1
    return looks < n_looks


@kernel
def wait_for_task(board):
    """Return the number of a task as soon as there is one; -1 when the leader is through."""
    looks = 0
    while load(board, OVER) == 0:
        task = take_task(board)
        if task >= 0:
            return task
        looks += 1
        if looks % PATIENCE == 0:
            rest()
    return -1


@kernel
def dismiss(board):
    """Tell the helpers that the leader is through."""
    store(board, OVER, 1)
