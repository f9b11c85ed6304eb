"""The front desk of non-negative factorisation: which start, which solver, in which unit.

See `nmf` for the problem. What is found in another unit is brought back into that of X.
"""

import warnings
from typing import NamedTuple

import numpy as np
from sklearn.utils import check_random_state
from sklearn.utils.validation import check_non_negative

from skcourse.core.chunks import one_blas_thread
from skcourse.core.history import SILENCE, warn_not_converged
from skcourse.decomposition import nmf_start
from skcourse.decomposition.nmf_descent import coordinate_descent, solve_rows
from skcourse.decomposition.nmf_losses import beta_of
from skcourse.decomposition.nmf_multiplicative import Multiplication
from skcourse.decomposition.nmf_rows import rows_of
from skcourse.decomposition.nmf_start import Penalties, divided, unit_of


class Factorisation(NamedTuple):
    """What a fit finds."""

    W: np.ndarray  # (n, k)
    H: np.ndarray  # (k, p)
    n_iter: int
    history: dict | None  # None where only W was looked for
    error: float | None  # sqrt(2 D), likewise


def factorise(model, X, W, H, *, update_H=True, task=SILENCE):
    """Return the Factorisation of validated X with the parameters of `model`.

    Parameters
    ----------
    model : NMF
    X : {array, sparse matrix} of shape (n, p)
    W, H : as given by the user, or None
    update_H : bool, default=True
        False finds W for this H.
    task : of `core.history`
    """
    beta = beta_of(model.beta_loss)
    check_together(model, X, beta)
    k = X.shape[1] if model.n_components is None else model.n_components
    with one_blas_thread(), np.errstate(over="ignore", invalid="ignore", under="ignore"):
        if not update_H:
            return find_W(model, X, nmf_start.fixed_components(X, W, H, k), beta)
        unit = unit_of(X, model.solver)
        X = divided(X, unit.of_X)
        if model.init == "custom":
            W, Ht = nmf_start.custom_start(X, W, H, k)
            W, Ht = divided(W, unit.of_W), divided(Ht, unit.of_H)
        else:
            if W is not None or H is not None:
                warnings.warn(
                    "When init!='custom', provided W or H are ignored. Set  init='custom' to use "
                    "them as initialization.",
                    RuntimeWarning,
                    stacklevel=4,
                )
            k = X.shape[1] if k == "auto" else k
            W, Ht = nmf_start.start(X, k, model.init, model.random_state)
        return find_both(model, X, (W, Ht), unit, task)


def solve_for(model, X, H):
    """Return W for validated X and the fitted components H, which may be all zeros."""
    beta = beta_of(model.beta_loss)
    check_together(model, X, beta)
    with one_blas_thread(), np.errstate(over="ignore", invalid="ignore", under="ignore"):
        return find_W(model, X, np.array(H.T, X.dtype, order="C"), beta).W


def check_together(model, X, beta):
    """Raise ValueError if parameters do not fit together, or X does not fit them."""
    if model.solver != "mu" and beta != 2:
        raise ValueError(
            f"Invalid beta_loss parameter: solver {model.solver!r} does not handle "
            f"beta_loss = {model.beta_loss!r}"
        )
    if model.solver == "mu" and model.init == "nndsvd":
        warnings.warn(
            "The multiplicative update ('mu') solver cannot update zeros present in the "
            "initialization, and so leads to poorer results when used jointly with init='nndsvd'. "
            "You may try init='nndsvda' or init='nndsvdar' instead.",
            UserWarning,
            stacklevel=4,
        )
    check_non_negative(X, "NMF (input X)")
    if beta <= 0 and X.min() == 0:
        raise ValueError(
            "When beta_loss <= 0 and X contains zeros, the solver may diverge. Please add small "
            "values to X, or use a positive beta_loss."
        )


