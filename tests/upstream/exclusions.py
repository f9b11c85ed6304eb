"""Which of scikit-learn's test modules are run, and which of their tests do not apply to us.

An exclusion is a pattern of `fnmatch` on "chapter/module::test[parameters]", and its reason. It is
run all the same: one that passes is an excuse gone stale, and fails the run.
"""

MODULES = (
    "sklearn.cluster.tests.test_k_means",
    "sklearn.decomposition.tests.test_pca",
    "sklearn.linear_model.tests.test_base",
    "sklearn.linear_model.tests.test_quantile",
    "sklearn.linear_model.tests.test_ridge",
)

EXCLUDED = {
    "cluster/test_k_means::test_sample_weight_init[42-*]": (
        "calls the private method _init_centroids of the estimator"
    ),
    "cluster/test_k_means::test_sample_weight_zero[42-*]": (
        "calls the private method _init_centroids of the estimator"
    ),
}
