"""What the parameters of the estimators by gradient descent mean, and what to say if it fails."""

from numbers import Integral

import numpy as np

from skcourse.core.optimizers import ADAPTIVE, RULES, Rule
from skcourse.linear_model.gradient_descent_curvature import largest_curvature


def rule_of(model, n_outputs):
    """Return the first-order rule as kernels take it."""
    decays = model.optimizer == "adamw" and model.penalty == "l2"
    return Rule(
        RULES[model.optimizer],
        float(model.momentum),
        float(model.beta_1),
        float(model.beta_2),
        float(model.optimizer_epsilon),
        float(model.alpha) if decays else 0.0,
        n_outputs,
    )


def rows_of_a_batch(batch_size, n):
    """Return how many of n rows make a batch."""
    if batch_size is None or batch_size == "full":
        return n
    if isinstance(batch_size, Integral):
        return min(int(batch_size), n)
    return max(1, round(batch_size * n))


def step_length(model, data, traits, batch_size):
    """Return the length of the first step.

    Raises
    ------
    ValueError
        If 1/L is asked for where there is none.
    """
    able = model.optimizer not in ADAPTIVE and np.isfinite(traits.curvature)
    if model.learning_rate == "lipschitz" and not able:
        why = (
            f"optimizer={model.optimizer!r}, whose steps are no multiples of the gradient"
            if model.optimizer in ADAPTIVE
            else f"loss={model.loss!r}, whose curvature has no bound"
        )
        raise ValueError(
            f"learning_rate='lipschitz' does not go with {why}. Use 'constant' or 'invscaling'."
        )
    if model.learning_rate in ("constant", "invscaling") or not able:
        return float(model.eta0)
    L = steepest(model, data, traits, batch_size)
    return 1.0 / L if L > 0 else 1.0


def steepest(model, data, traits, batch_size):
    """Return L, the largest curvature of the objective, or rather of its smooth part."""
    L = largest_curvature(
        data.X,
        data.weights,
        traits.curvature,
        fit_intercept=model.fit_intercept,
        batch_size=batch_size,
    )
    return L + (model.alpha if model.penalty == "l2" else 0.0)


def bound(model, descent, traits):
    """Say how long a step may be, and how long it was."""
    length = descent.plan.length
    if model.optimizer in ADAPTIVE:
        return f"The step, eta0={length:.3g}, is too long; lower eta0"
    if not np.isfinite(traits.curvature):
        return (
            f"The step, {length:.3g}, is too long for loss={model.loss!r}, whose curvature has no "
            "bound; lower eta0"
        )
    L = steepest(model, descent.data, traits, descent.plan.batch_size)
    m, form, most = model.momentum, "2 / L", 2 / L
    if model.optimizer == "momentum":
        form, most = "2 (1 + momentum) / L", 2 * (1 + m) / L
    elif model.optimizer == "nesterov":
        form, most = "2 (1 + momentum) / (1 + 2 momentum) / L", 2 * (1 + m) / (1 + 2 * m) / L
    if length <= most:
        return f"The step, {length:.3g}, is within {form} = {most:.3g}, so the start is at fault"
    return (
        f"The step, {length:.3g}, is above {form} = {most:.3g}, where L = {L:.3g} is the largest "
        "curvature of the objective; lower eta0, use learning_rate='lipschitz'"
    )


def diverged(model, descent, traits):
    """Say why there are no finite parameters."""
    with np.errstate(over="ignore", invalid="ignore"):
        return (
            f"Gradient descent diverged at epoch {descent.n_iter}: the parameters or the loss are "
            f"beyond the range of numbers. {bound(model, descent, traits)}, or standardise the "
            "features (StandardScaler)."
        )


def not_at_rest(model, descent, traits):
    """Say why `max_iter` epochs were not enough."""
    losses = descent.history.values["loss"]
    if losses[-1] > losses[0] + 1e-12 * abs(losses[0]):
        return (
            f"Gradient descent diverges: in {descent.n_iter} epochs the objective rose from "
            f"{losses[0]:.3g} to {losses[-1]:.3g}. {bound(model, descent, traits)}, or standardise "
            "the features (StandardScaler)."
        )
    what = (
        f"Gradient descent did not come to rest in max_iter={model.max_iter} epochs: the last one "
        f"moved the parameters by {descent.shift:.3g}, squared, and tol={model.tol:.3g}. Increase "
        "max_iter, or standardise the features (StandardScaler)."
    )
    if descent.n_batches > 1 and model.learning_rate != "invscaling":
        what += (
            " On batches, steps of constant length keep wandering about the minimum: use "
            "learning_rate='invscaling', or tol=None to run all epochs."
        )
    return what
