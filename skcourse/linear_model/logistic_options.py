"""Which penalties and solvers of logistic regression go together, and what replaces old names."""

import warnings
from numbers import Number
from typing import NamedTuple

import numpy as np

SOLVERS = ("lbfgs", "liblinear", "newton-cg", "newton-cholesky", "sag", "saga")
SHORT_INDICES = ("liblinear", "sag", "saga")  # solvers that refuse 64-bit indices, as theirs do


class Options(NamedTuple):
    """How a fit is to be done, the strength of the penalty aside."""

    solver: str
    penalty: str | None  # "l1", "l2" or "elasticnet"; None is none
    dual: bool
    tol: float
    max_iter: int
    fit_intercept: bool
    intercept_scaling: float
    random_state: object
    verbose: int


def options_of(estimator, penalty, **changes):
    """Return the Options of an estimator, checked.

    Raises
    ------
    ValueError
        If solver, penalty and `dual` do not go together.
    """
    names = [name for name in Options._fields if name != "penalty"]
    values = {name: getattr(estimator, name) for name in names} | changes
    check_solver(values["solver"], penalty, values["dual"])
    return Options(penalty=penalty, **values)


def check_solver(solver, penalty, dual):
    """Raise ValueError, scikit-learn's, if a solver cannot do what is asked of it."""
    if solver not in ("liblinear", "saga") and penalty not in ("l2", None):
        raise ValueError(
            f"Solver {solver} supports only 'l2' or None penalties, got {penalty} penalty."
        )
    if solver != "liblinear" and dual:
        raise ValueError(f"Solver {solver} supports only dual=False, got dual={dual}")
    if penalty == "elasticnet" and solver != "saga":
        raise ValueError(f"Only 'saga' solver supports elasticnet penalty, got solver={solver}.")
    if solver == "liblinear" and penalty is None:
        raise ValueError(
            "C=np.inf as well as penalty=None is not supported for the liblinear solver"
        )
    if solver == "liblinear" and penalty == "l1" and dual:
        raise ValueError(
            "Unsupported set of arguments: The combination of penalty='l1' and loss='logistic_"
            "regression' are not supported when dual=True, Parameters: penalty='l1', dual=True"
        )


def check_problem(solver, classes, X):
    """Raise ValueError, scikit-learn's, if a solver cannot fit these classes or numbers."""
    if len(classes) < 2:
        raise ValueError(
            "This solver needs samples of at least 2 classes in the data, but the data contains "
            f"only one class: {classes[0]!r}"
        )
    if solver != "liblinear":
        return
    if len(classes) > 2:
        raise ValueError(
            "The 'liblinear' solver does not support multiclass classification (n_classes >= 3). "
            "Either use another solver or wrap the estimator in a OneVsRestClassifier to keep "
            "applying a one-versus-rest scheme."
        )
    if X.max() > 1e30:
        raise ValueError(
            "Using the 'liblinear' solver while X contains a maximum value > 1e30 results in a "
            "frozen fit. Please choose another solver or rescale the input X."
        )


def penalty_of(model):
    """Return the penalty of a LogisticRegression, and its C; warn about old names.

    Raises
    ------
    ValueError
        If the penalty lacks its `l1_ratio`.
    """
    ratio, C = model.l1_ratio, model.C
    if model.penalty == "deprecated":
        if ratio is None:
            deprecated(
                "'l1_ratio=None' was deprecated in version 1.8 and will trigger an error in 1.10. "
                "Use 0<=l1_ratio<=1 instead."
            )
        penalty = None if np.inf == C else name_of(ratio)
    else:
        penalty = model.penalty
        deprecated(
            "'penalty' was deprecated in version 1.8 and will be removed in 1.10. To avoid this "
            "warning, leave 'penalty' set to its default value and use 'l1_ratio' or 'C' instead. "
            "Use l1_ratio=0 instead of penalty='l2', l1_ratio=1 instead of penalty='l1', l1_ratio "
            "set to a float between 0 and 1 instead of penalty='elasticnet', and C=np.inf instead "
            "of penalty=None."
        )
    check_solver(model.solver, penalty, model.dual)
    if penalty != "elasticnet" and ratio is not None and 0 < ratio < 1:
        tell(
            f"l1_ratio parameter is only used when penalty is 'elasticnet'. Got (penalty={penalty})"
        )
    if (model.penalty == "l2" and ratio != 0) or (model.penalty == "l1" and ratio != 1):
        tell(
            f"Inconsistent values: penalty={model.penalty} with l1_ratio={ratio}. penalty is "
            "deprecated. Please use l1_ratio only."
        )
    if penalty == "elasticnet" and ratio is None:
        raise ValueError("l1_ratio must be specified when penalty is elasticnet.")
    if model.penalty is None:
        if C != 1.0:
            tell("Setting penalty=None will ignore the C and l1_ratio parameters")
        C = np.inf
    return penalty, C


def penalties_of(model):
    """Return the penalty of a LogisticRegressionCV, and the values of `l1_ratio` to be tried.

    The values are [None] if none were given. Warn about old names, and raise ValueError for
    ratios outside of [0, 1].
    """
    ratios = model.l1_ratios
    if isinstance(ratios, str):  # "warn"
        ratios = None
        deprecated(
            "The default value for l1_ratios will change from None to (0.0,) in version 1.10. From "
            "version 1.10 onwards, only array-like with values in [0, 1] will be allowed, None "
            "will be forbidden. To avoid this warning, explicitly set a value, e.g. "
            "l1_ratios=(0,)."
        )
    if model.penalty == "deprecated":
        if model.l1_ratios is None:
            deprecated(
                "'l1_ratios=None' was deprecated in version 1.8 and will trigger an error in 1.10. "
                "Use an array-like with values in [0, 1] instead."
            )
        penalty = name_of(ratios)
    else:
        penalty = model.penalty
        deprecated(
            "'penalty' was deprecated in version 1.8 and will be removed in 1.10. To avoid this "
            "warning, leave 'penalty' set to its default value and use 'l1_ratios' and 'Cs' "
            "instead. Use l1_ratios=(0,) instead of penalty='l2', l1_ratios=(1,) instead of "
            "penalty='l1', l1_ratios set to floats between 0 and 1 instead of "
            "penalty='elasticnet', and Cs=(np.inf,) instead of penalty=None."
        )
    check_solver(model.solver, penalty, model.dual)
    if penalty == "elasticnet" and not are_ratios(ratios):
        raise ValueError(
            "l1_ratios must be an array-like of numbers between 0 and 1; got "
            f"(l1_ratios={ratios!r})"
        )
    if penalty != "elasticnet" and ratios is not None and model.penalty != "deprecated":
        tell(
            "l1_ratios parameter is only used when penalty is 'elasticnet'. Got "
            f"(penalty={penalty})"
        )
    return penalty, [None] if ratios is None else list(ratios)


def are_ratios(ratios):
    """Tell whether these are numbers between 0 and 1, at least one."""
    if ratios is None or len(ratios) == 0:
        return False
    return all(isinstance(ratio, Number) and 0 <= ratio <= 1 for ratio in ratios)


def name_of(ratio):
    """Return what a penalty with this `l1_ratio`, a number or several, is called."""
    if ratio is None or np.all(np.asarray(ratio) == 0):
        return "l2"
    return "l1" if np.all(np.asarray(ratio) == 1) else "elasticnet"


def deprecated(message):
    """Issue a FutureWarning that points at the line that called `fit`."""
    warnings.warn(message, FutureWarning, stacklevel=6)


def tell(message):
    """Issue a UserWarning that points there."""
    warnings.warn(message, stacklevel=6)
