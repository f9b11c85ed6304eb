"""The two forms in which a LogisticRegressionCV keeps its scores and paths: scikit-learn's.

The new one is an array for each, with axes folds, `l1_ratio`, C. The old one is a dict with the
same array for each class (of two, for the second only), with the last two axes exchanged, and
without that of `l1_ratio` if none was given.
"""

import numpy as np


def set_new(model, paths, scores, C, ratio, penalty):
    """Set the attributes in the new form.

    Parameters
    ----------
    model : LogisticRegressionCV, with `coef_` and `intercept_`
    paths : Paths
    scores : array of shape (n_folds, n_l1_ratios, n_cs)
    C, ratio : what was chosen; `ratio` may be None
    penalty : str
    """
    model.C_ = float(C)
    model.l1_ratio_ = float(penalty == "l1") if ratio is None else float(ratio)
    model.coefs_paths_ = coefficients(model, paths)
    model.scores_, model.n_iter_ = scores, paths.n_iter


def set_legacy(model, paths, scores, C, ratio, penalty):
    """Set the attributes in the old form; for the parameters see `set_new`."""
    classes = model.classes_[1:] if len(model.classes_) == 2 else model.classes_
    model.C_ = np.tile([C], len(classes))
    model.l1_ratio_ = np.tile([ratio], len(classes))
    coefs = np.moveaxis(coefficients(model, paths), (3, 0, 2, 1), (0, 1, 2, 3))
    scores, n_iter = np.swapaxes(scores, 1, 2), np.swapaxes(paths.n_iter, 1, 2)
    if model.l1_ratios_[0] is None:
        coefs, scores, n_iter = coefs[:, :, :, 0], scores[:, :, 0], n_iter[:, :, 0]
    model.coefs_paths_ = dict(zip(classes, coefs, strict=True))
    model.scores_ = {label: scores.copy() for label in classes}
    model.n_iter_ = n_iter[np.newaxis]


def coefficients(model, paths):
    """Return the optima as an array (n_folds, n_l1_ratios, n_cs, n_classes or 1, n_features + 1).

    Without intercepts the last axis has n_features.
    """
    outputs = len(model.coef_)
    thetas = paths.thetas.reshape(*paths.thetas.shape[:-1], -1, outputs)
    coefs = np.ascontiguousarray(np.swapaxes(thetas, -1, -2))
    return coefs if model.fit_intercept else coefs[..., :-1]
