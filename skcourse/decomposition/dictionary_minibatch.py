"""Online dictionary learning: after every few rows, the dictionary is improved.

Problem     (1) of `dictionary`, for so many rows that to code them all for one improvement is a
            waste.
Start       As in `dictionary_learning`, by a randomised decomposition.
Iteration   Code the b rows of the next batch t = 1, 2, ..., with the dictionary as it is, and let
            what is known of A and B, (2) of `dictionary`, fade a little:
                A <- beta A + U'U / b,   B <- beta B + U'X / b,                                  (1)
                beta = (theta + 1 - b) / (theta + 1),   theta = t b, and b^2 + t - b from t = b on.
            Then (3) of `dictionary`, once for every atom. In expectation over batches this
            converges to where the derivatives of the cost vanish.
End         The dictionary moves by no more than `tol` k, or the cost of the batches, averaged with
            weights that fade, has not fallen for so many batches. Early batches are not judged.
Cost        A batch: b times the codes of `sparse_encode`, and k^2 p for the atoms.
Reference   J. Mairal, F. Bach, J. Ponce, G. Sapiro, Online dictionary learning for sparse coding,
            ICML 2009.
"""

import itertools
from numbers import Integral, Real
from typing import NamedTuple

import numpy as np
from sklearn.callback import CallbackSupportMixin
from sklearn.utils import check_array, check_random_state, gen_batches
from sklearn.utils.extmath import randomized_svd

from skcourse.core.chunks import one_blas_thread
from skcourse.core.history import fit_task
from skcourse.core.validation import Interval, StrOptions, fit_context
from skcourse.decomposition.dictionary import check_start, improve, with_rows
from skcourse.decomposition.sparse_coder import CODING_CONSTRAINTS, SparseCoding
from skcourse.decomposition.sparse_encode import check_positive_coding, coding, encode

UNJUDGED = 100  # batches, or a pass: the cost falls steeply in them


class Online(NamedTuple):
    """What is known after some batches."""

    atoms: np.ndarray  # D, (k, p)
    A: np.ndarray  # (1), (k, k)
    B: np.ndarray  # (1), (p, k), as scikit-learn has it


def attributes(state, costs, n_per_pass):
    """Return what a fit sets that has taken batches of these costs."""
    return {
        "components_": state.atoms,
        "n_steps_": len(costs),
        "n_iter_": np.ceil(len(costs) / n_per_pass),
        "history_": {"cost": np.array(costs)},
    }


class Patience:
    """Judges from batch to batch whether to go on.

    Parameters
    ----------
    n_samples, n_steps : int
    tol : float
    max_no_improvement : int or None
    verbose : bool or int
    """

    def __init__(self, n_samples, n_steps, *, tol, max_no_improvement, verbose):
        self.n_samples, self.n_steps = n_samples, n_steps
        self.tol, self.limit, self.verbose = tol, max_no_improvement, verbose
        self.average = self.least = None
        self.n_in_vain = 0

    def is_over(self, step, n_rows, cost, shift):
        """Tell whether batch number `step`, from 1, was the last one that is worth its time.

        Parameters
        ----------
        step : int
        n_rows : int, in the batch
        cost : float, of a row
        shift : float, |change of D| / k
        """
        judged = step > min(UNJUDGED, self.n_samples / n_rows)
        if judged:
            fade = min(n_rows / (self.n_samples + 1), 1)
            old = cost if self.average is None else self.average
            self.average = old * (1 - fade) + cost * fade
        if self.verbose:
            more = f", ewa cost: {self.average}" if judged else ""
            print(f"Minibatch step {step}/{self.n_steps}: mean batch cost: {cost}{more}")
        if not judged:
            return False
        reason = self.reason(shift)
        if reason and self.verbose:
            print(f"Converged ({reason}) at step {step}/{self.n_steps}")
        return reason is not None

    def reason(self, shift):
        """Say why to end, or None."""
        if self.tol > 0 and shift <= self.tol:
            return "small dictionary change"
        if self.least is None or self.average < self.least:
            self.n_in_vain, self.least = 0, self.average
        else:
            self.n_in_vain += 1
        if self.limit is not None and self.n_in_vain >= self.limit:
            return "lack of improvement in objective function"
        return None


