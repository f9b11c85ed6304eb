"""Ask for memory before it is needed.

A loop that goes through rows in random order waits for memory at every row: no processor foresees
which one comes next. The loop knows, and says so a few rows ahead; results do not change.

Reference   The instruction `prefetch` of LLVM's Language Reference.
"""

import numba
from numba.core import cgutils, types
from numba.extending import intrinsic

LINE = 64  # bytes that come at once


def fetch_line(typing, array, i):
    """Say to numba which instruction `prefetch(array, i)` is."""

    def generate(context, builder, signature, arguments):
        byte, number = cgutils.voidptr_t, cgutils.int32_t
        kind = cgutils.ir.FunctionType(cgutils.ir.VoidType(), [byte, number, number, number])
        instruction = cgutils.get_or_insert_function(builder.module, kind, "llvm.prefetch.p0")
        data = context.make_array(signature.args[0])(context, builder, arguments[0]).data
        address = builder.bitcast(builder.gep(data, [arguments[1]]), byte)
        to_read, to_keep, in_data_cache = number(0), number(3), number(1)
        builder.call(instruction, [address, to_read, to_keep, in_data_cache])
        return context.get_dummy_value()

    return types.void(array, i), generate


if numba.config.DISABLE_JIT:

    def prefetch(array, i):
        """Do nothing: in plain Python memory is not what one waits for."""

else:
    prefetch = intrinsic(fetch_line)
