"""Dictionary learning in turns: code all rows, improve all atoms, and again.

Problem     (1) of `dictionary`.
Start       The right singular vectors of X, times the singular values; further atoms are 0, and are
            replaced in the first turn.
Iteration   The codes of all rows, by the lasso of `sparse_encode`, exact ("lars") or to a duality
            gap ("cd"); then (3) of `dictionary`. Neither raises the cost
                |X - U D|^2 / 2 + alpha sum |U_ij|,                                              (1)
            which converges, to a place where neither helps alone.
End         The cost falls by less than `tol` of itself.
Cost        As in `sparse_encode` and `dictionary`, for an iteration; n k p for (1).
Reference   As in `dictionary`.
"""

import time
from numbers import Integral, Real
from typing import NamedTuple

import numpy as np
from sklearn.callback import CallbackSupportMixin
from sklearn.utils import check_random_state
from sklearn.utils.extmath import svd_flip

from skcourse.core.chunks import one_blas_thread, sum_over_chunks
from skcourse.core.history import fit_task, warn_not_converged
from skcourse.core.validation import Interval, StrOptions, check_weights, fit_context
from skcourse.decomposition.dictionary import check_start, improve, singular_codes, with_rows
from skcourse.decomposition.sparse_coder import CODING_CONSTRAINTS, SparseCoding
from skcourse.decomposition.sparse_encode import check_positive_coding, coding, encode

TELL = 5  # the parameter `callback` hears of every fifth iteration, as scikit-learn's does


class Learned(NamedTuple):
    """Where the iteration is."""

    code: np.ndarray  # U, (n, k)
    atoms: np.ndarray  # D, (k, p)
    errors: list  # (1) after each iteration


