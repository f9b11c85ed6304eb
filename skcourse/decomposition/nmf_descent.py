"""Non-negative factorisation by coordinate descent, one entry of W or H at a time.

Problem     min |X - W H|^2 / 2 + l1_W |W|_1 + l2_W |W|^2 / 2 + the same of H, over W, H >= 0   (1)
Iteration   All but w_it held, (1) is a parabola in it, with N = X H' - l1_W and G = H H' + l2_W 1:
                gradient g = sum_s G_ts w_is - n_it,    w_it <- max(0, w_it - g / G_tt)         (2)
            Rows do not see each other: each is swept once over t, for H as it is; then H', with
            N = X'W - l1_H and G = W'W + l2_H 1, in the same way. (1) never rises.
End         The violation is the sum of |g|, of min(0, g) where w_it = 0, as met on the way; it is
            0 at a stationary point. The iteration ends when it is `tol` of what it was at first.
Loss        With the sums that the update of H takes,
                |X - W H|^2 = |X|^2 - 2 <X'W, H'> + <W'W, H H'>,                                (3)
            which costs nothing, and is known to eps |X|^2.
New rows    For a given H, each row is a problem of its own: it is swept until its own violation
            is `tol` of what it was, whatever the other rows do.
Cost        4 n p k operations for the products, 2 (n + p) k^2 for the sweeps, one pass over X.
Reference   A. Cichocki, A.-H. Phan, Fast local algorithms for large scale nonnegative matrix and
            tensor factorizations, IEICE Trans. Fundamentals, 2009.
"""

import numpy as np

from skcourse.core.chunks import sum_over_chunks
from skcourse.core.history import History
from skcourse.core.kernel import kernel
from skcourse.decomposition.nmf_rows import gram

TILE = 64  # rows that are swept side by side, in vector code


@kernel
def sweep(F, N, G, orders, tol, max_iter):
    """Run (2) over the rows of F, in place, until the violation of each is `tol` of its first.

    Parameters
    ----------
    F : array of shape (m, k), rows of W or of H'
    N, G : float64 arrays of shape (m, k) and (k, k), penalties included
    orders : int64 array of shape (., k): the order of the entries, sweep by sweep, over and over
    tol : float
    max_iter : int, how many sweeps at most

    Returns
    -------
    first, last : float, the sums over the rows of their first and of their last violation
    n_iter : int, the most sweeps that a row had
    """
    k = F.shape[1]
    f, g = np.empty((k, TILE)), np.empty(TILE)
    at_first, now, moves = np.empty(TILE), np.empty(TILE), np.empty(TILE)
    first, last, n_iter = np.float64(0), np.float64(0), 0
    for start in range(0, F.shape[0], TILE):
        m = min(TILE, F.shape[0] - start)
        for t in range(k):
            for r in range(m):
                f[t, r] = F[start + r, t]
        for r in range(m):
            moves[r] = 1.0
            now[r] = 0.0
        for i in range(max_iter):
            for r in range(m):
                now[r] = now[r] * (1.0 - moves[r])
            for t in orders[i % orders.shape[0]]:
                for r in range(m):
                    g[r] = -N[start + r, t]
                for s in range(k):
                    c = G[t, s]
                    for r in range(m):
                        g[r] += c * f[s, r]
                for r in range(m):
                    old = f[t, r]
                    slope = g[r] if old > 0.0 or g[r] < 0.0 else 0.0
                    now[r] += moves[r] * abs(slope)
                    new = old - g[r] / G[t, t] if G[t, t] > 0.0 else old
                    new = new if new > 0.0 else 0.0
                    f[t, r] = new if moves[r] > 0.0 else old
            n_iter = max(n_iter, i + 1)
            n_moving = 0
            for r in range(m):
                if i == 0:
                    at_first[r] = now[r]
                moves[r] = 1.0 if moves[r] > 0.0 and now[r] > tol * at_first[r] else 0.0
                n_moving += int(moves[r])
            if n_moving == 0:
                break
        for r in range(m):
            first += at_first[r]
            last += now[r]
            for t in range(k):
                F[start + r, t] = f[t, r]
    return first, last, n_iter


