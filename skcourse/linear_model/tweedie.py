"""Tweedie regression: any power of the mean as the variance, and the link of your choice.

Problem     y_i of mean mu_i and variance phi mu_i^p. The fit minimises the deviance (2) of `glm`.
                p            family                              y
                p <= 0       normal for p = 0                    any number
                1            Poisson                             y >= 0
                1 < p < 2    a Poisson number of gamma amounts   y >= 0, 0 with positive chance
                2            gamma                               y > 0
                3            inverse Gaussian                    y > 0
            Between 0 and 1 there is no such distribution, but the minimum still is at the mean.
Links       log mu = z, or mu = z. With the second, only planes that are positive at every sample
            have a finite deviance (but for p = 0, least squares).
Solution    See `glm`.
Reference   B. Jørgensen, Exponential dispersion models, JRSS B, 1987.
"""

from numbers import Real

from skcourse.core.validation import Interval, StrOptions
from skcourse.linear_model.glm import DevianceRegressor


class TweedieRegressor(DevianceRegressor):
    """Regression with a variance that is a power of the mean.

    Parameters
    ----------
    power : float, default=0
        p of the table above.
    alpha : float, default=1.0
        Strength of the penalty on the squared length of the coefficients, not negative.
    fit_intercept : bool, default=True
    link : {"auto", "identity", "log"}, default="auto"
        "auto" is "identity" up to p = 0, and "log" beyond.
    solver : {"lbfgs", "newton-cholesky"}, default="lbfgs"
        L-BFGS, or Newton's method, which is the better of the two for many more samples than
        features, and for features on very different scales.
    max_iter : int, default=100
    tol : float, default=1e-4
        The fit ends where no entry of the gradient is larger.
    warm_start : bool, default=False
        Begin at the coefficients of the last fit.
    verbose : int, default=0
        Whether to print how the fit went, and from 2 on each iteration.

    Attributes
    ----------
    coef_ : ndarray of shape (n_features,), dtype of X
    intercept_ : float
    n_iter_ : int
    history_ : dict of arrays of shape (n_iter_,)
        After each iteration: "loss", what is minimised less what depends on y alone, and
        "gradient", the largest entry of its gradient.
    n_features_in_ : int
    feature_names_in_ : ndarray of shape (n_features_in_,)
        Only if X has names.

    See Also
    --------
    PoissonRegressor : p = 1.
    GammaRegressor : p = 2.

    Examples
    --------
    >>> from skcourse.linear_model import TweedieRegressor
    >>> X, y = [[1, 2], [2, 3], [3, 4], [4, 3]], [2, 3.5, 5, 5.5]
    >>> TweedieRegressor().fit(X, y).predict([[1, 1], [3, 4]]).round(2)
    array([2.5, 4.6])
    """

    _parameter_constraints: dict = DevianceRegressor._parameter_constraints | {
        "power": [Interval(Real, None, None, closed="neither")],
        "link": [StrOptions({"auto", "identity", "log"})],
    }

    def __init__(
        self,
        *,
        power=0.0,
        alpha=1.0,
        fit_intercept=True,
        link="auto",
        solver="lbfgs",
        max_iter=100,
        tol=1e-4,
        warm_start=False,
        verbose=0,
    ):
        super().__init__(
            alpha=alpha,
            fit_intercept=fit_intercept,
            solver=solver,
            max_iter=max_iter,
            tol=tol,
            warm_start=warm_start,
            verbose=verbose,
        )
        self.power = power
        self.link = link

    @property
    def _loss_title(self):
        """What scikit-learn calls the loss."""
        log = self._loss_name()[0] == "tweedie"
        return "HalfTweedieLoss" if log else "HalfTweedieLossIdentity"

    def _loss_name(self):
        """Return the name of the loss, and the power of the variance."""
        identity = self.link == "identity" or (self.link == "auto" and self.power <= 0)
        return "tweedie_identity" if identity else "tweedie", float(self.power)
