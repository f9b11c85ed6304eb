"""Peak memory of a fit beyond X, each in a process of its own."""

from benchmarks.child import ask
from benchmarks.contenders import classes
from benchmarks.report import Table

TITLE = "Peak memory"
SHAPES = ((200_000, 100), (500, 40_000))  # many rows; many columns
LIMIT = 0.25  # of X: room for a few numbers per row, not for a copy
ONE_COPY = {  # of X, and room for a few numbers per row: what these may take
    "BayesianGaussianMixture",
    "BisectingKMeans",
    "FactorAnalysis",
    "Gaussian",
    "GaussianMixture",
    "IncrementalPCA",
    "MiniBatchKMeans",
    "NMF",
    "ProbabilisticPCA",
    "TruncatedSVD",
}
LEFT_OUT = {  # shapes that take minutes, or a p x p matrix, in either library
    "ARDRegression": SHAPES,
    "BayesianGaussianMixture": SHAPES[1:],
    "BayesianRidge": SHAPES[1:],
    "DictionaryLearning": SHAPES,
    "ElasticNetCV": SHAPES,
    "Gaussian": SHAPES[1:],
    "GaussianMixture": SHAPES[1:],
    "KMedoids": SHAPES,
    "LassoCV": SHAPES,
    "LogisticRegressionCV": SHAPES,
    "MiniBatchDictionaryLearning": SHAPES,
    "MultiTaskElasticNetCV": SHAPES,
    "MultiTaskLassoCV": SHAPES,
    "OrthogonalMatchingPursuitCV": SHAPES,
    "QuantileRegressor": SHAPES,
}
SAME_ENGINE = {  # of these one is asked, the other need not be
    "ElasticNet": "Lasso",
    "GammaRegressor": "PoissonRegressor",
    "MultiTaskElasticNet": "Lasso",
    "MultiTaskLasso": "Lasso",
    "Perceptron": "SGDRegressor",
    "SGDClassifier": "SGDRegressor",
    "SGDOneClassSVM": "SGDRegressor",
    "TweedieRegressor": "PoissonRegressor",
}


def tables(subjects, plan):
    """Make a table of memory, in units of X, for each shape."""
    made = []
    for n, p in SHAPES:
        skipped = {name for name, shapes in LEFT_OUT.items() if (n, p) in shapes} | {*SAME_ENGINE}
        asked = [one for one in subjects if one.name not in skipped]
        made.append(of_shape(asked, max(20, n // plan.shrink), p))
    return made


def of_shape(subjects, n, p):
    """Make the table of one shape."""
    table = Table(
        f"{TITLE}, {n:,} x {p:,}",
        f"X: C-contiguous float64, {8e-6 * n * p:.0f} MB. By how much the process grows at most "
        "during the fit beyond what the fitted estimator keeps, in units of X. Asked: at most "
        f"{LIMIT}, that is, no copy; {1 + LIMIT}, that is, one, of {', '.join(sorted(ONE_COPY))}. "
        f"Left out: what takes minutes or keeps a p x p matrix ({', '.join(LEFT_OUT)}), and what "
        "shares the engine of another.",
        ["estimator", "ours", "asked", "scikit-learn", "scikit-learn-intelex"],
    )
    for subject in subjects:
        shares = {}
        for contender in classes(subject.chapter, subject.name):
            answer = ask("memory", subject, contender, n, p)
            if not answer["handed_back"]:
                shares[contender] = answer["grown"] / answer["X"]
        limit = LIMIT + (subject.name in ONE_COPY)
        verdict = "met" if shares["skcourse"] <= limit else "missed"
        peers = [shares.get(name) for name in ("scikit-learn", "scikit-learn-intelex")]
        cells = ["" if share is None else f"{share:.2f}" for share in [shares["skcourse"], *peers]]
        table.rows.append([subject.name, cells[0], verdict, *cells[1:]])
    return table