def orders_of(k, shuffle, rng, n=1):
    """Return the order of the k entries in n sweeps, int64 (n, k), or (1, k) for always the same.

    The draws are scikit-learn's.
    """
    if not shuffle:
        return np.arange(k, dtype=np.int64)[np.newaxis]
    return np.stack([rng.permutation(k) for _ in range(n)]).astype(np.int64)


def penalised(N, G, l1, l2):
    """Return N and G of (2); N may be overwritten."""
    N = N.astype(np.float64, copy=False)
    if l1:
        N -= l1
    return N, G + l2 * np.eye(len(G)) if l2 else G


def coordinate_descent(rows, W, Ht, penalties, *, tol, max_iter, shuffle, rng, verbose, task):
    """Minimise (1) from W and H', in place.

    Parameters
    ----------
    rows : DenseRows or SparseRows, X
    W : array of shape (n, k); Ht : array of shape (p, k)
    penalties : Penalties
    tol, max_iter, shuffle, rng, verbose : as of `NMF`, rng a RandomState
    task : of `core.history`

    Returns
    -------
    n_iter : int
    history : History, of the violation, and of (1) after each iteration
    """
    history, k, at_first = History(), W.shape[1], None
    squares, GH = rows.squares(), gram(Ht)
    for n_iter in range(1, max_iter + 1):
        step = task.subtask("iteration")
        order = orders_of(k, shuffle, rng)

        def across(w, N, G=GH, order=order):
            return sweep(w, *penalised(N, G, *penalties.of_W), order, 0.0, 1)[0]

        N, GW, violation = rows.round_trip(W, Ht, across)
        cross = N.copy() if penalties.of_H[0] else N
        N, G = penalised(N, GW, *penalties.of_H)
        violation += sweep_all(Ht, N, G, orders_of(k, shuffle, rng))
        GH = gram(Ht)
        loss = max(0.0, (squares + np.vdot(GW, GH)) / 2 - np.sum(cross * Ht)) + penalties.value(
            W, Ht, np.trace(GW), np.trace(GH)
        )
        history.append(loss=loss, violation=violation)
        at_first = violation if at_first is None else at_first
        stop = step.end(lambda n=n_iter: (Ht, n))
        if at_first == 0 or not np.isfinite(violation):
            break
        if verbose:
            print("violation:", violation / at_first)
        if violation / at_first <= tol:
            if verbose:
                print("Converged at iteration", n_iter + 1)
            break
        if stop:
            break
    return n_iter, history


def sweep_all(F, N, G, order):
    """Run (2) once over all rows of F, in place; return the violation."""

    def part(rows):
        return sweep(F[rows], N[rows], G, order, 0.0, 1)[0]

    return sum_over_chunks(part, len(F), row_bytes=16 * F.shape[1])


def solve_rows(rows, W, Ht, penalties, *, tol, max_iter, shuffle, rng):
    """Minimise (1) over W alone, in place, row by row.

    Returns
    -------
    n_iter : int, the most sweeps that a row had
    converged : bool, whether the violation of all rows together is `tol` of what it was
    """
    N, G = penalised(rows.products(Ht), gram(Ht), *penalties.of_W)
    orders = orders_of(W.shape[1], shuffle, rng, max_iter)
    if len(W) <= TILE:
        first, last, n_iter = sweep(W, N, G, orders, tol, max_iter)
        return n_iter, last <= tol * first
    counts = np.zeros(len(W), np.int64)

    def part(few):
        first, last, counts[few] = sweep(W[few], N[few], G, orders, tol, max_iter)
        return first, last

    first, last = sum_over_chunks(part, len(W), row_bytes=16 * W.shape[1])
    return int(counts.max()), bool(last <= tol * first)
