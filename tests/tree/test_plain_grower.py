"""The plain lane of the grower makes the nodes that the general loop makes."""

import os
import signal

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

from skcourse.core import chunks
from skcourse.tree import grower, plain_grower
from skcourse.tree.columns import rank_columns
from skcourse.tree.ground import (
    Ground,
    give_numbers,
    new_desk,
    sort_rows,
    take_numbers,
)
from skcourse.tree.ground import second_desk as second
from skcourse.tree.grower import Growth, grow
from skcourse.tree.targets import class_targets, number_targets

EXACT = ("children_left", "children_right", "feature", "threshold", "missing_go_to_left")
OPTIONS = {
    "all": {},
    "some features": {"max_features": 2},
    "random": {"splitter": "random", "max_features": 3},
    "leaves of three": {"min_samples_leaf": 3, "min_samples_split": 8},
    "heavy leaves": {"min_weight_leaf": 20.0},
    "worth it": {"min_impurity_decrease": 0.01, "max_depth": 6},
}


def table(n, n_values):
    rng = np.random.default_rng(n)
    X = rng.integers(0, n_values, size=(n, 6)).astype(np.float32)
    numbers = rng.integers(0, 50, size=n) + (X[:, 0] % 10) * (X[:, 1] % 10)
    return X, rng.integers(0, 4, size=n), numbers.astype(float), rng.integers(0, 3, size=n)


@pytest.mark.parametrize("options", OPTIONS.values(), ids=list(OPTIONS))
@pytest.mark.parametrize("shape", [(700, 10), (3000, 10**6)], ids=["ties", "no ties"])
@pytest.mark.parametrize("criterion", ["gini", "squared_error"])
def test_both_lanes_lead_to_the_same_tree(monkeypatch, options, shape, criterion):
    X, classes, numbers, times = table(*shape)
    columns = rank_columns(X)
    gini = criterion == "gini"
    targets = class_targets(classes, [4]) if gini else number_targets(numbers)
    growth = Growth(criterion, max_features=6)._replace(**options)
    for weights in (None, times.astype(float)):
        leaves = np.empty((2, len(X)), np.int64)
        plain = grow(columns, targets, growth, seed=7, weights=weights, leaves=leaves[0])
        with monkeypatch.context() as patch:
            patch.setattr(grower, "is_plain", lambda *arguments: False)
            slow = grow(columns, targets, growth, seed=7, weights=weights, leaves=leaves[1])
        for name in EXACT:
            assert_array_equal(getattr(plain, name), getattr(slow, name), err_msg=name)
        assert_array_equal(*leaves)
        assert_array_equal(plain.n_node_samples, slow.n_node_samples)
        # sums of at most 3,000 numbers below 2^8, and of their squares, in another order
        assert_allclose(plain.value, slow.value, rtol=1e-11)
        assert_allclose(plain.impurity, slow.impurity, rtol=1e-9, atol=1e-9)


@pytest.mark.parametrize("n_classes", [3, 70], ids=["classes in one word", "classes in a table"])
@pytest.mark.parametrize("splitter", ["best", "random"])
def test_many_classes_of_large_weights(monkeypatch, splitter, n_classes):
    rng = np.random.default_rng(0)
    X = rng.standard_normal((2500, 4)).astype(np.float32)
    y, weights = rng.integers(0, n_classes, 2500), rng.integers(1, 9000, 2500).astype(float)
    columns, targets = rank_columns(X), class_targets(y, [n_classes])
    growth = Growth("gini", max_features=4, splitter=splitter, max_depth=7)
    plain = grow(columns, targets, growth, seed=3, weights=weights)
    monkeypatch.setattr(grower, "is_plain", lambda *arguments: False)
    slow = grow(columns, targets, growth, seed=3, weights=weights)
    for name in EXACT:
        assert_array_equal(getattr(plain, name), getattr(slow, name), err_msg=name)


@pytest.mark.parametrize("criterion", ["gini", "squared_error"])
def test_any_number_of_threads_grows_the_same_tree(monkeypatch, criterion):
    X, classes, numbers, _ = table(3000, 40)  # ties: equal cuts of several features
    monkeypatch.delenv("OMP_NUM_THREADS", raising=False)
    monkeypatch.setattr(chunks, "available_cores", lambda: 8)  # whatever the machine has
    monkeypatch.setattr(plain_grower, "SMALL", 0)
    monkeypatch.setattr(plain_grower, "HANDS", 60)
    helped = []
    monkeypatch.setattr(plain_grower, "second_desk", lambda desk: helped.append(1) or second(desk))
    columns = rank_columns(X)
    targets = class_targets(classes, [4]) if criterion == "gini" else number_targets(numbers)
    growth = Growth(criterion, max_features=6)
    alone, two, five = (grow(columns, targets, growth, seed=7, n_jobs=k) for k in (1, 2, 5))
    assert len(helped) == 1 + 4
    for one, other, third in zip(alone, two, five, strict=True):
        assert_array_equal(one, other)
        assert_array_equal(one, third)


def test_few_rows_and_many_are_ranked_alike():
    rng = np.random.default_rng(0)
    X = rng.integers(0, 300, size=(4000, 3)).astype(np.float32)
    columns = rank_columns(X)
    plain_grower.fill(columns, False)
    for m in (1, 2, 30, 64, 65, 400, 1300, 1334, 4000):  # counted, by bits, and picked from all
        members = np.sort(rng.choice(4000, m, replace=False)).astype(np.uint32)
        ground = Ground(columns.places, columns.orders, plain_grower.flat(columns.values), members)
        desk = new_desk(4000, m, 3, 6, random=False, numbers=True)
        give_numbers(members, (0, m), desk)
        for f in range(3):
            sort_rows(ground, f, (0, m), desk)
            wanted = np.argsort(X[members, f], kind="stable")
            assert_array_equal(desk.order[:m], wanted, err_msg=f"{m} rows")
        take_numbers(members, (0, m), desk)
        assert np.all(desk.numbers == m)
        assert not desk.bits.any()


@pytest.mark.skipif(not hasattr(os, "fork"), reason="this system has no fork")
def test_a_child_does_not_wait_for_a_lock_of_its_parent():
    X, classes, _, _ = table(60, 10)
    with plain_grower.filling:  # as if another thread was writing the places of its rows
        child = os.fork()
        if child == 0:
            signal.alarm(60)  # a child that hangs is killed
            grow(rank_columns(X, n_jobs=1), class_targets(classes, [4]), Growth("gini"), seed=1)
            os._exit(0)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
