"""Bits of a word."""

import numba
import numpy as np
from numba.core import types
from numba.extending import intrinsic


def count_instruction(typing, word):
    """Say to numba which instruction `lowest_bit(word)` is."""

    def generate(context, builder, signature, arguments):
        return builder.cttz(arguments[0], context.get_constant(types.boolean, True))

    return types.int64(types.uint64), generate


def sum_instruction(typing, word):
    """Say to numba which instruction `count_bits(word)` is."""

    def generate(context, builder, signature, arguments):
        return builder.ctpop(arguments[0])

    return types.int64(types.uint64), generate


def cast_instruction(to):
    """Return what says to numba how 32 bits are taken for a number of type `to`."""

    def say(typing, word):
        def generate(context, builder, signature, arguments):
            return builder.bitcast(arguments[0], context.get_value_type(to))

        return to(types.uint32 if to == types.float32 else types.float32), generate

    return say


if numba.config.DISABLE_JIT:

    def lowest_bit(word):
        """Return the number of the lowest bit that is 1 in a uint64, which is not 0."""
        word = int(word)
        return (word & -word).bit_length() - 1

    def count_bits(word):
        """Return how many bits of a uint64 are 1."""
        return int(word).bit_count()

    def bits_of(x):
        """Return the 32 bits of a float32 as a uint32."""
        return np.float32(x).view(np.uint32)

    def float_of(word):
        """Return the float32 of which these are the bits, a uint32."""
        return np.uint32(word).view(np.float32)

else:
    lowest_bit = intrinsic(count_instruction)
    count_bits = intrinsic(sum_instruction)
    bits_of = intrinsic(cast_instruction(types.uint32))
    float_of = intrinsic(cast_instruction(types.float32))
