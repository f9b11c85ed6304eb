"""Bits of a word."""

import numba
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


if numba.config.DISABLE_JIT:

    def lowest_bit(word):
        """Return the number of the lowest bit that is 1 in a uint64, which is not 0."""
        word = int(word)
        return (word & -word).bit_length() - 1

    def count_bits(word):
        """Return how many bits of a uint64 are 1."""
        return int(word).bit_count()

else:
    lowest_bit = intrinsic(count_instruction)
    count_bits = intrinsic(sum_instruction)
