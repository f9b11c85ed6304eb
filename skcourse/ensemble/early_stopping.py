"""When to stop boosting: scores after each iteration, on rows held out or on the training rows.

Boosting goes on lowering the training loss after the loss on other rows has begun to rise. So the
score of each iteration is noted, and once none of the last `n_iter_no_change` scores beats the one
before them by more than `tol`, more trees only fit noise.

Reference   L. Prechelt, Early stopping - but when?, Neural Networks: Tricks of the Trade, 1998.
"""

import copy
from typing import NamedTuple

import numpy as np
from sklearn.base import is_classifier
from sklearn.metrics import check_scoring
from sklearn.model_selection import train_test_split
from sklearn.utils import resample

N_SCORED = 10_000  # training rows that a scorer sees


class Rows(NamedTuple):
    """Rows to learn from, or to be judged by."""

    X: np.ndarray  # (n, d), categories as codes
    y: np.ndarray  # (n,), numbers of the classes in classification
    weights: np.ndarray | None  # (n,)

    def take(self, rows):
        """Return those of the given numbers."""
        return Rows(*(a if a is None else a[rows] for a in self))


def hold_out(rows, fraction, stratify, seed):
    """Split rows into those to learn from and those to be judged by, as train_test_split does.

    Parameters
    ----------
    rows : Rows
    fraction : float or int, the share or number of rows to hold out
    stratify : bool, whether to keep the shares of the classes
    seed : int

    Returns
    -------
    train, held_out : Rows
    """
    parts = [part for part in rows if part is not None]
    split = train_test_split(
        *parts, test_size=fraction, stratify=rows.y if stratify else None, random_state=seed
    )
    train, held_out = split[::2], split[1::2]
    if rows.weights is None:
        return Rows(*train, None), Rows(*held_out, None)
    return Rows(*train), Rows(*held_out)


def small_sample(rows, stratify, seed):
    """Return the numbers of the training rows that a scorer sees: all of them if they are few."""
    n = rows.X.shape[0]
    if n <= N_SCORED:
        return slice(None)
    return resample(
        np.arange(n),
        n_samples=N_SCORED,
        replace=False,
        random_state=seed,
        stratify=rows.y if stratify else None,
    )


class Judge:
    """Scores of a boosting fit, round by round.

    Parameters
    ----------
    estimator : the estimator that is being fitted
    rounds : Rounds
    scores : two lists of float, the larger the better
        Of the training rows and of those held out: what is known so far, and is added to.
    """

    def __init__(self, estimator, rounds, scores):
        self.estimator, self.rounds = estimator, rounds
        self.train, self.held_out = scores
        self.by_loss = estimator.scoring == "loss"
        if not self.by_loss:
            stratify = is_classifier(estimator)
            self.scored = small_sample(rounds.rows, stratify, estimator._random_seed)
            self.small = rounds.rows.take(self.scored)
            self.scorer = check_scoring(estimator, estimator.scoring)

    def score(self):
        """Note the scores of where the rounds are now."""
        rounds = self.rounds
        if self.by_loss:
            self.train.append(-rounds.train_loss)
        else:
            self.train.append(self.ask(self.small, rounds.raw.T[self.scored]))
        if rounds.held_out is None:
            return
        if self.by_loss:
            self.held_out.append(-rounds.held_out_loss)
        else:
            self.held_out.append(self.ask(rounds.held_out, rounds.raw_held_out))

    def ask(self, rows, raw):
        """Return what the scorer says of rows with raw predictions of shape (n, n_raw)."""
        y = rows.y
        if is_classifier(self.estimator):
            y = self.estimator.classes_[y]
        weights = {} if rows.weights is None else {"sample_weight": rows.weights}
        return self.scorer(self.as_fitted(raw), rows.X, y, **weights)

    def as_fitted(self, raw):
        """Return the estimator as it would predict now, on rows whose categories are codes.

        A scorer that scikit-learn names asks for predictions, and these are at hand.
        """
        fitted = copy.copy(self.estimator)
        fitted.__dict__.pop("feature_names_in_", None)
        fitted._encoder = None
        if isinstance(self.estimator.scoring, str):
            fitted._raw_predict = lambda X: raw
        return fitted

    def says_stop(self):
        """Tell whether the scores, of the rows held out if there are any, have stalled."""
        scores = self.held_out if self.rounds.held_out is not None else self.train
        return self.estimator._should_stop(scores)
