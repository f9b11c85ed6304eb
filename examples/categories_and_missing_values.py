"""Categories and missing values as they are: nothing to encode, nothing to impute.

Used cars, with forty models and a mileage that sellers like to leave out when it is large. A split
may send any set of models to one side, and the rows without a mileage to the side where they fit.
Numbers for names (ordinal codes) make the tree cut an order that means nothing; a column for each
name (one-hot) lets a split tell one model from all others only; and a mean in place of what is
missing hides that it was missing.
"""

import sys

import numpy as np
import pandas as pd
from sklearn.compose import make_column_transformer
from sklearn.impute import SimpleImputer
from sklearn.model_selection import cross_val_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder, OrdinalEncoder

from skcourse.ensemble import RandomForestRegressor
from skcourse.tree import DecisionTreeRegressor

rng = np.random.default_rng(0)
n, n_models = 3000, 40
worth = rng.gamma(4, 5, n_models)  # of a new car, in thousands
model = rng.integers(n_models, size=n)
years, fuel = rng.uniform(0, 15, n), rng.choice(["petrol", "diesel", "electric"], n)
mileage = years * rng.gamma(4, 4, n)  # in thousands
lasting = np.select([fuel == "diesel", fuel == "electric"], [0.93, 0.88], 0.9)
price = worth[model] * lasting**years * np.exp(-mileage / 400 + 0.1 * rng.normal(size=n))
told = rng.random(n) > np.clip(mileage / 250, 0, 0.9)
cars = pd.DataFrame(
    {
        "model": pd.Categorical([f"model {m:02d}" for m in model]),
        "fuel": pd.Categorical(fuel),
        "years": years,
        "mileage": np.where(told, mileage, np.nan),
    }
)
names, numbers = ["model", "fuel"], ["years", "mileage"]


def prepared(encoder, estimator):
    """Return a pipeline that encodes the names, imputes the numbers, and fits."""
    return make_pipeline(
        make_column_transformer((encoder, names), (SimpleImputer(), numbers)), estimator
    )


def contenders(estimator):
    """Return the same estimator behind three ways to read the table."""
    return {
        "as it is": estimator.set_params(categorical_features="from_dtype"),
        "one-hot, mean": prepared(OneHotEncoder(sparse_output=False), plain(estimator)),
        "ordinal, mean": prepared(OrdinalEncoder(), plain(estimator)),
    }


def plain(estimator):
    """Return an estimator of the same parameters for numbers only."""
    return type(estimator)(**estimator.get_params() | {"categorical_features": None})


results = {}
for estimator in (
    DecisionTreeRegressor(max_leaf_nodes=100, random_state=0),
    RandomForestRegressor(30, min_samples_leaf=3, random_state=0),
):
    for way, contender in contenders(estimator).items():
        score = cross_val_score(contender, cars, price).mean()
        results[type(estimator).__name__, way] = score
        print(f"{type(estimator).__name__:<22} {way:<14} R2 {score:.3f}")

models = cars[["model"]]
stump = DecisionTreeRegressor(max_depth=1, categorical_features="from_dtype").fit(models, price)
left = stump.apply(models) == stump.tree_.children_left[0]

try:
    from matplotlib.figure import Figure
except ImportError:
    print("No picture: matplotlib is not installed.")
    sys.exit()

figure = Figure(figsize=(10, 3.6), layout="constrained")
first, second = figure.subplots(1, 2, width_ratios=(3, 2))
means = pd.Series(price).groupby(model).mean().sort_values()
side = pd.Series(left).groupby(model).mean()[means.index] > 0.5
first.bar(range(n_models), means, color=np.where(side, "#1f77b4", "#e6740a"))
first.set(xlabel="models, by mean price", ylabel="mean price, in thousands", xticks=[])
first.set_title("one split: blue to the left, orange to the right", fontsize=10)
bars = {f"{name[:-9]}\n{way}": score for (name, way), score in results.items()}
second.barh(list(bars)[::-1], list(bars.values())[::-1], color=["0.7", "0.7", "#1f77b4"] * 2)
second.set(xlabel="R2 of cars not seen", xlim=(min(bars.values()) - 0.1, 1))
figure.savefig("categories_and_missing_values.png", dpi=120)
print("wrote categories_and_missing_values.png")
