"""Which features a node looks at: scikit-learn's generator and its way to draw without replacement.

A node draws features at random until it has looked at `max_features` of them and at one that is not
constant at least. Features that are constant in a node are so in all nodes below: they are put
first and remembered. With one seed, the draws are those of scikit-learn.

Reference   G. Marsaglia, Xorshift RNGs, J. Statistical Software 8, 2003; R. Fisher, F. Yates,
            Statistical tables, 1938 (drawing without replacement by swaps).
"""

from skcourse.core.kernel import kernel

MASK = 0xFFFFFFFF
LARGEST = 0x7FFFFFFF  # of the numbers drawn


@kernel
def next_state(state):
    """Return the 32-bit state after `state`; 0, from which there is no way out, counts as 1."""
    if state == 0:
        state = 1
    state ^= (state << 13) & MASK
    state ^= state >> 17
    return state ^ ((state << 5) & MASK)


@kernel
def below(state, low, high):
    """Turn a state into an integer of low .. high - 1."""
    return low + (state & LARGEST) % (high - low)


@kernel
def between(state, low, high):
    """Turn a state into a number between `low` and `high`."""
    return (high - low) * float(state & LARGEST) / float(LARGEST) + low
