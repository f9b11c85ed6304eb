"""Changes of the data that change the answers in a known way, or not at all.

An estimator declares which it has, in its `Case`: least squares with an intercept does not see a
shift of X, a ridge does not see a rotation, k-means sees neither.
"""

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np
from sklearn.base import clone

from skcourse.testing.answers import allowance, answers, assert_agree, fitted
from skcourse.testing.problems import make_problem


def same(values):
    """Return `values`."""
    return values


def nothing(estimator):
    """Return no parameters."""
    return {}


class Symmetry(NamedTuple):
    """How X and y are changed, the parameters with them, and what becomes of the answers.

    Examples
    --------
    Half the unit of X, a quarter of the penalty of a ridge, and the predictions stay:

    >>> from sklearn.linear_model import Ridge
    >>> from skcourse.testing import Symmetry, check_symmetry
    >>> halved = Symmetry(
    ...     "halved", X=lambda X: X / 2, parameters=lambda ridge: {"alpha": ridge.alpha / 4}
    ... )
    >>> check_symmetry(Ridge(), symmetry=halved)
    """

    name: str
    X: Callable = same
    y: Callable = same
    parameters: Callable[[Any], dict] = nothing  # from the estimator to what it needs changed
    answers: dict[str, Callable] = {}  # by method, from (values, X); those not named stay


def check_symmetry(estimator, problem=None, *, symmetry):
    """Change the data as `symmetry` says: the answers change as it says."""
    problem = problem or make_problem(estimator)
    y = None if problem.y is None else symmetry.y(problem.y)
    changed = problem._replace(X=symmetry.X(problem.X), y=y, queries=symmetry.X(problem.asked))
    other = clone(estimator).set_params(**symmetry.parameters(estimator))
    expected = {
        name: symmetry.answers[name](values, problem.X) if name in symmetry.answers else values
        for name, values in answers(fitted(estimator, problem), problem.asked).items()
    }
    found = answers(fitted(other, changed), changed.asked)
    assert_agree(expected, found, allowance(other, changed), f"under {symmetry.name}")


def shift(by=3.0):
    """Return the symmetry x_j -> x_j + j by, j = 1, 2, ...: answers stay."""
    return Symmetry("a shift of X", X=lambda X: X + X.dtype.type(by) * steps(X))


def steps(X):
    """Return 1, 2, ... for the columns of X, in its dtype."""
    return np.arange(1, X.shape[1] + 1).astype(X.dtype)


def scale(by=3.0, *, parameters=nothing, **answers):
    """Return the symmetry X -> by X; `answers` by method, where they change.

    Parameters
    ----------
    by : float, default=3.0
    parameters : callable, from the estimator to the parameters that change with the unit
    **answers : callable, from the old answers of the method of that name, and X, to the new ones

    Examples
    --------
    >>> from skcourse.testing import scale
    >>> scale(10.0, transform=lambda Z, X: 10 * Z).name
    'a change of the unit of X'
    """
    return Symmetry(
        "a change of the unit of X", lambda X: X * X.dtype.type(by), same, parameters, answers
    )


def stretch(by=3.0):
    """Return the symmetry x_j -> by^(j mod 3) x_j, a unit for each column: answers stay."""
    return Symmetry("a unit for each column", X=lambda X: X * X.dtype.type(by) ** (steps(X) % 3))


def rotation(seed=0):
    """Return the symmetry x -> Q x with a random orthogonal Q: answers stay."""

    def turn(X):
        p = X.shape[1]
        Q, _ = np.linalg.qr(np.random.default_rng(seed).normal(size=(p, p)))
        return X @ Q.astype(X.dtype)

    return Symmetry("a rotation of X", X=turn)


def target_affine(by=-3.0, plus=7.0):
    """Return the symmetry y -> by y + plus, predictions alike."""

    def change(y):
        return y * y.dtype.type(by) + y.dtype.type(plus)

    def answer(y, X):
        return change(y)

    return Symmetry("a change of the unit and origin of y", y=change, answers={"predict": answer})
