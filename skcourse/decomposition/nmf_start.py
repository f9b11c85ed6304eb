"""Where a non-negative factorisation begins: W and H, and the unit in which X is factorised.

Singular    Of X = sum_j s_j u_j v_j', each pair (u, v) of singular vectors has a part (u+, v+)
            above 0 and a part (u-, v-) below. The larger one, by the product of its norms, is kept:
                w_j = sqrt(s_j |u+| |v+|) u+ / |u+|,   h_j likewise with v+                     (1)
            The first pair is of one sign. Zeros stay ("nndsvd"), or become the mean of X
            ("nndsvda"), or small numbers by chance ("nndsvdar").
Random      |z| sqrt(mean of X / k), z standard normal.
Unit        Squares of numbers beyond some size overflow, or vanish. Such X is factorised as 2^e X,
            and W and H as 2^(e / 2) W and 2^(e / 2) H, which rounds nothing.
Reference   C. Boutsidis, E. Gallopoulos, SVD based initialization: a head start for nonnegative
            matrix factorization, Pattern Recognition, 2008.
"""

import warnings
from typing import NamedTuple

import numpy as np
import scipy.sparse as sp
from sklearn.utils import check_array, check_random_state
from sklearn.utils.extmath import randomized_svd
from sklearn.utils.validation import check_non_negative

LEAST = 1e-6  # entries of (1) below it are 0
MULTIPLICATIVE_LEAST = 1e-6  # of X: below it, the floor of the quotients shows
SIZES = {np.dtype(np.float64): (1e-100, 1e100), np.dtype(np.float32): (1e-12, 1e12)}


class Penalties(NamedTuple):
    """The penalties l1 |W|_1 + l2 |W|^2 / 2 of W, and those of H."""

    of_W: tuple  # l1, l2
    of_H: tuple

    def value(self, W, Ht, squares_W, squares_H):
        """Return the sum of the penalties, for the sums of squares that are given."""
        found = (self.of_W[1] * squares_W + self.of_H[1] * squares_H) / 2
        for l1, F in ((self.of_W[0], W), (self.of_H[0], Ht)):
            found += l1 * np.sum(F, dtype=np.float64) if l1 else 0.0
        return float(found)

    def of_factors(self, W, Ht):
        """Return the sum of the penalties."""
        if not any(self.of_W + self.of_H):
            return 0.0
        squares = [np.sum(np.square(F, dtype=np.float64)) for F in (W, Ht)]
        return self.value(W, Ht, *squares)


class Unit(NamedTuple):
    """Powers of 2 by which X, W and H are divided."""

    of_X: int = 0
    of_W: int = 0
    of_H: int = 0

    def penalties(self, penalties, beta):
        """Return the penalties in this unit, in which the divergence is 2^(beta of_X) less."""
        pairs = zip(penalties, (self.of_W, self.of_H), strict=True)
        scaled = [
            (times(l1, e - beta * self.of_X), times(l2, 2 * e - beta * self.of_X))
            for (l1, l2), e in pairs
        ]
        return Penalties(*scaled)


def times(number, exponent):
    """Return number 2^exponent, at most 1e200."""
    with np.errstate(over="ignore", under="ignore"):
        return float(min(number * np.exp2(float(exponent)), 1e200)) if number else 0.0


