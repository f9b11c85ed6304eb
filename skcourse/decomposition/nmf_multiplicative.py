"""Non-negative factorisation by multiplicative steps, for any beta-divergence.

Problem     min D_b(X | W H) + penalties of W and H, over W, H >= 0; see `nmf_losses`           (1)
Iteration   The gradient in W is a difference of what is at least 0, S H' + l1 + l2 W - R H':
                W <- W * ((R H') / (S H' + l1_W + l2_W W))^c                                    (2)
            entry by entry, and H likewise, with W'R and W'S. With c = 1 for b in [1, 2], and less
            beyond, (1) never rises. Zeros stay zeros.
            For b = 2, R = X, and S H' = W (H H'); for b = 1, S is 1, and S H' the sums of H.
End         Every tenth iteration looks at e = sqrt(2 D_b), and the last is that where e fell by
            less than `tol` times its first value.
Cost        8 n p k operations, or 4 n p k for b = 2, and one pass over X; for sparse X, with p the
            number of entries in a row, if b is 1 or 2.
Reference   D. Lee, H. S. Seung, Algorithms for non-negative matrix factorization, NIPS, 2001.
            C. Fevotte, J. Idier, Algorithms for nonnegative matrix factorization with the
            beta-divergence, Neural Computation, 2011.
"""

import time

import numpy as np

from skcourse.core.history import History
from skcourse.decomposition.nmf_losses import EPSILON, exponent
from skcourse.decomposition.nmf_rows import gram

EVERY = 10  # iterations between two looks at the divergence
SMALLEST = np.finfo(np.float64).eps  # for b below 1, less is 0


def multiply(F, numerators, denominators, l1, l2, power):
    """Run (2) on rows of W or of H', in place.

    Parameters
    ----------
    F, numerators : arrays of shape (m, k)
    denominators : array of shape (m, k) or (k,), overwritten if (m, k)
    l1, l2, power : float
    """
    if l1:
        denominators = denominators + l1
    if l2:
        denominators = denominators + l2 * F
    factors = numerators / np.where(denominators == 0, EPSILON, denominators)
    if power != 1:
        factors **= power
    F *= factors


class Multiplication:
    """An alternation of (2) for W and H.

    Parameters
    ----------
    rows : DenseRows or SparseRows, X
    beta : number, b
    penalties : Penalties
    """

    def __init__(self, rows, beta, penalties):
        self.rows, self.beta, self.penalties = rows, beta, penalties
        self.power = exponent(beta)
        self.squares = rows.squares() if beta == 2 else None

    def step(self, W, Ht):
        """Run (2) on W and then on H', in place; return the divergence if it costs nothing."""
        if self.beta != 2:
            self.step_W(W, Ht, columns=True)
            N, D = self.sums
            if self.beta == 1:
                D[D == 0] = 1.0
            self.update(Ht, N, D, self.penalties.of_H, floor=self.beta <= 1)
            return None
        GH = gram(Ht)

        def across(w, N):
            self.update(w, N, w @ GH, self.penalties.of_W)
            return 0.0

        N, GW, _ = self.rows.round_trip(W, Ht, across)
        self.update(Ht, N, Ht @ GW, self.penalties.of_H)
        return self.by_sums(N, GW, Ht)

    def by_sums(self, N, GW, Ht):
        """Return |X - W H|^2 / 2 from X'W and W'W."""
        value = (self.squares + np.vdot(GW, gram(Ht))) / 2 - np.sum(N * Ht)
        return max(0.0, float(value))

    def step_W(self, W, Ht, *, columns):
        """Run (2) on W for a b other than 2; leave the sums for H' behind, if `columns`."""
        H_sum = np.sum(Ht, axis=0, dtype=np.float64)

        def across(w, N, D):
            D = H_sum if D is None else D
            self.update(w, N, D, self.penalties.of_W, floor=self.beta < 1)

        self.sums = self.rows.ratio_trip(W, Ht, self.beta, across, columns=columns)

    def update(self, F, N, D, penalty, floor=False):
        """Run (2) on rows of a factor."""
        multiply(F, N, D, *penalty, self.power)
        if floor:
            F[F < SMALLEST] = 0.0

    def run(self, W, Ht, *, tol, max_iter, verbose, task):
        """Alternate from W and H', in place, until the end.

        Returns
        -------
        n_iter : int
        history : History, of (1) after each iteration
        """
        history, begun = History(), time.perf_counter()
        look = Looks(self.rows.divergence(W, Ht, self.beta), tol, verbose, begun)
        for n_iter in range(1, max_iter + 1):
            step = task.subtask("iteration")
            value = self.step(W, Ht)
            if value is None:
                value = self.rows.divergence(W, Ht, self.beta)
            history.append(loss=value + self.penalties.of_factors(W, Ht))
            stop = step.end(lambda n=n_iter: (Ht, n))
            if look.is_over(n_iter, value) or stop:
                break
        look.say_goodbye(n_iter)
        return n_iter, history

    def solve_W(self, W, Ht, *, tol, max_iter, verbose):
        """Run (2) on W alone, in place; return the number of iterations."""
        look = Looks(self.rows.divergence(W, Ht, self.beta), tol, verbose, time.perf_counter())
        if self.beta == 2:
            N, GH = self.rows.products(Ht), gram(Ht)
        for n_iter in range(1, max_iter + 1):
            if self.beta == 2:
                self.update(W, N, W @ GH, self.penalties.of_W)
            else:
                self.step_W(W, Ht, columns=False)
            if look.is_due(n_iter) and look.is_over(n_iter, self.rows.divergence(W, Ht, self.beta)):
                break
        look.say_goodbye(n_iter)
        return n_iter


class Looks:
    """Looks at the divergence now and then: whether it still falls."""

    def __init__(self, value, tol, verbose, begun):
        self.first = self.last = np.sqrt(2 * max(value, 0.0))
        self.tol, self.verbose, self.begun = tol, verbose, begun

    def is_due(self, n_iter):
        """Tell whether this is an iteration to look at."""
        return self.tol > 0 and n_iter % EVERY == 0

    def is_over(self, n_iter, value):
        """Tell whether the iteration may end."""
        if not self.is_due(n_iter):
            return False
        error = np.sqrt(2 * max(value, 0.0))
        if self.verbose:
            seconds = time.perf_counter() - self.begun
            print(f"Epoch {n_iter:02d} reached after {seconds:.3f} seconds, error: {error:f}")
        over = self.last - error < self.tol * self.first
        self.last = error
        return over or not np.isfinite(error)

    def say_goodbye(self, n_iter):
        """Print the last iteration, if that has not been done."""
        if self.verbose and not self.is_due(n_iter):
            seconds = time.perf_counter() - self.begun
            print(f"Epoch {n_iter:02d} reached after {seconds:.3f} seconds.")
