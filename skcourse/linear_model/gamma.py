"""Gamma regression: positive targets whose spread is proportional to their mean.

Problem     y_i ~ Gamma of mean mu_i and variance phi mu_i^2, log mu_i = <w, x_i> + b. Less what
            depends on y alone, half the deviance is log mu_i + y_i / mu_i, and the fit minimises
                sum_i s_i (log mu_i + y_i / mu_i) / sum_i s_i + alpha |w|^2 / 2                 (1)
            With the logarithm as link it is convex, whatever phi.
Solution    See `glm`.
Reference   P. McCullagh, J. Nelder, Generalized Linear Models, 1989, ch. 8.
"""

from skcourse.linear_model.glm import DevianceRegressor


class GammaRegressor(DevianceRegressor):
    """Regression of positive targets with a constant relative error, by (1).

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

    Examples
    --------
    >>> from skcourse.linear_model import GammaRegressor
    >>> X, y = [[1, 2], [2, 3], [3, 4], [4, 3]], [19, 26, 33, 30]
    >>> GammaRegressor().fit(X, y).predict([[1, 0], [2, 8]]).round(2)
    array([19.49, 35.78])
    """

    _loss_title = "HalfGammaLoss"

    def _loss_name(self):
        """Return the name of the loss, and the power of the variance."""
        return "gamma", 2.0
