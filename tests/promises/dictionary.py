"""What dictionary learning promises."""

import numpy as np

from skcourse.testing import Case, Symmetry

FEW = {"max_iter": 6}
SEVERAL = {"max_iter": 3, "batch_size": 20, "tol": 0.0, "max_no_improvement": None}
LASSO = {"transform_algorithm": "lasso_lars"}
# Rounding grows from turn to turn: what is compared with theirs is few of them.
SHARP = {
    "DictionaryLearning": {"max_iter": 3} | LASSO,
    "MiniBatchDictionaryLearning": SEVERAL | {"batch_size": 256} | LASSO,
}
LONG = {"DictionaryLearning": 60_000, "MiniBatchDictionaryLearning": 60_000}
PIECES = {
    "check_partial_fit_in_pieces": "a piece is one step, and a fit takes as many as it has batches"
}
# The start is a decomposition, whose axes rounding chooses where singular values are equal.
SOLID = {"flaws": ("none",), "conditions": (10.0, 1e2), "columns": (3, 6)}


def turned(X):
    """Rotate the rows."""
    Q, _ = np.linalg.qr(np.random.default_rng(0).normal(size=(X.shape[1],) * 2))
    return X @ Q.astype(X.dtype)


def cost(fit, problem):
    """Return half the squared error and the penalty of the codes of the training rows."""
    code = fit.transform(problem.X).astype(float)
    error = np.sum((problem.X - code @ fit.components_.astype(float)) ** 2)
    return 0.5 * error + fit.alpha * np.abs(code).sum()


def nothing(problem):
    """Return a bound below every cost."""
    return 0.0


def in_turns(cls):
    """The cost falls from turn to turn; neither a rotation nor the order of rows changes a code.

    As long as every atom is used: the others give way to rows that are drawn.
    """
    used = SOLID | {"scales": (1.0, 1e3)}
    moves = {"symmetries": (Symmetry("a rotation of X", X=turned),), "draws": False}
    yield Case(cls(2, alpha=0.01, **FEW, **LASSO), problems=used, falls=("cost",), **moves)
    best = {"objective": cost, "optimum": nothing}
    yield Case(cls(alpha=0.5, **FEW, **LASSO), problems=SOLID, falls=("cost",), **best)
    yield Case(cls(3, fit_algorithm="cd", positive_code=True, **FEW, **LASSO), problems=SOLID)
    yield Case(cls(5, positive_dict=True, **FEW), problems=SOLID, falls=("cost",))
    yield Case(cls(transform_algorithm="threshold", split_sign=True, **FEW), problems=SOLID)


def online(cls):
    """From batch to batch."""
    yield Case(cls(alpha=0.5, **SEVERAL, **LASSO), problems=SOLID, excused=PIECES)
    plain = cls(3, fit_algorithm="cd", shuffle=False, positive_code=True, **SEVERAL, **LASSO)
    yield Case(plain, problems=SOLID, excused=PIECES)


PROMISES = {"DictionaryLearning": in_turns, "MiniBatchDictionaryLearning": online}
