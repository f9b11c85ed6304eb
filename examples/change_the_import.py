"""Change the import: a grid search over scikit-learn's Ridge, and the same over ours.

All that differs between the two is the line that imports Ridge. Scalers, pipelines and searches are
scikit-learn's; so are parameters, attributes and errors of the estimator.
"""

import time

import numpy as np
from sklearn.datasets import load_diabetes
from sklearn.linear_model import Ridge as TheirRidge
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import PolynomialFeatures, StandardScaler

from skcourse.linear_model import Ridge

X, y = load_diabetes(return_X_y=True)


def search(ridge):
    """Choose the penalty of a ridge regression on all products of two features, by 5 folds."""
    model = make_pipeline(StandardScaler(), PolynomialFeatures(2), ridge)
    return GridSearchCV(model, {f"{model.steps[-1][0]}__alpha": np.logspace(-2, 4, 13)})


Ridge().fit(X, y)  # the first fit of a process loads machine code
found = {}
for library, ridge in (("scikit-learn", TheirRidge()), ("skcourse", Ridge())):
    started = time.perf_counter()
    found[library] = search(ridge).fit(X, y)
    seconds = time.perf_counter() - started
    (alpha,) = found[library].best_params_.values()
    print(f"{library:<12}  alpha {alpha:.4g}  R2 {found[library].best_score_:.6f}  {seconds:.2f} s")

theirs, ours = (model.predict(X) for model in found.values())
print(f"largest difference of the predictions: {np.max(np.abs(theirs - ours)):.1e}")
