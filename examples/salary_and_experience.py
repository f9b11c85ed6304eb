"""Salary against years of experience: a line, and how sure one may be of it.

Least squares finds what a year more is worth among these people. Others would have given another
line; a coefficient table says how far another one may be. Salaries spread more where they are
higher, which the classical errors do not know and the robust ones (HC3) do.
"""

import sys

import numpy as np

from skcourse.inspection import coefficient_table
from skcourse.linear_model import LinearRegression

FILLED = {"color": "#1f77b4", "alpha": 0.3, "linewidth": 0}
OUTLINE = {"facecolor": "none", "edgecolor": "#e6740a", "linestyle": "--"}

rng = np.random.default_rng(3)
n = 120
experience = rng.uniform(0, 25, size=n)  # years
training = rng.poisson(4, size=n)  # days a year: worth nothing here
salary = 32 + 1.8 * experience + (2 + 0.6 * experience) * rng.normal(size=n)  # thousands a year
X = np.column_stack([experience, training])

model = LinearRegression().fit(X, salary)
names = ["experience", "training"]
tables = {
    kind: coefficient_table(model, X, salary, covariance=kind, feature_names=names)
    for kind in ("classical", "HC3")
}
for table in tables.values():
    print(table, end="\n\n")

try:
    from matplotlib.figure import Figure
except ImportError:
    print("No picture: matplotlib is not installed.")
    sys.exit()

years = np.linspace(0, 25, 101)
rows = np.column_stack([np.ones(101), years, np.full(101, training.mean())])  # the intercept first
figure = Figure(figsize=(9, 3.8), layout="constrained")
left, right = figure.subplots(1, 2, width_ratios=(3, 2))
left.plot(experience, salary, ".", color="0.6")
line = rows @ tables["HC3"].estimate
for kind, style in (("HC3", FILLED), ("classical", OUTLINE)):
    matrix = tables[kind].covariance_matrix
    error = np.sqrt(np.einsum("ij,jk,ik->i", rows, matrix, rows))
    label = f"two standard errors, {kind}"
    left.fill_between(years, line - 2 * error, line + 2 * error, label=label, **style)
left.plot(years, line, color="black", linewidth=1)
left.set(xlabel="years of experience", ylabel="salary, in thousands")
left.legend(frameon=False)
tables["HC3"].plot(right)
right.set(xlabel="thousands a year or a day, 95% intervals")
figure.savefig("salary_and_experience.png", dpi=120)
print("wrote salary_and_experience.png")
