"""What all tests share."""

import os
import signal

import pytest
from hypothesis import HealthCheck, settings

settings.register_profile(
    "suite",
    derandomize=True,  # a failure in CI is a failure here
    deadline=None,  # compiling takes as long as it takes
    max_examples=25,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture],
)
settings.register_profile("thorough", settings.get_profile("suite"), max_examples=500)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "suite"))


def pytest_configure(config):
    """Make an error of every warning that our own lines cause; hear of Ctrl-C, as tests ask for.

    A shell has the jobs that it starts in the background ignore it.
    """
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)
    config.addinivalue_line("filterwarnings", "error:::skcourse")
    config.addinivalue_line("filterwarnings", "default:::skcourse.testing")  # not what it calls


@pytest.fixture(params=[1, 2, 8])
def n_threads(request, monkeypatch):
    """Run the test on one thread, on two, and on more than there are cores."""
    monkeypatch.setenv("OMP_NUM_THREADS", str(request.param))
    return request.param
