"""Ctrl-C waits until nothing is half done.

Python raises KeyboardInterrupt in the main thread between any two of its instructions. There, it
leaves a lock of `threading` locked for ever, a helper inside BLAS while BLAS gets other threads, or
a NULL where numba makes the NamedTuple that a kernel returns: a hang or a crash.

>>> from skcourse.core.interrupts import held
>>> with held:
...     for block in range(3):
...         held.deliver()  # an interrupt is raised here, or at the end, and nowhere else
"""

import os
import signal
import threading
from contextlib import contextmanager

try:
    import _signal as quick  # `signal` itself, without its enums, which take ten times as long
except ImportError:
    quick = signal

SIGINT = int(signal.SIGINT)


class HeldInterrupts:
    """The interrupts of the main thread; on other threads, where there are none, does nothing."""

    def __init__(self):
        self.depth = 0
        self.handler = None  # who was to hear of interrupts, while they are held
        self.caught = None

    def __enter__(self):
        if is_main():
            if self.depth == 0 and callable(handler := quick.getsignal(SIGINT)):
                quick.signal(SIGINT, self.note)  # from here on nothing is raised
                self.handler = handler
            self.depth += 1

    def __exit__(self, *error):
        if is_main():
            self.depth -= 1
            if self.depth == 0 and self.handler is not None:
                handler, caught = self.handler, self.caught
                self.handler = self.caught = None
                quick.signal(SIGINT, handler)  # from here on it may
                if caught:
                    handler(*caught)

    def note(self, *caught):
        """Remember the interrupt."""
        self.caught = caught

    def deliver(self):
        """Tell the handler, which mostly raises KeyboardInterrupt, if there was an interrupt."""
        if self.caught and is_main():
            caught, self.caught = self.caught, None
            self.handler(*caught)

    @contextmanager
    def released(self, really=True):
        """Let interrupts through meanwhile: for a thread that only waits for others."""
        if not (really and is_main() and self.handler is not None):
            yield
            return
        self.deliver()
        quick.signal(SIGINT, self.handler)
        try:
            yield
        finally:
            quick.signal(SIGINT, self.note)

    def forget(self):
        """In a forked child: what was held is not being done any more."""
        handler, self.handler, self.caught, self.depth = self.handler, None, None, 0
        if handler is not None and is_main():
            quick.signal(SIGINT, handler)


def is_main():
    """Tell whether this is the main thread."""
    return threading.current_thread() is threading.main_thread()


held = HeldInterrupts()
if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=held.forget)
