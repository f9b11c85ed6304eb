"""A toy estimator that keeps every promise, and one broken copy of it for each check."""

import numpy as np
from sklearn.base import BaseEstimator, RegressorMixin
from sklearn.utils.validation import check_is_fitted, validate_data

FLOATS = [np.float64, np.float32]


class Line(RegressorMixin, BaseEstimator):
    """Least squares with an intercept, by gradient steps on whitened columns; keeps `history_`."""

    def __init__(self, n_jobs=None):
        self.n_jobs = n_jobs

    def rows(self, X, y, sample_weight, reset):
        if not isinstance(self.n_jobs, int | None):
            raise TypeError("n_jobs must be an int or None")
        fresh = not hasattr(self, "n_features_in_")
        before = {} if fresh else {"n_features_in_": self.n_features_in_}
        try:
            X, y = validate_data(self, X, y, dtype=FLOATS, reset=reset, y_numeric=True)
        except Exception:
            vars(self).pop("n_features_in_", None)
            vars(self).update(before)
            raise
        weights = np.ones(len(X)) if sample_weight is None else np.asarray(sample_weight, float)
        return X, y, weights

    def learn(self, X, y, weights):
        kept = weights > 0
        self.seen_ = X[kept], y[kept], weights[kept]
        Z, t, w = (part.astype(float) for part in self.seen_)
        mean, middle = np.average(Z, 0, w), np.average(t, 0, w)
        root = np.sqrt(w)
        A, b = (Z - mean) * root[:, None], (t - middle) * root
        coef = np.linalg.lstsq(A, b, rcond=None)[0]
        losses = [np.sum((b - A @ coef * share) ** 2) for share in (0.0, 0.5, 1.0)]
        self.history_ = {"loss": np.array(losses[1:])}
        self.n_iter_ = 2
        self.coef_ = coef.astype(X.dtype)
        self.intercept_ = X.dtype.type(middle - mean @ coef)
        return self

    def fit(self, X, y, sample_weight=None):
        return self.learn(*self.rows(X, y, sample_weight, True))

    def partial_fit(self, X, y, sample_weight=None):
        parts = self.rows(X, y, sample_weight, not hasattr(self, "seen_"))
        if hasattr(self, "seen_"):
            parts = [np.concatenate(pair) for pair in zip(self.seen_, parts, strict=True)]
        return self.learn(*parts)

    def predict(self, X):
        check_is_fitted(self)
        X = validate_data(self, X, dtype=FLOATS, reset=False)
        return (X @ self.coef_ + self.intercept_).astype(X.dtype)


class WeightsWithoutRoot(Line):
    """Weighs the squared residuals by w^2."""

    def fit(self, X, y, sample_weight=None):
        weights = None if sample_weight is None else np.asarray(sample_weight) ** 2
        return super().fit(X, y, weights)


class CountsAbsentRows(Line):
    """Centres X with the rows of weight 0."""

    def fit(self, X, y, sample_weight=None):
        super().fit(X, y, sample_weight)
        self.intercept_ += np.mean(y) * 1e-6
        return self


class DividesByTheWeights(Line):
    """Treats no weights and weights of 1 differently."""

    def fit(self, X, y, sample_weight=None):
        if sample_weight is not None:
            sample_weight = np.asarray(sample_weight) + np.arange(len(X)) * 1e-6
        return super().fit(X, y, sample_weight)


class TrustsTheFirstRow(Line):
    """Lets the first row in twice."""

    def fit(self, X, y, sample_weight=None):
        weights = np.ones(len(X)) if sample_weight is None else np.asarray(sample_weight)
        return super().fit(X, y, weights + (np.arange(len(X)) == 0) * 1e-6)


class StandardisesTheBatch(Line):
    """Predicts relative to the other rows that are asked about."""

    def predict(self, X):
        return super().predict(X) + 1e-9 * np.mean(X)


class Dice(Line):
    """Adds noise of its own."""

    def fit(self, X, y, sample_weight=None):
        super().fit(X, y, sample_weight)
        self.intercept_ += np.random.default_rng().normal() * 1e-14
        return self