def unit_of(X, solver, H=None):
    """Return the unit for X, and for a given H: 1, unless numbers are very large or small."""
    low, high = SIZES[X.dtype]
    low = MULTIPLICATIVE_LEAST if solver == "mu" else low
    size = X.max() if X.shape[0] and X.shape[1] else 0.0
    e = 0 if size == 0 or low <= size <= high else 2 * int(np.floor(np.log2(size) / 2))
    if H is None:
        return Unit(e, e // 2, e // 2)
    size = H.max()
    of_H = 0 if size == 0 or (low <= size <= high and not e) else int(np.floor(np.log2(size)))
    return Unit(e, e - of_H, of_H)


def divided(A, e):
    """Return A / 2^e, A itself for e = 0."""
    if e == 0:
        return A
    if sp.issparse(A):
        A = A.copy()
        A.data = divided(A.data, e)
        return A
    with np.errstate(over="ignore", under="ignore"):
        return np.ldexp(A, -e)


def check_factor(A, shape, whom):
    """Raise scikit-learn's ValueError unless A can be a factor; "auto" in `shape` is any number."""
    A = check_array(A)
    for axis, name in enumerate(("first", "second")):
        if shape[axis] != "auto" and A.shape[axis] != shape[axis]:
            raise ValueError(
                f"Array with wrong {name} dimension passed to {whom}. Expected {shape[axis]}, but "
                f"got {A.shape[axis]}."
            )
    check_non_negative(A, whom)
    if np.max(A) == 0:
        raise ValueError(f"Array passed to {whom} is full of zeros.")


def custom_start(X, W, H, k):
    """Return copies of the user's W and H' as the first factors."""
    check_factor(H, (k, X.shape[1]), "NMF (input H)")
    check_factor(W, (X.shape[0], k), "NMF (input W)")
    W, H = np.asarray(W), np.asarray(H)
    k = H.shape[0]
    check_factor(W, (X.shape[0], k), "NMF (input W)")
    if H.dtype != X.dtype or W.dtype != X.dtype:
        raise TypeError(
            f"H and W should have the same dtype as X. Got H.dtype = {H.dtype} and "
            f"W.dtype = {W.dtype}."
        )
    return np.array(W, order="C"), np.array(H.T, order="C")


def fixed_components(X, W, H, k):
    """Return the user's H', C-contiguous, to find W for."""
    if W is not None:
        warnings.warn(
            "When update_H=False, the provided initial W is not used.",
            RuntimeWarning,
            stacklevel=4,
        )
    check_factor(H, (k, X.shape[1]), "NMF (input H)")
    H = np.asarray(H)
    if H.dtype != X.dtype:
        raise TypeError(f"H should have the same dtype as X. Got H.dtype = {H.dtype}.")
    return np.array(H.T, order="C")


def start(X, k, init, random_state):
    """Return the first W, (n, k), and H', (p, k), by name, with scikit-learn's draws.

    Parameters
    ----------
    X : {array, sparse matrix} of shape (n, p), at least 0
    k : int
    init : {None, "random", "nndsvd", "nndsvda", "nndsvdar"}
    random_state : int, RandomState instance or None
    """
    if init not in (None, "random") and k > min(X.shape):
        raise ValueError(
            f"init = '{init}' can only be used when n_components <= min(n_samples, n_features)"
        )
    if init is None:
        init = "nndsvda" if k <= min(X.shape) else "random"
    if init == "random":
        return random_start(X, k, check_random_state(random_state))
    W, Ht = singular_start(X, k, random_state)
    if init == "nndsvda":
        for F in (W, Ht):
            F[F == 0] = X.mean()
    elif init == "nndsvdar":
        rng, mean = check_random_state(random_state), X.mean()
        for F in (W, Ht.T):  # in the order of the rows of H, as the draws are
            zeros = F == 0
            F[zeros] = np.abs(mean * rng.standard_normal(np.count_nonzero(zeros)) / 100)
    return W, Ht


def random_start(X, k, rng):
    """Return W and H' by chance."""
    scale = np.sqrt(X.mean() / k)
    H, W = (
        np.abs(scale * rng.standard_normal(shape).astype(X.dtype, copy=False))
        for shape in ((k, X.shape[1]), (X.shape[0], k))
    )
    return W, np.ascontiguousarray(H.T)


def singular_start(X, k, random_state):
    """Return W and H' by (1)."""
    U, s, Vt = randomized_svd(X, k, random_state=random_state)
    U, V = np.ascontiguousarray(U), np.ascontiguousarray(Vt.T)
    W, Ht = np.zeros_like(U), np.zeros_like(V)
    W[:, 0] = np.sqrt(s[0]) * np.abs(U[:, 0])
    Ht[:, 0] = np.sqrt(s[0]) * np.abs(V[:, 0])
    for j in range(1, k):
        parts = []
        for sign in (1, -1):
            u, v = np.maximum(sign * U[:, j], 0), np.maximum(sign * V[:, j], 0)
            parts.append((np.linalg.norm(u), np.linalg.norm(v), u, v))
        above, below = parts
        size_u, size_v, u, v = above if above[0] * above[1] > below[0] * below[1] else below
        if size_u * size_v > 0:
            size = np.sqrt(s[j] * size_u * size_v)
            W[:, j], Ht[:, j] = size * (u / size_u), size * (v / size_v)
    for F in (W, Ht):
        F[F < LEAST] = 0
    return W, Ht
