"""exp and log(1 + u) in plain arithmetic, so that a loop over an array of them becomes vector code.

The libraries' functions are calls, and a loop that calls is not vectorised; one exponential then
costs as much as reading fifty features of a row. Both are within 2 units in the last place.

Exponential     x = k ln 2 + r with k whole and |r| <= ln(2) / 2:
                    exp(x) = 2^k (1 + r + r^2 / 2 + r^3 q(r)),                                  (1)
                q a polynomial fitted at Chebyshev's nodes. 2^k is made from its bits.
Logarithm       For u in [0, 1], with s = u / (2 + u), at most 1/3:
                    log(1 + u) = 2 artanh(s) = 2 s + s^3 a(s^2), a a polynomial too.            (2)
Reference       W. Cody, W. Waite, Software Manual for the Elementary Functions, 1980.
"""

import numpy as np

from skcourse.core.kernel import kernel

LOG_2 = np.log(2.0)
LOG_2_HIGH = 0.693147180369123816490  # the first 32 bits: a product with k is exact
LOG_2_LOW = 1.90821492927058770002e-10
SHIFT = 1.5 * 2.0**52  # added to a number, it rounds it, and the last bits are those of k
LARGEST, SMALLEST = 709.78, -707.0  # exp of these is a normal number


@kernel(exact=True)
def exp(x):
    """Return exp(x) by (1), for one number; at least 1e-307 and at most 1.8e308, never infinite."""
    within = LARGEST if x > LARGEST else x  # NaN passes
    within = SMALLEST if within < SMALLEST else within
    rounded = np.float64(within * (1 / LOG_2) + SHIFT)
    k = rounded - SHIFT
    r = (within - k * LOG_2_HIGH) - k * LOG_2_LOW
    q = 2.761387145994878e-07 + r * 2.5105645925211384e-08
    q = 2.480153629005657e-05 + r * (2.7557258633632175e-06 + r * q)
    q = 0.0013888888905925483 + r * (0.00019841269870100495 + r * q)
    q = 0.04166666666665136 + r * (0.008333333333328882 + r * q)
    q = 0.16666666666666669 + r * q
    half_power = np.int64((rounded.view(np.int64) + 1022) << 52).view(np.float64)  # 2^(k - 1)
    return 2.0 * ((1.0 + (r + r * r * (0.5 + r * q))) * half_power)


@kernel(exact=True)
def log_1p(u):
    """Return log(1 + u) by (2), for one number u in [0, 1]."""
    s = u / (2.0 + u)
    z = s * s
    a = 0.08601983384319559 + z * 0.1654221829759324
    a = 0.1330883820964448 + z * (0.12045014770967169 + z * a)
    a = 0.18181773031246592 + z * (0.15385950110030436 + z * a)
    a = 0.2857142856149944 + z * (0.22222223131413127 + z * a)
    a = 0.6666666666666661 + z * (0.4000000000004847 + z * a)
    return 2.0 * s + s * z * a
