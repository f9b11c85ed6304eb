"""What a fit is: a minimum, reached step by step, in one go or in pieces."""

import itertools

import numpy as np
from sklearn.utils import get_tags

from skcourse.testing.answers import (
    DRAWS,
    SAFETY,
    allowance,
    answers,
    assert_agree,
    fitted,
    refit,
    seeded,
)
from skcourse.testing.problems import make_problem, wobble


def check_partial_fit_in_pieces(estimator, problem=None):
    """`partial_fit` on pieces = `fit` on the whole; and a later `fit` forgets the pieces."""
    problem = problem or make_problem(estimator)
    n = len(problem.X)
    whole = answers(fitted(estimator, problem), problem.asked)
    allowed = allowance(estimator, problem)
    for edges in ([0, n // 3, n // 3 + 1, n], [0, n]):
        pieces = [slice(*edge) for edge in itertools.pairwise(edges)]
        grown = seeded(estimator)
        for piece in pieces:
            if piece.stop > piece.start:
                learn(grown, problem.rows(piece), problem)
        what = f"if learnt in {len(pieces)} pieces"
        assert_agree(whole, answers(grown, problem.asked), allowed, what)
    again = answers(refit(grown, problem), problem.asked)
    assert_agree(whole, again, allowed, "if fitted after partial_fit")


def learn(estimator, piece, problem):
    """Call `partial_fit` on the piece, with what else the whole problem says."""
    options = {} if piece.weights is None else {"sample_weight": piece.weights}
    if get_tags(estimator).estimator_type == "classifier":
        options["classes"] = np.unique(problem.y)
    return estimator.partial_fit(piece.X, piece.y, **options)


def check_history(estimator, problem=None, *, falls=()):
    """`history_`: finite arrays by name, an entry per iteration; those in `falls` never rise.

    An estimator with `n_steps_`, whose iterations are passes over the rows, has an entry per step.
    """
    problem = problem or make_problem(estimator)
    fit = fitted(estimator, problem)
    history = fit.history_
    assert isinstance(history, dict) and history, "history_ is an empty dict, or none"
    assert set(falls) <= set(history), f"history_ has {sorted(history)}, not all of {falls}"
    lengths = {name: len(values) for name, values in history.items()}
    assert len(set(lengths.values())) == 1, f"history_ has entries of unequal length: {lengths}"
    n_iter = getattr(fit, "n_steps_", getattr(fit, "n_iter_", None))
    if np.ndim(n_iter) == 0 and n_iter is not None:
        assert set(lengths.values()) == {n_iter}, f"{lengths} entries of {n_iter} iterations"
    eps = np.finfo(problem.X.dtype).eps
    for name, values in history.items():
        assert isinstance(values, np.ndarray), f"history_[{name!r}] is not an array"
        assert np.isfinite(values).all(), f"history_[{name!r}] holds NaN or infinity"
        if name in falls:
            rise = np.diff(values) / np.abs(values[:-1]).max(initial=np.finfo(float).tiny)
            worst = rise.max(initial=-np.inf)
            assert worst <= problem.X.size * eps, f"history_[{name!r}] rises by {worst:.3g}"


def check_objective(estimator, problem=None, *, objective, optimum, reached=False):
    """The objective of a fit is at least the optimum; it is the optimum, if it is `reached`.

    Parameters
    ----------
    estimator : estimator
    problem : Problem or None, default=None
    objective : callable, from a fitted estimator and a problem to a number
    optimum : callable, from a problem to the least such number, found in another way
    reached : bool, default=False
        True if a fit finds the optimum, as convex ones do; False if it may find a local one.
    """
    problem = problem or make_problem(estimator)
    value, best = objective(fitted(estimator, problem), problem), optimum(problem)
    amplitude = max(problem.X.shape) * np.finfo(problem.X.dtype).eps
    slack = amplitude * max(abs(value), abs(best))
    rng = np.random.default_rng(0)
    for _ in range(DRAWS):
        moved = wobble(problem, amplitude, rng)
        other = objective(fitted(estimator, moved), moved)
        slack = max(slack, SAFETY * abs(optimum(moved) - best), SAFETY * abs(other - value))
    assert value >= best - slack, f"objective {value} below the optimum {best}"
    if reached:
        assert value <= best + slack, f"objective {value} misses the optimum {best}"
