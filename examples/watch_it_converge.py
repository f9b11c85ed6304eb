"""Watch k-means converge: `history_` keeps the inertia and the shift of the centres.

Lloyd's iteration never raises the inertia. Where it ends depends on the start, which is why
`n_init` starts are tried: here one by one, each from its own seed.
"""

import sys

from sklearn.datasets import load_digits

from skcourse.cluster import KMeans

X = load_digits().data
runs = {seed: KMeans(n_clusters=10, n_init=1, tol=0, random_state=seed).fit(X) for seed in range(5)}
for seed, model in runs.items():
    start, end = model.history_["inertia"][[0, -1]]
    print(f"start {seed}: inertia {start:,.0f} -> {end:,.0f} in {model.n_iter_} iterations")

try:
    from matplotlib.figure import Figure
except ImportError:
    print("No picture: matplotlib is not installed.")
    sys.exit()

figure = Figure(figsize=(6.4, 4), layout="constrained")
axes = figure.subplots()
for seed, model in runs.items():
    inertia = model.history_["inertia"]
    axes.plot(range(1, len(inertia) + 1), inertia / 1e6, marker=".", label=f"start {seed}")
axes.set(
    xlabel="iteration",
    ylabel="inertia, in millions",
    title="KMeans on digits: five starts, five descents",
    xscale="log",
)
axes.set_xticks([1, 2, 5, 10, 20, 40], [1, 2, 5, 10, 20, 40])
axes.minorticks_off()
figure.legend(loc="outside right center", frameon=False)
figure.savefig("watch_it_converge.png", dpi=120)
print("wrote watch_it_converge.png")
