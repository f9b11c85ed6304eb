"""Where coordinate descent would lead to, from where it has been (Anderson's acceleration).

Problem     Once it is known which w_j are 0, a sweep is an affine map, and its iterates approach
            their limit like a geometric series, slowly where features are correlated.
Method      Six iterates tell where they go: with U the five changes between them,
                w = sum_i c_i w^(i),   c = M / sum(M),   M = (UU')^-1 1.                         (1)
            It is taken if it lowers the objective (1) of `duality_gap` visibly: near the end
            rounding would decide. What follows from w affinely, as residuals do, is mixed with the
            same c.
Cost        Fifteen products of length k, and one look at the residuals.
Reference   D. Anderson, Iterative procedures for nonlinear integral equations, J. ACM, 1965.
            Q. Bertrand, M. Massias, Anderson acceleration of coordinate descent, AISTATS 2021.
"""

import numpy as np

ROUNDING = 1e-14  # of the objective
WINDOW = 5  # sweeps between extrapolations
RIDGE = 1e-5  # of the trace, added to UU': rounding is not amplified, and X may be sparse or dense


def in_one_piece(*parts):
    """Return a vector of copies of the arrays `parts`, and its parts in their shapes."""
    flat = np.concatenate([part.ravel() for part in parts])
    ends = np.cumsum([part.size for part in parts])
    views = np.split(flat, ends[:-1])
    return flat, *(view.reshape(part.shape) for view, part in zip(views, parts, strict=True))


def extrapolate(flat, w, past, net, squares):
    """Move to (1) if that lowers the objective.

    Parameters
    ----------
    flat : array of shape (m,), the current iterate and what follows from it, changed
    w : array of shape (t, k), the iterate itself, with which `flat` begins
    past : array of shape (WINDOW + 1, m), which ends with `flat`
    net : Net
    squares : callable, which finds |r|^2
    """
    c = mixture(past[:, : w.size])
    if c is None:
        return
    before = 0.5 * squares() + penalty(w, net)
    flat[:] = c @ past[1:]
    after = 0.5 * squares() + penalty(w, net)
    if (net.positive and np.any(w < 0)) or not after < before * (1 - ROUNDING):
        flat[:] = past[WINDOW]


def mixture(past):
    """Return the c of (1), or None where UU' has no inverse to speak of."""
    U = np.diff(past, axis=0)
    A = U @ U.T
    trace = np.trace(A)
    if not (np.isfinite(trace) and trace > 0):
        return None
    M = np.linalg.solve(A + RIDGE * trace * np.eye(WINDOW), np.ones(WINDOW))
    return M / M.sum()


def penalty(w, net):
    """a sum_j |w_j| + b |w|^2 / 2."""
    squares = np.einsum("tj,tj->j", w, w)
    return net.l1 * np.sqrt(squares).sum() + 0.5 * net.l2 * squares.sum()
