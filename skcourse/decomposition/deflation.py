"""Principal axes one after the other, as in the lecture: power iteration, and deflation.

Problem     Of a scatter matrix S = A'A, (p, p), with eigenvalues l_1 >= l_2 >= .. and orthonormal
            eigenvectors v_j, find the first k, by products with S alone.
Iteration   From a random v, a step keeps most of what S stretches most:
                v <- S v / |S v|                                                      (1)
            The share of v_2 in v falls by l_2 / l_1 in a step, so eigenvalues that are nearly
            equal take nearly for ever. It is known when to stop: with l = v'S v,
                |S v - l v| <= tol l                                                  (2)
            means that an eigenvalue is as near to l, and v as near to its eigenvector as tol l
            over the distance to the next eigenvalue.
Deflation   Subtract what was found, and the next axis is the leading one:
                S <- S - l v v'                                                       (3)
Numbers     (3) as it stands passes errors on: a v that is wrong by e leaves up to e l of the old
            axis in the new S, where it competes with l_2; k axes later the v_j are orthogonal no
            more. So S stays as it is, and each product is made orthogonal to the axes found,
                S v <- S v - V'(V S v)                                                (4)
            which is (3) for exact axes, and keeps the others orthonormal to rounding.
Cost        p^2 products a step on S, or 2 n p on the rows, and log(1 / tol) / log(l_j / l_{j+1})
            steps for axis j. `spectrum` finds all axes in the time of a few dozen steps.
Reference   H. Hotelling, Analysis of a complex of statistical variables into principal
            components, J. Educational Psychology, 1933. L. Mackey, Deflation methods for sparse
            PCA, NeurIPS, 2008.
"""

from typing import NamedTuple

import numpy as np

from skcourse.core.chunks import one_blas_thread
from skcourse.core.random import seeds
from skcourse.decomposition.spectrum import EPS, Spectrum

STEPS = 1000  # for iterated_power="auto"
TINY = np.finfo(np.float64).tiny
ROUNDING = 8  # a product with S is wrong by up to (p + ROUNDING) EPS |S|


class Deflated(NamedTuple):
    """What deflation finds."""

    spectrum: Spectrum
    n_iter: np.ndarray  # steps of each axis, (k,)
    complaint: str | None  # about axes that miss (2)


def deflate(multiply, p, k, *, size, tol=0.0, max_steps=STEPS, random_state=None):
    """Return the `k` leading singular values and axes of A.

    Parameters
    ----------
    multiply : callable, from v to S v, both of shape (p,), float64
    p, k : int
    size : float, |A|
    tol : float, default=0.0
        Of (2); at least what rounding leaves of the first axis.
    max_steps : int, default=1000
        For each axis.
    random_state : int, RandomState instance or None, default=None
        Draws the v to start from.

    Returns
    -------
    deflated : Deflated
    """
    rng = np.random.default_rng(seeds(random_state, 1))
    V, eigenvalues, rests = np.empty((k, p)), np.zeros(k), np.zeros(k)
    n_iter, missed, floor = np.zeros(k, np.int64), [], 0.0
    unit = np.exp2(float(np.frexp(size)[1] - 1))  # |S v| / unit^2 has a square, whatever X is

    def scaled(v):
        return multiply(v) / unit**2

    with one_blas_thread():
        for j in range(k):
            start = orthogonal(rng.standard_normal(p), V[:j])
            found = power_iteration(scaled, start, V[:j], tol, floor, max_steps)
            V[j], eigenvalues[j], rests[j], n_iter[j], converged = found
            floor = max(floor, (p + ROUNDING) * EPS * eigenvalues[j])
            if not converged:
                missed.append(j)
    complaint = what_missed(missed, eigenvalues, rests, max_steps) if missed else None
    order = np.argsort(-eigenvalues, kind="stable")  # that of V, unless some did not converge
    values = unit * np.sqrt(eigenvalues[order].clip(min=0.0))
    found = Spectrum(values, V[order], size, np.sqrt(p * EPS))
    return Deflated(found, n_iter[order], complaint)


def power_iteration(multiply, v, V, tol, floor, max_steps):
    """Return v, l and |S v - l v| after at most `max_steps` of (1) and (4), their number, and (2).

    Parameters
    ----------
    multiply : callable, see `deflate`
    v : array of shape (p,), of length 1, orthogonal to V
    V : array of shape (j, p), the axes found
    tol, floor : float
        (2) holds with |S v - l v| up to tol l, up to the floor, or up to rounding.
    max_steps : int
    """
    for step in range(max_steps + 1):
        Sv = orthogonal(multiply(v), V, unit=False)
        eigenvalue = v @ Sv
        rest = np.linalg.norm(Sv - eigenvalue * v)
        rounding = (len(v) + ROUNDING) * EPS * eigenvalue
        if rest <= max(tol * eigenvalue, rounding, floor):
            return v, eigenvalue, rest, step, True
        if step < max_steps:
            v = orthogonal(Sv, V)
    return v, eigenvalue, rest, max_steps, False


def orthogonal(v, V, *, unit=True):
    """Return v less its part along the rows of V, twice for rounding; of length 1 if `unit`."""
    for _ in range(2):
        v = v - (V @ v) @ V
        if unit:
            v /= np.linalg.norm(v)
    return v


def what_missed(missed, eigenvalues, rests, max_steps):
    """Say which axes miss (2), why, and what to do."""
    worst = max(rests[j] / max(eigenvalues[j], TINY) for j in missed)
    return (
        f"Power iteration did not converge in {max_steps} steps for {len(missed)} of "
        f"{len(eigenvalues)} components, the first of them number {missed[0]}: |S v - l v| is "
        f"still {worst:.1g} l. Their variances are too close to the next ones. Increase "
        "iterated_power or tol, or take svd_solver='full'."
    )
