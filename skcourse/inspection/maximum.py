"""Whether a fit is at the maximum of its likelihood, and whether there is one.

Step        One step of Fisher's scoring leads from the coefficients b to b + A^-1 U(b). At the
            maximum it is 0; near it, it leads there. Measured in standard errors, it says what
            stopping early has done to a statistic, however rows are scaled, and however many.
No maximum  Where coefficients can grow along some d and no row is fitted worse, while some are
            fitted better, the likelihood grows for ever (Albert, Anderson): classes that a plane
            separates, perhaps but for rows on the plane; counts that are 0 wherever some dummy
            is 1. Information fades together with the score, standard errors explode, and the step
            becomes small beside them. But not beside 1: what a row can still gain is about exp(-z),
            on which a step of Newton's method moves z by 1, and so it goes on for ever.
Reference   A. Albert, J. Anderson, On the existence of maximum likelihood estimates in logistic
            regression models, Biometrika, 1984.
"""

import numpy as np

from skcourse.inspection.class_likelihood import ClassLikelihood
from skcourse.inspection.information import RankDeficient, root
from skcourse.inspection.likelihood import Likelihood

CLOSE = 0.05  # standard errors from the maximum: p = 0.05 is then off by 0.006 at most
MOVES = 0.1  # of z by one more step: about 1 where there is no maximum, and 0 at one
WORSE = 1e-2  # of that, against what a row says: 0 but for where the descent stopped

NO_MAXIMUM = (
    "The likelihood of {name} has no maximum on these rows: {why}. Its coefficients grow until the "
    "fit stops, and have no standard errors. Leave out what tells y without error, or penalise."
)
SEPARATED = "a plane separates the classes"
RECEDING = "its coefficients can grow along some direction with no row fitted worse"
ELSEWHERE = (
    "The fit of {name} is not at the maximum of the likelihood of these rows, but {away:.2g} "
    "standard errors from it. Either it was fitted on other X, y or sample_weight; or it stopped "
    "too early: lower tol, and raise max_iter where there is one."
)
IF_NOT = " Should that only make coefficients larger, the likelihood has no maximum."
TRUNCATED = (
    "The fit of {name} took X to have rank {rank}, so that its {k} coefficients are not those of "
    "the least residuals. Bring the columns to a common scale, or lower tol."
)


def likelihood_at(fitted, data, names):
    """Return the likelihood of the data at the fitted coefficients, with all sums over the rows.

    Parameters
    ----------
    fitted : Fitted
    data : Data
    names : sequence of str, the features, for the message

    Returns
    -------
    likelihood : Likelihood or ClassLikelihood

    Raises
    ------
    ValueError
        If X lacks rank, or the classes are separated.
    """
    kind = ClassLikelihood if fitted.loss == "multinomial" else Likelihood
    likelihood = kind(fitted, data)
    if fitted.classes is not None and likelihood.n_wrong == 0:
        raise ValueError(NO_MAXIMUM.format(name=fitted.name, why=SEPARATED))
    try:
        likelihood.invert()
    except RankDeficient:
        raise ValueError(why_singular(fitted, data, names)) from None
    return likelihood


def why_singular(fitted, data, names):
    """Return the message for an information without inverse: that of X, or of its weights."""
    try:
        root(data.X, data.weights, intercept=fitted.has_intercept)
    except RankDeficient as error:
        listed = ", ".join(str(names[j]) for j in error.columns)
        one = len(error.columns) == 1
        how = "is constant, or made of other columns" if one else "depend on each other"
        return f"X lacks rank: {listed} {how}; their coefficients are anyone's. Leave a column out."
    return NO_MAXIMUM.format(name=fitted.name, why=RECEDING)


def check_residuals(phi, noise):
    """Refuse a dispersion `phi` that is no more than the `noise` of rounding."""
    if np.any(phi <= noise):
        raise ValueError(
            "The model fits y exactly: no residual is left from which errors could be estimated."
        )


def check_maximum(likelihood, errors):
    """Refuse coefficients that are not at the maximum, or where there is none.

    Parameters
    ----------
    likelihood : Likelihood or ClassLikelihood
    errors : array of shape (t k,), the classical standard errors
    """
    fitted = likelihood.fitted
    name, loss, power = fitted[:3]
    away = np.max(np.abs(likelihood.step.ravel()) / errors)
    moved, worse = 0.0, 0.0
    if loss in ("log_loss", "multinomial", "poisson") or (loss == "tweedie" and power < 2):
        moved, worse = likelihood.recession()
    if moved > MOVES and worse <= WORSE * moved:
        raise ValueError(NO_MAXIMUM.format(name=name, why=RECEDING))
    p = fitted.coef.shape[1]
    if away > CLOSE and fitted.rank is not None and fitted.rank < p:
        raise ValueError(TRUNCATED.format(name=name, rank=fitted.rank, k=p))
    if not (away <= CLOSE and moved <= MOVES):
        hint = IF_NOT if moved > MOVES else ""
        raise ValueError(ELSEWHERE.format(name=name, away=away) + hint)