class DictionaryLearning(CallbackSupportMixin, SparseCoding):
    """Learn a dictionary in which every sample is a sum of few atoms.

    Parameters
    ----------
    n_components : int, default=None
        Number of atoms; None is the number of features.
    alpha : float, default=1
        The penalty on codes: the larger, the fewer atoms in each.
    max_iter : int, default=1000
    tol : float, default=1e-8
        Bound on the fall of the cost in an iteration, over the cost.
    fit_algorithm : {"lars", "cd"}, default="lars"
        How rows are coded in a fit: "lasso_lars" or "lasso_cd" of `sparse_encode`.
    transform_algorithm : {"lasso_lars", "lasso_cd", "lars", "omp", "threshold"}, default="omp"
        How `transform` codes rows: as the `algorithm` of `sparse_encode`.
    transform_n_nonzero_coefs : int, default=None
        The most atoms of a row for "omp", and the lines of the path for "lars". None is a tenth of
        the features, and at least 1.
    transform_alpha : float, default=None
        The penalty of "lasso_lars" and "lasso_cd", and the threshold of "threshold"; None is
        `alpha`.
    n_jobs : int, default=None
        Threads; None is 1 unless a joblib context says otherwise, -1 all cores.
    code_init : ndarray of shape (n_samples, n_components), default=None
        Where to begin; needs `dict_init`, too.
    dict_init : ndarray of shape (n_components, n_features), default=None
        Where to begin; needs `code_init`, too.
    callback : callable, default=None
        Called with a dict, at every fifth iteration: "X", "code", "dictionary", "errors",
        "current_cost" and "ii", the number of iterations before this one.
    verbose : bool or int, default=False
        1 prints a dot per iteration, more than 1 its number and the cost.
    split_sign : bool, default=False
        Whether `transform` returns the positive and the negative parts of codes as columns of their
        own.
    random_state : int, RandomState instance or None, default=None
        Draws the rows that take the place of atoms that no code uses, by scikit-learn's draws.
    positive_code : bool, default=False
        Keep codes from being negative; not for "lars" in the fit, nor for "omp" and "lars" in
        `transform`.
    positive_dict : bool, default=False
        Keep atoms from being negative.
    transform_max_iter : int, default=1000
        The most sweeps of "lasso_cd", and lines of the path of "lasso_lars", also in the fit.

    Attributes
    ----------
    components_ : ndarray of shape (n_components, n_features), dtype of X
        The atoms, of length 1 at most.
    error_ : list of float
        The cost after each iteration: half the squared error, plus alpha times the sum of |codes|.
    history_ : dict of str to ndarray of shape (n_iter_,)
        "cost", as in `error_`.
    n_iter_ : int
    n_features_in_ : int
    feature_names_in_ : ndarray of shape (n_features_in_,)
        Only if X has feature names that are all strings.

    See Also
    --------
    MiniBatchDictionaryLearning : Learns from a few rows at a time.
    SparseCoder : Codes with a dictionary that is given.

    References
    ----------
    J. Mairal, F. Bach, J. Ponce, G. Sapiro, Online dictionary learning for sparse coding, ICML
    2009.

    Examples
    --------
    >>> import numpy as np
    >>> from skcourse.decomposition import DictionaryLearning
    >>> signals = [[2.0, 0.0, 0.0], [0.0, 3.0, 3.0], [0.0, 1.0, 1.0], [4.0, 0.0, 0.0]]
    >>> model = DictionaryLearning(n_components=2, alpha=0.1, random_state=0).fit(signals)
    >>> abs(model.components_).round(2)
    array([[0.  , 0.71, 0.71],
           [1.  , 0.  , 0.  ]])
    >>> model.transform(signals).astype(bool)
    array([[False,  True],
           [ True, False],
           [ True, False],
           [False,  True]])
    """

    _parameter_constraints: dict = {
        "n_components": [Interval(Integral, 1, None, closed="left"), None],
        "alpha": [Interval(Real, 0, None, closed="left")],
        "max_iter": [Interval(Integral, 0, None, closed="left")],
        "tol": [Interval(Real, 0, None, closed="left")],
        "fit_algorithm": [StrOptions({"lars", "cd"})],
        "code_init": [np.ndarray, None],
        "dict_init": [np.ndarray, None],
        "callback": [callable, None],
        "verbose": ["verbose"],
        "random_state": ["random_state"],
        "positive_dict": ["boolean"],
    } | CODING_CONSTRAINTS

    def __init__(
        self,
        n_components=None,
        *,
        alpha=1,
        max_iter=1000,
        tol=1e-8,
        fit_algorithm="lars",
        transform_algorithm="omp",
        transform_n_nonzero_coefs=None,
        transform_alpha=None,
        n_jobs=None,
        code_init=None,
        dict_init=None,
        callback=None,
        verbose=False,
        split_sign=False,
        random_state=None,
        positive_code=False,
        positive_dict=False,
        transform_max_iter=1000,
    ):
        self.n_components = n_components
        self.alpha = alpha
        self.max_iter = max_iter
        self.tol = tol
        self.fit_algorithm = fit_algorithm
        self.transform_algorithm = transform_algorithm
        self.transform_n_nonzero_coefs = transform_n_nonzero_coefs
        self.transform_alpha = transform_alpha
        self.n_jobs = n_jobs
        self.code_init = code_init
        self.dict_init = dict_init
        self.callback = callback
        self.verbose = verbose
        self.split_sign = split_sign
        self.random_state = random_state
        self.positive_code = positive_code
        self.positive_dict = positive_dict
        self.transform_max_iter = transform_max_iter

    def fit(self, X, y=None, sample_weight=None):
        """Learn a dictionary from the rows of X.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
        y : ignored, but for callbacks that score
        sample_weight : array-like of shape (n_samples,), default=None
            How often each row counts; None is once.

        Returns
        -------
        self : DictionaryLearning
        """
        self._learn(X, y, sample_weight)
        return self

    def fit_transform(self, X, y=None, sample_weight=None):
        """Learn a dictionary, and return the codes that it was learned with.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
        y : ignored, but for callbacks that score
        sample_weight : array-like of shape (n_samples,), default=None
            How often each row counts; None is once.

        Returns
        -------
        code : ndarray of shape (n_samples, n_components)
            By `fit_algorithm`, with the penalty `alpha`: not what `transform` says.
        """
        return self._learn(X, y, sample_weight)

    @fit_context
    def _learn(self, X, y, sample_weight):
        """Fit, and return the codes."""
        check_positive_coding(self.fit_algorithm, self.positive_code)
        rows = self._read(X, reset=True)
        weights = check_weights(sample_weight, rows, dtype=np.float64)
        rng = check_random_state(self.random_state)
        task = fit_task(self, X, y, sample_weight, max_subtasks=self.max_iter)
        with one_blas_thread():
            found, why = self._iterate(rows, weights, self._start(rows, weights), rng, task)
        for name, value in self._attributes(found).items():
            setattr(self, name, value)
        task.end(lambda: self._attributes(found))
        if why is None and self.max_iter:
            warn_not_converged(
                f"Dictionary learning ended after max_iter={self.max_iter} iterations, before the "
                f"cost fell by less than tol={self.tol} of itself. Raise max_iter, or tol.",
            )
        return found.code

    def _start(self, X, weights):
        """Return codes and atoms to begin with."""
        k = X.shape[1] if self.n_components is None else self.n_components
        if self.code_init is not None and self.dict_init is not None:
            code, atoms = (np.asarray(a, dtype=X.dtype) for a in (self.code_init, self.dict_init))
            check_start(X.shape, dict_init=atoms)
            if code.shape[:1] != X.shape[:1]:
                raise ValueError(f"code_init.shape == {code.shape}, for {len(X)} rows of X")
        else:
            code, atoms = svd_flip(*singular_codes(X, weights, min(k, *X.shape)))
        return Learned(with_rows(code.T, k).T.copy(), with_rows(atoms, k).copy(), [])

    def _iterate(self, X, weights, found, rng, task):
        """Iterate; return the Learned, and why it ended: None if for `max_iter`."""
        how = coding(
            f"lasso_{self.fit_algorithm}",
            found.atoms.shape,
            alpha=self.alpha,
            max_iter=self.transform_max_iter,
            positive=self.positive_code,
        )
        begin = time.perf_counter()
        if self.verbose == 1:
            print("[dict_learning]", end=" ")
        for i in range(self.max_iter):
            self._tell(i, found.errors, time.perf_counter() - begin)
            step = task.subtask("iteration")
            found = self._turn(X, weights, found, how, rng)
            stop = step.end(lambda now=found: self._attributes(now))
            errors = found.errors
            if i > 0 and errors[-2] - errors[-1] < self.tol * errors[-1]:
                if self.verbose:
                    end = (
                        "" if self.verbose == 1 else f"--- Convergence reached after {i} iterations"
                    )
                    print(end)
                return found, "tol"
            if stop:
                return found, "callback"
            if i % TELL == 0 and self.callback is not None:
                self.callback(
                    {"X": X, "ii": i, "current_cost": errors[-1], "errors": errors}
                    | {"code": found.code, "dictionary": found.atoms}
                )
        return found, None

    def _turn(self, X, weights, found, how, rng):
        """Code the rows, improve the atoms, and compute the cost (1)."""
        code = encode(X, found.atoms, how, init=found.code, n_jobs=self.n_jobs)
        width = {"row_bytes": 8 * (X.shape[1] + 3 * code.shape[1]), "n_jobs": self.n_jobs}

        def statistics(rows):
            codes = code[rows].astype(np.float64, copy=False)
            heavy = codes if weights is None else weights[rows, np.newaxis] * codes
            return codes.T @ heavy, heavy.T @ X[rows].astype(np.float64, copy=False)

        A, B = sum_over_chunks(statistics, len(X), **width)
        how_drawn = {"weights": weights, "verbose": self.verbose}
        atoms, unused = improve(found.atoms, A, B, X, rng, positive=self.positive_dict, **how_drawn)
        code[:, unused] = 0

        def cost(rows):
            rest = X[rows] - code[rows].astype(np.float64, copy=False) @ atoms
            costs = 0.5 * np.einsum("ij,ij->i", rest, rest)
            costs += how.alpha * np.abs(code[rows]).sum(axis=1, dtype=float)
            return costs.sum() if weights is None else weights[rows] @ costs

        value = float(sum_over_chunks(cost, len(X), **width))
        return Learned(code, atoms, [*found.errors, value])

    def _tell(self, i, errors, seconds):
        """Print where the iteration is, if that is wanted."""
        if self.verbose == 1:
            print(".", end="", flush=True)
        elif self.verbose:
            cost = errors[-1] if errors else np.nan
            print(
                f"Iteration {i:3d} (elapsed time: {seconds:3.0f}s, {seconds / 60:4.1f}mn, "
                f"current cost {cost:7.3f})"
            )

    def _attributes(self, found):
        """Return what a fit that ended now would set."""
        return {
            "components_": found.atoms,
            "error_": found.errors,
            "n_iter_": len(found.errors),
            "history_": {"cost": np.array(found.errors)},
        }
