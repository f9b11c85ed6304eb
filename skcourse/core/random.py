"""Random numbers that do not depend on who draws them first.

Python draws seeds from `check_random_state`; a kernel turns a seed and a counter into a number. The
i-th number of a stream is the same whichever thread asks for it, and in whatever order.

Reference   G. Steele, D. Lea, C. Flood, Fast splittable pseudorandom number generators, OOPSLA 2014
            (SplitMix64).
"""

import numpy as np
from sklearn.utils import check_random_state

from skcourse.core.kernel import kernel

GOLDEN = np.uint64(0x9E3779B97F4A7C15)  # 2^64 / golden ratio: the step of the counter
MIX_1 = np.uint64(0xBF58476D1CE4E5B9)
MIX_2 = np.uint64(0x94D049BB133111EB)


def seeds(random_state, n):
    """Draw `n` seeds of streams, uint64, from a seed, a RandomState or None."""
    words = check_random_state(random_state).randint(0, 2**32, size=(n, 2), dtype=np.uint64)
    return words[:, 0] << np.uint64(32) | words[:, 1]


@kernel(exact=True)
def random_bits(seed, i):
    """Return 64 random bits, the i-th of the stream `seed` (both uint64)."""
    z = seed + (i + np.uint64(1)) * GOLDEN
    z = (z ^ (z >> np.uint64(30))) * MIX_1
    z = (z ^ (z >> np.uint64(27))) * MIX_2
    return z ^ (z >> np.uint64(31))


@kernel(exact=True)
def uniform(seed, i):
    """Return the i-th number of the stream, uniform in [0, 1): the upper 53 bits."""
    return (random_bits(seed, i) >> np.uint64(11)) * 2.0**-53


@kernel(exact=True)
def below(seed, i, n):
    """Return the i-th integer of the stream, uniform in 0 .. n - 1, n < 2^53."""
    return np.int64(uniform(seed, i) * n)
