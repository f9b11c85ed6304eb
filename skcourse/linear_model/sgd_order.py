"""In which order stochastic gradient descent takes the samples: in scikit-learn's.

The same `random_state` gives the same order, and so, but for rounding, the same coefficients.

Order       In every epoch the order of the one before is permuted as Fisher and Yates do: sample i
            changes places with one of i .. n - 1, drawn by numbers that begin at the seed again.
Numbers     x ^= x << 13; x ^= x >> 17; x ^= x << 5; of the 32 bits the lower 31 count.          (1)
Reference   G. Marsaglia, Xorshift RNGs, Journal of Statistical Software, 2003.
"""

import numpy as np
from sklearn.utils import check_random_state

from skcourse.core.kernel import kernel

LARGEST = 2**31 - 1
BITS_32, BITS_31 = np.uint64(2**32 - 1), np.uint64(2**31 - 1)


@kernel
def shuffle(order, seed):
    """Permute `order`, an int64 array, by the numbers (1) from `seed` on, uint64, not 0."""
    n, x = len(order), seed
    for i in range(n - 1):
        x ^= (x << np.uint64(13)) & BITS_32
        x ^= x >> np.uint64(17)
        x ^= (x << np.uint64(5)) & BITS_32
        j = i + np.int64((x & BITS_31) % np.uint64(n - i))
        order[i], order[j] = order[j], order[i]


def seeds_of_regressor(random_state, n=1):
    """Draw the seed of each of n shuffles, uint64."""
    rng = check_random_state(random_state)
    return as_seeds([rng.randint(0, LARGEST) for _ in range(n)])


def seeds_of_classifier(random_state, n):
    """Draw the seed of each of n shuffles: of n classes, or, if n is 1, of two."""
    rng = check_random_state(random_state)
    own = [rng] if n == 1 else map(np.random.RandomState, rng.randint(LARGEST, size=n))
    return as_seeds([second_draw(one) for one in own])


def second_draw(rng):
    """Draw as scikit-learn does, which draws another number before."""
    rng.randint(1, LARGEST)
    return rng.randint(LARGEST)


def as_seeds(drawn):
    """Return seeds that (1) can begin with; 0 is not one."""
    return np.maximum(np.array(drawn, np.uint64), np.uint64(1))
