"""Poisson regression: counts whose mean is the exponential of a linear prediction.

Problem     y_i ~ Poisson(mu_i), log mu_i = <w, x_i> + b. Less what depends on y alone, half the
            deviance is minus the log likelihood, mu_i - y_i log mu_i, and the fit minimises
                sum_i s_i (mu_i - y_i (<w, x_i> + b)) / sum_i s_i + alpha |w|^2 / 2             (1)
            It is convex. Rates: divide the counts by the exposure, and weight by it.
Solution    See `glm`.
Reference   P. McCullagh, J. Nelder, Generalized Linear Models, 1989, ch. 6.
"""

from skcourse.linear_model.glm import DevianceRegressor


class PoissonRegressor(DevianceRegressor):
    """Regression of counts, by (1).

    Parameters
    ----------
    alpha : float, default=1.0
        Strength of the penalty on the squared length of the coefficients, not negative.
    fit_intercept : bool, default=True
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
    TweedieRegressor : Other distributions and links.
    GeneralizedLinearRegressor : Other losses and penalties.

    Examples
    --------
    >>> from skcourse.linear_model import PoissonRegressor
    >>> X, y = [[1, 2], [2, 3], [3, 4], [4, 3]], [12, 17, 22, 21]
    >>> PoissonRegressor().fit(X, y).predict([[1, 1], [3, 4]]).round(2)
    array([10.68, 21.88])
    """

    _loss_title = "HalfPoissonLoss"

    def _loss_name(self):
        """Return the name of the loss, and the power of the variance."""
        return "poisson", 1.0
