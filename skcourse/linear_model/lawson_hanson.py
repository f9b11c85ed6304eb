"""Least squares with coefficients that must not be negative, by an active set.

Problem     min |A b - c|^2   subject to   b >= 0                                         (1)
Optimality  With the residual r = c - A b, b is a minimum if and only if (Karush, Kuhn, Tucker)
                <a_j, r> = 0 where b_j > 0,   <a_j, r> <= 0 where b_j = 0                 (2)
Iteration   P, the passive set, holds the columns whose b_j is free. Let in the j with the largest
            <a_j, r>, and solve for s: least squares over P. While some s_i <= 0, go
            from b towards s up to the first b_i = 0, put that i out of P, and solve again. Then
            b = s. Each round lowers |A b - c|, so no P comes twice: it ends, and (2) holds.
            The columns of P are kept triangular, by a Householder reflection for one that comes
            and by Givens rotations when one leaves: nothing is squared. In the turned
            coordinates r is the lower part of c, and (2) is read off it.
Scale       With every a_j and c brought to a size of about 1 by a power of two, no product of two
            numbers over- or underflows, and no digit changes. Of several b that satisfy (1), which
            one is found depends on who comes first: that is decided by the lengths as they were.
Cost        4 k p products per change of P, of which there are about as many as positive b_j.
Reference   C. Lawson, R. Hanson, Solving Least Squares Problems, 1974, chapter 23.
"""

import numpy as np

from skcourse.core.factors import EPS
from skcourse.core.kernel import kernel

LEAST = -1074  # no exponent is less


@kernel(exact=True)
def reflect(A, c, j, m):
    """Turn rows m, m + 1, ... of A and c so that column j is 0 below m; return A[m, j] then."""
    k, p = A.shape
    length = 0.0
    for i in range(m, k):
        length = np.hypot(length, A[i, j])
    if length == 0:
        return 0.0
    top = -length if A[m, j] > 0 else length
    v = A[m:, j].copy()
    v[0] -= top
    half = -top * v[0]  # |v|^2 / 2
    for f in range(p + 1):
        column = c[m:] if f == p else A[m:, f]
        projection = 0.0
        for i in range(k - m):
            projection += v[i] * column[i]
        projection /= half
        for i in range(k - m):
            column[i] -= projection * v[i]
    A[m, j] = top
    A[m + 1 :, j] = 0.0
    return top


@kernel(exact=True)
def rotate_out(A, c, order, m, i):
    """Take entry i out of the m passive columns in `order`; rotate the others to a triangle."""
    out = order[i]
    for h in range(i, m - 1):
        order[h] = order[h + 1]
        x, y = A[h, order[h]], A[h + 1, order[h]]
        length = np.hypot(x, y)
        if length > 0:
            cosine, sine = x / length, y / length
            for f in range(A.shape[1]):
                x, y = A[h, f], A[h + 1, f]
                A[h, f], A[h + 1, f] = cosine * x + sine * y, cosine * y - sine * x
            c[h], c[h + 1] = cosine * c[h] + sine * c[h + 1], cosine * c[h + 1] - sine * c[h]
        A[h + 1, order[h]] = 0.0
    order[m - 1] = out


@kernel(exact=True)
def back_substitute(A, c, order, m, s):
    """Solve the triangle of the m passive columns, A[:m, order[:m]] s = c[:m]."""
    for i in range(m - 1, -1, -1):
        total = c[i]
        for h in range(i + 1, m):
            total -= A[i, order[h]] * s[h]
        s[i] = total / A[i, order[i]]


@kernel(exact=True)
def steepest(A, c, m, barred, lengths, units):
    """Return the active column with the largest <a_j, r> units_j, or -1 if all are noise.

    The products of (2) are known to about k u |a_j| |c| only.
    """
    k, p = A.shape
    size = 0.0
    for i in range(k):
        size = np.hypot(size, c[i])
    best, found = 0.0, -1
    for j in range(p):
        if barred[j]:
            continue
        slope = 0.0
        for i in range(m, k):
            slope += A[i, j] * c[i]
        if slope * units[j] > best and slope > k * EPS * lengths[j] * size:
            best, found = slope * units[j], j
    return found


@kernel(exact=True)
def solve_passive(A, c, order, m, b):
    """Solve over P, putting out of it what would not be positive; `b` follows. Return |P|."""
    s = np.empty(m)
    while m > 0:
        back_substitute(A, c, order, m, s)
        step, blocking = 1.0, -1
        for i in range(m):
            if s[i] <= 0:
                ratio = b[order[i]] / (b[order[i]] - s[i]) if s[i] < b[order[i]] else 0.0
                if blocking < 0 or ratio < step:
                    step, blocking = ratio, i
        for i in range(m):
            b[order[i]] += step * (s[i] - b[order[i]])
        if blocking < 0:
            for i in range(m):
                b[order[i]] = s[i]
            break
        b[order[blocking]] = 0.0
        rotate_out(A, c, order, m, blocking)
        m -= 1
    return m


@kernel(exact=True)
def lawson_hanson(A, c, b, units, max_iter):
    """Find b of (1).

    Parameters
    ----------
    A : array of shape (k, p), Fortran-contiguous, used up
    c : array of shape (k,), used up
    b : array of shape (p,), zeros; overwritten with the solution
    units : array of shape (p,), what the columns have been divided by, on any common scale
    max_iter : int, how often columns may be let in

    Returns
    -------
    converged : bool, whether (2) holds, up to rounding
    """
    k, p = A.shape
    order = np.zeros(p, np.int64)
    barred, lengths = np.zeros(p, np.bool_), np.zeros(p)
    for j in range(p):
        for i in range(k):
            lengths[j] = np.hypot(lengths[j], A[i, j])
        barred[j] = lengths[j] == 0
    m = 0
    for _ in range(max_iter):
        j = steepest(A, c, m, barred, lengths, units) if m < k else -1
        if j < 0:
            return True
        diagonal = reflect(A, c, j, m)
        if c[m] * diagonal <= 0 or abs(diagonal) <= k * EPS * lengths[j]:
            barred[j] = True  # a step of rounding errors: until P changes
            continue
        order[m] = j
        m = solve_passive(A, c, order, m + 1, b)
        for f in range(p):
            barred[f] = lengths[f] == 0
        for i in range(m):
            barred[order[i]] = True
    return False


def nonnegative_least_squares(A, C):
    """Solve (1) for each column of C.

    Parameters
    ----------
    A : array of shape (k, p)
    C : array of shape (k, t)

    Returns
    -------
    coef : array of shape (p, t)

    Raises
    ------
    RuntimeError
        As scipy.optimize.nnls, if 3 p rounds do not suffice.
    """
    coef = np.zeros((C.shape[1], A.shape[1]))
    A, exponents = scaled(A)
    C, sizes = scaled(C)
    largest = exponents.max(initial=LEAST)
    units = np.ldexp(1.0, np.maximum(exponents - largest, -900))  # not 0
    for c, b in zip(C.T, coef, strict=True):
        if not lawson_hanson(np.array(A, order="F"), c.copy(), b, units, 3 * len(b)):
            raise RuntimeError("Maximum number of iterations reached.")
    with np.errstate(over="ignore"):
        return np.ldexp(coef.T, sizes - exponents[:, np.newaxis])


def scaled(A):
    """Return A with the largest entry of each column brought to [1/2, 1), and the exponents."""
    exponents = np.frexp(np.abs(A).max(axis=0, initial=0.0))[1]
    return np.ldexp(A, -exponents), exponents
