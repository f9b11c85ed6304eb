import numpy as np

from skcourse.core.kernel import kernel
from skcourse.core.prefetch import prefetch


@kernel
def total_ahead(x, order, ahead):
    """Add up the numbers of x in an order, each fetched `ahead` steps before."""
    total = 0.0
    for k in range(len(order)):
        prefetch(x, order[min(k + ahead, len(order) - 1)])
        total += x[order[k]]
    return total


def test_results_do_not_change():
    x = np.arange(10_000.0)
    order = np.random.default_rng(0).permutation(len(x))
    for ahead in (0, 1, 100):
        assert total_ahead(x, order, ahead) == x.sum()
    x.flags.writeable = False
    assert total_ahead(x, order, 3) == x.sum()


def test_beyond_the_end_is_no_error():
    assert total_ahead(np.ones(3, np.float32), np.arange(3), 2) == 3.0
