"""Orthogonal matching pursuit on the rows: correlations with the residual, and Gram-Schmidt.

Problem     See `omp`: atoms x_j, the columns of X about their means, and targets y.
Choice      The next atom has the largest |<x_j, r>|. A copy of X in float32 tells it but for an
            error, in blocks of rows, of
                |error_j| <= (rows of a block + 4) 2^-24 |x_j| |r|;                           (1)
            where that leaves several, their products in float64 decide. So the copy saves half
            of the memory traffic, which is nearly all the time, and changes no choice.
Step        With q_1 .. q_k orthonormal and spanning the chosen atoms, the new one gives
                q = x - sum_i q_i <q_i, x>, scaled to length 1   (twice, where it shrinks)    (2)
                z = <q, r>,   r -= z q.                                                       (3)
            The coefficients solve R g = z, R_ik = <q_i, x_k>: no product X'X, whose condition is
            the square of that of X, enters.
Cost        n p products for (1), 2 n k for (2), for an atom.
Reference   Y. Pati, R. Rezaiifar, P. Krishnaprasad, Orthogonal matching pursuit, Asilomar
            Conference on Signals, Systems and Computers, 1993.
"""

import math

import numpy as np
from scipy.linalg import lapack

from skcourse.core.chunks import one_blas_thread, reduce_blocks
from skcourse.core.gram_pursuit import Found
from skcourse.core.kernel import kernel
from skcourse.core.validation import check_finite_sums

BLOCK = 256  # rows that are added up in float32
FEW = 64  # atoms whose products are looked at in float64 at a time
TARGETS = 32  # that are pursued side by side: one product with X serves them all
MEMORY = 2**27  # bytes for the orthonormal vectors of these
LARGE = 2**22  # entries of X that are worth a thread
START = 32  # atoms that there is room for at first


@kernel
def shortlist(products, lengths, used, margin, listed):
    """List the atoms that may have the largest product; return how many, at most len(listed) + 1.

    Parameters
    ----------
    products : array of shape (p,), each off by at most margin times its length
    lengths : array of shape (p,)
    used : bool array of shape (p,), atoms that are left out
    margin : float
    listed : int64 array, overwritten
    """
    floor = 0.0
    for j in range(len(products)):
        if not used[j]:
            floor = max(floor, abs(products[j]) - margin * lengths[j])
    n_listed = 0
    for j in range(len(products)):
        if not used[j] and abs(products[j]) + margin * lengths[j] >= floor:
            if n_listed == len(listed):
                return n_listed + 1
            listed[n_listed] = j
            n_listed += 1
    return n_listed


@kernel
def dot(a, b):
    """Return <a, b>."""
    s = 0.0
    for i in range(len(a)):
        s += a[i] * b[i]
    return s


@kernel
def take_atom(x, k, basis, R, z, residual, least):
    """Run (2) and (3) for the atom x, which is used up, as number k.

    Parameters
    ----------
    x : array of shape (n,)
    k : int, how many came before
    basis : array of shape (at least k + 1, n), q_1 .. q_k; its row k is written
    R : array of shape (at least k + 1, as many); its column k is written
    z : array of shape (at least k + 1,); entry k is written
    residual : array of shape (n,), updated
    least : float
        The atom depends on those before if no more than this share of |x|^2 is left over.

    Returns
    -------
    taken : bool, False if it depends on them; then nothing counts as written
    """
    square = dot(x, x)
    R[: k + 1, k] = 0.0
    rest = before = square
    for _ in range(2):
        for i in range(k):
            w = dot(basis[i], x)
            R[i, k] += w
            for f in range(len(x)):
                x[f] -= w * basis[i, f]
        rest = dot(x, x)
        if 2.0 * rest > before:
            break
        before = rest
    if not rest > least * square:
        return False
    R[k, k] = np.sqrt(rest)
    for f in range(len(x)):
        basis[k, f] = x[f] / R[k, k]
    z[k] = dot(basis[k], residual)
    for f in range(len(x)):
        residual[f] -= z[k] * basis[k, f]
    return True