def penalties_of(model, X, beta, unit):
    """Return the penalties of (1), in the unit of X."""
    n, p = X.shape
    alpha_H = model.alpha_W if model.alpha_H == "same" else model.alpha_H
    shares = model.l1_ratio, 1.0 - model.l1_ratio
    found = Penalties(
        tuple(p * model.alpha_W * share for share in shares),
        tuple(n * alpha_H * share for share in shares),
    )
    return unit.penalties(found, beta) if any(unit) else found


def find_both(model, X, factors, unit, task):
    """Return the Factorisation of X / unit from the first W and H', which are overwritten."""
    (W, Ht), beta = factors, beta_of(model.beta_loss)
    rows, penalties = rows_of(X, beta), penalties_of(model, X, beta, unit)
    how = {"tol": model.tol, "max_iter": model.max_iter, "verbose": model.verbose}
    if model.solver == "cd":
        how |= {"shuffle": model.shuffle, "rng": draws(model)}
        n_iter, history = coordinate_descent(
            rows, W, Ht, penalties, task=Attributes(task, unit), **how
        )
    else:
        run = Multiplication(rows, beta, penalties)
        n_iter, history = run.run(W, Ht, task=Attributes(task, unit), **how)
    value = rows.divergence(W, Ht, beta)
    history = history.arrays()
    if not np.isfinite([value, *(values[-1] for values in history.values())]).all():
        raise ValueError(
            "The factorisation left the range of numbers: X, or the first W and H, have entries "
            "that are too large, or too small. Scale them."
        )
    warn_if_last(model, n_iter)
    error = np.sqrt(2 * max(value, 0.0)) * 2.0 ** (beta * unit.of_X / 2)
    history["loss"] = history["loss"] * np.exp2(float(beta * unit.of_X))
    return Factorisation(
        divided(W, -unit.of_W), divided(components(Ht), -unit.of_H), n_iter, history, float(error)
    )


def find_W(model, X, Ht, beta):
    """Return the Factorisation of X with this H', for which W is found."""
    unit = unit_of(X, model.solver, Ht)
    H, X, Ht = components(Ht), divided(X, unit.of_X), divided(Ht, unit.of_H)
    rows, penalties = rows_of(X, beta), penalties_of(model, X, beta, unit)
    shape, how = (X.shape[0], Ht.shape[1]), {"tol": model.tol, "max_iter": model.max_iter}
    if model.solver == "cd":
        W = np.zeros(shape, X.dtype)
        how |= {"shuffle": model.shuffle, "rng": draws(model)}
        n_iter, converged = solve_rows(rows, W, Ht, penalties, **how)
        if not converged:
            warn_if_last(model, n_iter)
    else:
        W = np.full(shape, np.sqrt(X.mean() / Ht.shape[1]), X.dtype)
        run = Multiplication(rows, beta, penalties)
        n_iter = run.solve_W(W, Ht, verbose=model.verbose, **how)
        warn_if_last(model, n_iter)
    return Factorisation(divided(W, -unit.of_W), H, n_iter, None, None)


def draws(model):
    """Return the generator of the orders of components, None where there is but one order."""
    return check_random_state(model.random_state) if model.shuffle else None


def warn_if_last(model, n_iter):
    """Warn if the iteration was ended by `max_iter`."""
    if n_iter == model.max_iter and model.tol > 0:
        warn_not_converged(
            f"Maximum number of iterations {model.max_iter} reached. Increase it to improve "
            "convergence.",
        )


def components(Ht):
    """Return H, (k, p), C-contiguous."""
    return np.ascontiguousarray(Ht.T)


class Attributes:
    """A task whose parts end with H' and a number of iterations, of which attributes are made."""

    def __init__(self, task, unit):
        self.task, self.unit = task, unit

    def subtask(self, name):
        """Begin a part."""
        return Attributes(self.task.subtask(name), self.unit)

    def end(self, now):
        """End a part; `now`, a callable, returns H' and the number of iterations."""

        def made():
            Ht, n_iter = now()
            H = divided(components(Ht), -self.unit.of_H)
            return {"components_": H, "n_components_": len(H), "n_iter_": n_iter}

        return self.task.end(made)