class Remembers(Line):
    """Starts where the last fit ended."""

    def fit(self, X, y, sample_weight=None):
        before = getattr(self, "intercept_", 0.0)
        super().fit(X, y, sample_weight)
        self.intercept_ += 1e-9 * before
        return self


class CountsItsThreads(Line):
    """Sums in an order that depends on n_jobs."""

    def fit(self, X, y, sample_weight=None):
        super().fit(X, y, sample_weight)
        self.intercept_ = np.nextafter(self.intercept_, self.n_jobs or 1)
        return self


class LosesRowsToThreads(Line):
    """Forgets the last row of each thread's part."""

    def fit(self, X, y, sample_weight=None):
        kept = np.ones(len(X)) if sample_weight is None else np.array(sample_weight, float)
        if self.n_jobs not in (None, 1):
            kept[:: len(X) // 100] = 0
        return super().fit(X, y, kept)


class LosesItsState(Line):
    """Does not pickle all that it has learnt."""

    def __getstate__(self):
        return {k: v for k, v in super().__getstate__().items() if k != "intercept_"}

    def __setstate__(self, values):
        super().__setstate__(values)
        self.intercept_ = 0.0


class ClonesItsFit(Line):
    """Takes the fit along into a clone."""

    def __sklearn_clone__(self):
        copy = type(self)(n_jobs=self.n_jobs)
        vars(copy).update(vars(self))
        return copy


class Scribbles(Line):
    """Centres X in place."""

    def fit(self, X, y, sample_weight=None):
        super().fit(X, y, sample_weight)
        if isinstance(X, np.ndarray) and X.flags.writeable:
            X -= 1
        return self


class RewritesItsParameters(Line):
    """Replaces n_jobs=None by what it means."""

    def fit(self, X, y, sample_weight=None):
        super().fit(X, y, sample_weight)
        self.n_jobs = 1
        return self


class HalfFitted(Line):
    """Sets attributes before it looks at the data."""

    def fit(self, X, y, sample_weight=None):
        self.n_iter_ = 0
        return super().fit(X, y, sample_weight)


class ReadsMemory(Line):
    """Takes the numbers in the order in which they lie in memory."""

    def fit(self, X, y, sample_weight=None):
        if isinstance(X, np.ndarray) and X.flags.f_contiguous and X.ndim == 2:
            X = X.ravel(order="K").reshape(X.shape)
        return super().fit(X, y, sample_weight)


class DislikesMaps(Line):
    """Rounds what it reads from a file."""

    def fit(self, X, y, sample_weight=None):
        return super().fit(X.astype("f4") if isinstance(X, np.memmap) else X, y, sample_weight)


class Widens(Line):
    """Answers float64 to float32."""

    def predict(self, X):
        return super().predict(X).astype(float)


class ForgetsPieces(Line):
    """Learns only from the last piece."""

    def partial_fit(self, X, y, sample_weight=None):
        return self.fit(X, y, sample_weight)


class Climbs(Line):
    """Its loss goes up."""

    def fit(self, X, y, sample_weight=None):
        super().fit(X, y, sample_weight)
        self.history_["loss"] = self.history_["loss"][::-1].copy()
        return self


class StopsEarly(Line):
    """Does not reach the minimum."""

    def fit(self, X, y, sample_weight=None):
        super().fit(X, y, sample_weight)
        self.coef_ *= 1 - 1e-3
        return self


class TakesNonsense(Line):
    """Checks no parameter."""

    def rows(self, X, y, sample_weight, reset):
        with_sense = self.n_jobs if isinstance(self.n_jobs, int) else None
        self.n_jobs, nonsense = with_sense, self.n_jobs
        found = super().rows(X, y, sample_weight, reset)
        self.n_jobs = nonsense
        return found


class SeesTheOrigin(Line):
    """Shrinks the intercept."""

    def fit(self, X, y, sample_weight=None):
        super().fit(X, y, sample_weight)
        self.intercept_ *= 1 - 1e-9
        return self


class TakesNaN(Line):
    """Reads NaN as 0."""

    def fit(self, X, y, sample_weight=None):
        return super().fit(np.nan_to_num(X), y, sample_weight)


class Box:
    """Holds a value, and cannot be compared."""

    def __init__(self, value):
        self.value = value