class Dictionary:
    """The atoms: columns of X about their means, times the roots of the weights of the rows.

    Parameters
    ----------
    X : array of shape (n, p), float32 or float64
    weights : array of shape (n,) or None
    centre : bool
    estimator : estimator, default=None, for messages
    """

    def __init__(self, X, weights=None, *, centre=False, estimator=None):
        self.X, self.shape = X, X.shape
        self.w = None if weights is None else weights.astype(np.float64)
        self.roots = None if weights is None else np.sqrt(self.w)[:, np.newaxis]
        with np.errstate(over="ignore", invalid="ignore"):
            total, sums, high, low = reduce_blocks(self.sums, self.blocks(), merge)
        check_finite_sums(sums, X, estimator=estimator)
        self.mean = sums / total if centre else np.zeros(X.shape[1])
        if not np.isfinite(self.mean).all():
            raise ValueError("The numbers in X and y are too large to be added up.")
        self.unit = 2.0 ** np.clip(np.frexp(max(high, -low))[1], -1000, 1000)
        self.rough = np.empty_like(X, dtype=np.float32)
        squares = reduce_blocks(self.copy_roughly, self.blocks())
        self.lengths = 1.01 * np.sqrt(squares)

    def blocks(self):
        """Return slices of the rows, short enough for sums in float32."""
        n = self.shape[0]
        return [slice(start, min(start + BLOCK, n)) for start in range(0, n, BLOCK)]

    def sums(self, rows):
        """Return the weight, the weighted sum, and the largest and the least entry of some rows."""
        block = np.asarray(self.X[rows])
        if self.w is None:
            return float(len(block)), block.sum(axis=0, dtype=np.float64), block.max(), block.min()
        w = self.w[rows]
        return float(w.sum()), w @ block, block.max(), block.min()

    def copy_roughly(self, rows):
        """Write some rows to the copy in float32; return the squared lengths of its columns."""
        block = np.asarray(self.X[rows]) - self.mean
        block *= 1 / self.unit if self.roots is None else self.roots[rows] / self.unit
        rough = self.rough[rows]
        rough[...] = block
        return np.einsum("ij,ij->j", rough, rough).astype(np.float64)

    def columns(self, chosen):
        """Return some atoms, (n, c) float64."""
        x = np.subtract(self.X[:, chosen], self.mean[chosen], dtype=np.float64)
        return x if self.roots is None else x * self.roots

    def column(self, chosen):
        """Return one atom, (n,) float64."""
        x = np.subtract(self.X[:, chosen], self.mean[chosen], dtype=np.float64)
        return x if self.roots is None else x * self.roots[:, 0]

    def products(self, residuals):
        """Return <x_j, r> / unit as (1) has it, (b, p), for b residuals of length 1,
        (b, n) float32."""

        def part(blocks):
            total = np.zeros((len(residuals), self.shape[1]))
            for rows in blocks:
                total += residuals[:, rows] @ self.rough[rows]
            return total

        blocks = self.blocks()
        each = max(1, LARGE // (BLOCK * self.shape[1]))
        parts = [blocks[start : start + each] for start in range(0, len(blocks), each)]
        return part(blocks) if len(parts) == 1 else reduce_blocks(part, parts)

    def best(self, products, used, residual):
        """Return the atom with the largest |<x_j, r>|, the first of equals."""
        listed = np.empty(FEW, np.int64)
        margin = (min(BLOCK, self.shape[0]) + 4) * 2.0**-24
        n_listed = shortlist(products, self.lengths, used, margin, listed)
        if n_listed == 1:
            return listed[0]
        if n_listed <= FEW and np.isfinite(products).all():
            return self.best_of(listed[:n_listed], residual)[1]
        free = np.flatnonzero(~used)
        few = [free[start : start + FEW] for start in range(0, len(free), FEW)]
        return max(self.best_of(some, residual) for some in few)[1]

    def best_of(self, some, residual):
        """Return the largest |<x_j, r>| of some atoms, and the first atom that has it."""
        exact = np.abs((self.columns(some) * residual[:, np.newaxis]).sum(axis=0))
        first = int(exact.argmax())
        return exact[first], some[first]


def merge(a, b):
    """Add weights and sums, and keep the largest and the least."""
    return a[0] + b[0], a[1] + b[1], max(a[2], b[2]), min(a[3], b[3])


class Pursuit:
    """The pursuit of one target.

    Parameters
    ----------
    atoms : Dictionary
    y : array of shape (n,), float64, centred and weighted as the atoms are
    limit : int, the most atoms
    tol : float or None, |r|^2 at which it ends
    """

    def __init__(self, atoms, y, limit, tol):
        n, p = atoms.shape
        self.atoms, self.limit = atoms, limit
        self.scale = 2.0 ** np.clip(np.frexp(np.abs(y).max())[1], -1000, 1000)
        self.residual = y / self.scale  # lest squares leave the range of numbers
        self.square = dot(self.residual, self.residual)
        self.length = math.sqrt(self.square)
        with np.errstate(over="ignore"):
            self.tol = -1.0 if tol is None else tol / self.scale / self.scale
        self.room(min(limit, START, n))
        self.used, self.order, self.errors = np.zeros(p, bool), [], []
        self.premature = False
        self.eps = np.finfo(atoms.X.dtype).eps
        self.least = max(np.finfo(np.float64).eps, (8 * self.eps) ** 2)

    def room(self, size):
        """Make room for `size` atoms."""
        old = getattr(self, "z", np.empty(0))
        basis, R = np.empty((size, len(self.residual))), np.zeros((size, size))
        if len(old):
            basis[: len(old)], R[: len(old), : len(old)] = self.basis, self.R
        self.basis, self.R, self.z = basis, R, np.append(old, np.zeros(size - len(old)))

    def has_rest(self):
        """Tell whether r is more than rounding; if not, the pursuit ends here."""
        self.premature = not math.sqrt(self.square) > 8 * self.eps * self.length
        return not self.premature

    def direction(self):
        """Return r / |r|, (n,) float32."""
        return (self.residual / math.sqrt(self.square)).astype(np.float32)

    def take(self, products):
        """Choose an atom by its product and take it; return whether to go on."""
        k = len(self.order)
        chosen = self.atoms.best(products, self.used, self.residual)
        if k == len(self.z):
            self.room(min(2 * k, self.limit))
        x = self.atoms.column(chosen)
        product, length = abs(dot(x, self.residual)), math.sqrt(dot(x, x))
        x /= self.atoms.unit
        if not product > 8 * self.eps * length * self.length or not take_atom(
            x, k, self.basis, self.R, self.z, self.residual, self.least
        ):
            self.premature = True
            return False
        self.used[chosen] = True
        self.order.append(chosen)
        self.square = dot(self.residual, self.residual)
        self.errors.append(self.square)
        return self.square > self.tol and k + 1 < self.limit

    def found(self, path):
        """Return what was found, with the coefficients of each step or of the last."""
        k, unit = len(self.order), self.scale / self.atoms.unit
        coefs = np.zeros((k if path else min(k, 1), k))
        for row, size in zip(coefs, range(1 if path else k, k + 1), strict=False):
            row[:size] = lapack.dtrtrs(self.R[:size, :size], self.z[:size])[0] * unit
        errors = np.sqrt(self.errors) * self.scale
        return Found(np.array(self.order, np.int64), errors, coefs, self.premature)


def pursue_together(atoms, Y, limit, tol, path):
    """Pursue the targets Y, (t, n), side by side; return a list of Found."""
    pursuits = [Pursuit(atoms, y, limit, tol) for y in Y]
    running = pursuits
    while running:
        running = [pursuit for pursuit in running if pursuit.has_rest()]
        if not running:
            break
        products = atoms.products(np.array([pursuit.direction() for pursuit in running]))
        running = [
            pursuit for pursuit, row in zip(running, products, strict=True) if pursuit.take(row)
        ]
    return [pursuit.found(path) for pursuit in pursuits]


def pursue_rows(atoms, Y, limit, tol, *, path=False):
    """Pursue the targets Y, (t, n), some at a time; return a list of Found.

    Groups run on threads; of one group, products with a large X do.
    """
    each = 8 * len(Y[0]) * min(limit, len(Y[0]))
    size = int(np.clip(MEMORY // each, 1, TARGETS))
    groups = [Y[start : start + size] for start in range(0, len(Y), size)]
    if len(groups) == 1:
        with one_blas_thread():
            return pursue_together(atoms, Y, limit, tol, path)

    def part(group):
        return pursue_together(atoms, group, limit, tol, path)

    return reduce_blocks(part, groups, list.__add__)
