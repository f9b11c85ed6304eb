"""The lasso's path: which features enter, and when, as the penalty falls.

From the smallest penalty that keeps all coefficients at zero the path goes down to a thousandth of
it. `LassoCV` says where on the path the rows held out are predicted best.
"""

import sys

import numpy as np
from sklearn.datasets import load_diabetes
from sklearn.preprocessing import StandardScaler

from skcourse.linear_model import LassoCV, lasso_path

data = load_diabetes()
X = StandardScaler().fit_transform(data.data)
y = data.target - data.target.mean()
alphas, coefs, gaps = lasso_path(X, y, eps=1e-3, alphas=100)
chosen = LassoCV(eps=1e-3).fit(X, y).alpha_

for f in np.argsort([alphas[coef != 0].max(initial=0.0) for coef in coefs])[::-1]:
    entered = alphas[coefs[f] != 0].max(initial=0.0)
    print(f"{data.feature_names[f]:>4} enters at alpha = {entered:5.2f}")
kept = np.count_nonzero(coefs[:, np.searchsorted(-alphas, -chosen)])
print(f"five folds choose alpha = {chosen:.2f}, with {kept} of {len(coefs)} features")
print(f"no duality gap above {gaps.max() / (y @ y):.0e} of |y|^2")

try:
    from matplotlib.figure import Figure
except ImportError:
    print("No picture: matplotlib is not installed.")
    sys.exit()

figure = Figure(figsize=(6.8, 4.2), layout="constrained")
axes = figure.subplots()
for name, coef in zip(data.feature_names, coefs, strict=True):
    axes.semilogx(alphas, coef, label=name)
axes.axvline(chosen, color="k", linestyle=":", label=f"LassoCV: {chosen:.2g}")
axes.axhline(0, color="0.6", linewidth=0.6)
axes.invert_xaxis()
axes.set(
    xlabel="alpha, falling",
    ylabel="progression per standard deviation",
    title="Lasso on diabetes: features enter one by one",
)
figure.legend(loc="outside right center", frameon=False)
figure.savefig("lasso_path.png", dpi=120)
print("wrote lasso_path.png")