class MiniBatchDictionaryLearning(CallbackSupportMixin, SparseCoding):
    """Learn a dictionary in which every sample is a sum of few atoms, from a few rows at a time.

    Parameters
    ----------
    n_components : int, default=None
        Number of atoms; None is the number of features.
    alpha : float, default=1
        The penalty on codes: the larger, the fewer atoms in each.
    max_iter : int, default=1000
        The most passes over X.
    fit_algorithm : {"lars", "cd"}, default="lars"
        How rows are coded in a fit: "lasso_lars" or "lasso_cd" of `sparse_encode`.
    n_jobs : int, default=None
        Threads; None is 1 unless a joblib context says otherwise, -1 all cores.
    batch_size : int, default=256
    shuffle : bool, default=True
        Whether to cut the batches from rows in an order that is drawn once.
    dict_init : ndarray of shape (n_components, n_features), default=None
        Where to begin.
    transform_algorithm : {"lasso_lars", "lasso_cd", "lars", "omp", "threshold"}, default="omp"
        How `transform` codes rows: as the `algorithm` of `sparse_encode`.
    transform_n_nonzero_coefs : int, default=None
        The most atoms of a row for "omp", and the lines of the path for "lars". None is a tenth of
        the features, and at least 1.
    transform_alpha : float, default=None
        The penalty of "lasso_lars" and "lasso_cd", and the threshold of "threshold"; None is
        `alpha`.
    verbose : bool or int, default=False
        Whether to print the cost of each batch.
    split_sign : bool, default=False
        Whether `transform` returns the positive and the negative parts of codes as columns of their
        own.
    random_state : int, RandomState instance or None, default=None
        Drives the start, the order of the rows, and those that take the place of atoms that no code
        uses, by scikit-learn's draws.
    positive_code : bool, default=False
        Keep codes from being negative; not for "lars" in the fit, nor for "omp" and "lars" in
        `transform`.
    positive_dict : bool, default=False
        Keep atoms from being negative.
    transform_max_iter : int, default=1000
        The most sweeps of "lasso_cd", and lines of the path of "lasso_lars", also in the fit.
    callback : callable, default=None
        Called with a dict after each batch: "self", "X", "X_batch", "dictionary", "old_dict",
        "batch_cost", "n_steps" and "i", the number of batches before this one.
    tol : float, default=1e-3
        Bound on the change of the dictionary in a step, over `n_components`; 0 is none.
    max_no_improvement : int, default=10
        After how many batches without a fall of the averaged cost to end; None is never.

    Attributes
    ----------
    components_ : ndarray of shape (n_components, n_features), dtype of X
        The atoms, of length 1 at most.
    history_ : dict of str to ndarray of shape (n_steps_,)
        "cost", half the squared error plus alpha times the sum of |codes|, of a row: the mean of
        each batch, before the dictionary is improved by it. Only if fitted by `fit`.
    n_iter_ : float
        Passes over X, begun or done. Only if fitted by `fit`.
    n_steps_ : int
        Batches.
    n_features_in_ : int
    feature_names_in_ : ndarray of shape (n_features_in_,)
        Only if X has feature names that are all strings.

    See Also
    --------
    DictionaryLearning : Codes all rows in each iteration.
    SparseCoder : Codes with a dictionary that is given.

    References
    ----------
    J. Mairal, F. Bach, J. Ponce, G. Sapiro, Online dictionary learning for sparse coding, ICML
    2009.

    Examples
    --------
    >>> import numpy as np
    >>> from skcourse.decomposition import MiniBatchDictionaryLearning
    >>> signals = [[2.0, 0.0, 0.0], [0.0, 3.0, 3.0], [0.0, 1.0, 1.0], [4.0, 0.0, 0.0]]
    >>> model = MiniBatchDictionaryLearning(
    ...     n_components=2, batch_size=2, alpha=0.1, random_state=0
    ... ).fit(signals)
    >>> abs(model.components_).round(2)
    array([[1.  , 0.  , 0.  ],
           [0.  , 0.71, 0.71]])
    """

    _parameter_constraints: dict = {
        "n_components": [Interval(Integral, 1, None, closed="left"), None],
        "alpha": [Interval(Real, 0, None, closed="left")],
        "max_iter": [Interval(Integral, 0, None, closed="left")],
        "fit_algorithm": [StrOptions({"cd", "lars"})],
        "batch_size": [Interval(Integral, 1, None, closed="left")],
        "shuffle": ["boolean"],
        "dict_init": [None, np.ndarray],
        "verbose": ["verbose"],
        "random_state": ["random_state"],
        "positive_dict": ["boolean"],
        "callback": [None, callable],
        "tol": [Interval(Real, 0, None, closed="left")],
        "max_no_improvement": [Interval(Integral, 0, None, closed="left"), None],
    } | CODING_CONSTRAINTS

    def __init__(
        self,
        n_components=None,
        *,
        alpha=1,
        max_iter=1_000,
        fit_algorithm="lars",
        n_jobs=None,
        batch_size=256,
        shuffle=True,
        dict_init=None,
        transform_algorithm="omp",
        transform_n_nonzero_coefs=None,
        transform_alpha=None,
        verbose=False,
        split_sign=False,
        random_state=None,
        positive_code=False,
        positive_dict=False,
        transform_max_iter=1000,
        callback=None,
        tol=1e-3,
        max_no_improvement=10,
    ):
        self.n_components = n_components
        self.alpha = alpha
        self.max_iter = max_iter
        self.fit_algorithm = fit_algorithm
        self.n_jobs = n_jobs
        self.batch_size = batch_size
        self.shuffle = shuffle
        self.dict_init = dict_init
        self.transform_algorithm = transform_algorithm
        self.transform_n_nonzero_coefs = transform_n_nonzero_coefs
        self.transform_alpha = transform_alpha
        self.verbose = verbose
        self.split_sign = split_sign
        self.random_state = random_state
        self.positive_code = positive_code
        self.positive_dict = positive_dict
        self.transform_max_iter = transform_max_iter
        self.callback = callback
        self.tol = tol
        self.max_no_improvement = max_no_improvement

    @fit_context
    def fit(self, X, y=None):
        """Learn a dictionary from the rows of X, in passes over them.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
        y : ignored, but for callbacks that score

        Returns
        -------
        self : MiniBatchDictionaryLearning
        """
        rows = self._read(X, reset=True)
        rng = check_random_state(self.random_state)
        batch_size = min(self.batch_size, len(rows))
        n_per_pass = -(-len(rows) // batch_size)
        n_steps = self.max_iter * n_per_pass
        with one_blas_thread():
            start = self._start(rows, rng)
            order = np.arange(len(rows))
            if self.shuffle:
                rng.shuffle(order)
            batches = [order[batch] for batch in gen_batches(len(rows), batch_size)]
            task = fit_task(self, X, y, max_subtasks=n_steps)
            state, costs = self._run(rows, batches, start, rng, task)
        for name, value in attributes(state, costs, n_per_pass).items():
            setattr(self, name, value)
        self._A, self._B, self._random_state = state.A, state.B, rng
        task.end(lambda: attributes(state, costs, n_per_pass))
        return self

    def _run(self, X, batches, state, rng, task):
        """Take the batches in turn until it is enough; return the Online, and the costs."""
        n_steps, costs = self.max_iter * len(batches), []
        patience = Patience(
            len(X),
            n_steps,
            tol=self.tol,
            max_no_improvement=self.max_no_improvement,
            verbose=self.verbose,
        )
        if self.verbose:
            print("[dict_learning]")
        for i, batch in zip(range(n_steps), itertools.cycle(batches), strict=False):
            step, few = task.subtask("step"), X[batch]
            old, (state, cost) = state, self._step(few, state, rng, i)
            costs.append(cost)
            stop = step.end(lambda now=state: attributes(now, costs, len(batches)))
            shift = np.linalg.norm(state.atoms - old.atoms) / len(state.atoms)
            if patience.is_over(i + 1, len(few), cost, shift) or stop:
                break
            if self.callback is not None:
                self.callback(
                    {"self": self, "X": X, "X_batch": few, "i": i, "n_steps": n_steps}
                    | {"dictionary": state.atoms, "old_dict": old.atoms, "batch_cost": cost}
                )
        return state, costs

    @fit_context
    def partial_fit(self, X, y=None):
        """Improve the dictionary once, with X as one batch.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
        y : ignored

        Returns
        -------
        self : MiniBatchDictionaryLearning
        """
        first = not hasattr(self, "components_")
        X = self._read(X, reset=first)
        with one_blas_thread():
            if first:
                rng, n_steps = check_random_state(self.random_state), 0
                state = self._start(X, rng)
            else:
                rng, n_steps = self._random_state, self.n_steps_
                state = Online(self.components_, self._A, self._B)
            state, _ = self._step(X, state, rng, n_steps)
        self.components_, self._A, self._B = state
        self._random_state, self.n_steps_ = rng, n_steps + 1
        return self

    def _start(self, X, rng):
        """Return the dictionary to begin with, and empty statistics."""
        check_positive_coding(self.fit_algorithm, self.positive_code)
        k, p = X.shape[1] if self.n_components is None else self.n_components, X.shape[1]
        if self.dict_init is not None:
            atoms = check_array(self.dict_init, dtype=X.dtype, input_name="dict_init")
            check_start(X.shape, dict_init=atoms)
        else:
            _, lengths, axes = randomized_svd(X, k, random_state=rng)
            atoms = lengths[:, np.newaxis] * axes
        return Online(
            with_rows(atoms, k).copy(), np.zeros((k, k), X.dtype), np.zeros((p, k), X.dtype)
        )

    def _step(self, X, state, rng, n_before):
        """Code a batch, update (1) and the atoms; return the Online, and the cost of a row."""
        atoms, A, B = state
        how = coding(
            f"lasso_{self.fit_algorithm}",
            atoms.shape,
            alpha=self.alpha,
            max_iter=self.transform_max_iter,
            positive=self.positive_code,
        )
        code = encode(X, atoms, how, n_jobs=self.n_jobs)
        b = len(X)
        rest = X - code @ atoms
        cost = float(0.5 * np.vdot(rest, rest) + self.alpha * np.abs(code).sum()) / b
        theta = (n_before + 1) * b if n_before < b - 1 else b**2 + n_before + 1 - b
        beta = (theta + 1 - b) / (theta + 1)
        A = (beta * A + code.T @ code / b).astype(A.dtype, copy=False)
        B = (beta * B + X.T @ code / b).astype(B.dtype, copy=False)
        atoms, _ = improve(atoms, A, B.T, X, rng, positive=self.positive_dict, verbose=self.verbose)
        return Online(atoms, A, B), cost
