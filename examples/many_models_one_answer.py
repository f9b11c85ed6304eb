"""Different models err in different places: voting averages them, stacking learns whom to trust.

scikit-learn's StackingRegressor and VotingRegressor take any estimator, and so those of skcourse.
Friedman's numbers are half a plane, which a linear model knows at once, and half a hill and a wave
of two features, which trees find.
"""

from sklearn.datasets import make_friedman1
from sklearn.ensemble import StackingRegressor, VotingRegressor
from sklearn.model_selection import cross_val_score

from skcourse.ensemble import HistGradientBoostingRegressor, RandomForestRegressor
from skcourse.linear_model import Ridge, RidgeCV

X, y = make_friedman1(n_samples=400, noise=2.0, random_state=0)
models = {
    "ridge": Ridge(alpha=0.1),
    "forest": RandomForestRegressor(n_estimators=60, min_samples_leaf=5, random_state=0),
    "boosting": HistGradientBoostingRegressor(max_iter=60, random_state=0),
}
together = {
    "voting": VotingRegressor(list(models.items())),
    "stacking": StackingRegressor(list(models.items()), RidgeCV(), cv=5),
}
for name, model in {**models, **together}.items():
    scores = cross_val_score(model, X, y, cv=5)
    print(f"{name:<9} explains {scores.mean():.1%} of new values, {scores.min():.1%} at worst")

stack = together["stacking"].fit(X, y)
shares = " ".join(
    f"{name} {share:.2f}" for name, share in zip(models, stack.final_estimator_.coef_, strict=True)
)
print(f"what stacking gives to each: {shares}")
