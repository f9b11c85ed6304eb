"""Each first-order rule once: how parameters move against a gradient.

A model computes the gradient g of its objective, or of that of a few samples, at the parameters
theta; a rule moves them by a step of length h. What it remembers from one step to the next is in
at most two vectors, v and s, and the number t of the step:

    sgd        theta - h g
    momentum   v = m v - h g,              theta + v                                       (1)
    nesterov   v = m v - h g,              theta + m v - h g                               (2)
    adagrad    s = s + g^2,                theta - h g / (s^(1/2) + e)                     (3)
    rmsprop    s = b s + (1 - b) g^2,      theta - h g / (s^(1/2) + e)                     (4)
    adam       v = a v + (1 - a) g, s as in (4),
               h_t = h (1 - b^t)^(1/2) / (1 - a^t),   theta - h_t v / (s^(1/2) + e)        (5)
    adamw      adam, and theta shrinks by h d theta, d the weight decay                    (6)

Momentum    In (2), theta is the point ahead at which the gradient is taken, and theta - m v the
            point from which momentum has carried it there.
Epsilon     e keeps (3) to (6) from dividing by 0. In (5) it stands beside the s as it is kept, not
            beside the corrected one, as in scikit-learn and Keras; PyTorch has it the other way.
Cost        A few operations per parameter, in one loop.
Reference   B. Polyak, 1964 (1). Y. Nesterov, 1983, as written by I. Sutskever, J. Martens, G. Dahl,
            G. Hinton, ICML 2013 (2). J. Duchi, E. Hazan, Y. Singer, JMLR 2011 (3). T. Tieleman,
            G. Hinton, Lecture 6.5, 2012 (4). D. Kingma, J. Ba, ICLR 2015 (5), in the order of
            computation at the end of their section 2. I. Loshchilov, F. Hutter, ICLR 2019 (6).
"""

from typing import NamedTuple

import numpy as np

from skcourse.core.kernel import kernel

SGD, MOMENTUM, NESTEROV, ADAGRAD, RMSPROP, ADAM, ADAMW = range(7)
RULES = {
    "sgd": SGD,
    "momentum": MOMENTUM,
    "nesterov": NESTEROV,
    "adagrad": ADAGRAD,
    "rmsprop": RMSPROP,
    "adam": ADAM,
    "adamw": ADAMW,
}
ADAPTIVE = ("adagrad", "rmsprop", "adam", "adamw")  # a step of its own for each parameter


class Rule(NamedTuple):
    """Which rule, and the numbers in its formula, as kernels take them."""

    code: int
    momentum: float = 0.9  # m
    beta_1: float = 0.9  # a
    beta_2: float = 0.999  # b
    epsilon: float = 1e-8  # e
    weight_decay: float = 0.0  # d, of adamw
    spared: int = 0  # so many parameters, the last ones, do not decay


class State(NamedTuple):
    """What a rule remembers."""

    velocity: np.ndarray  # v, shape and dtype of theta
    squares: np.ndarray  # s, likewise
    count: np.ndarray  # t, (1,), int64: the steps done


def new_state(theta):
    """Return the state before the first step from `theta`."""
    return State(np.zeros_like(theta), np.zeros_like(theta), np.zeros(1, np.int64))


@kernel
def step(rule, state, theta, gradient, length):
    """Move theta by one step of a rule, in place.

    Parameters
    ----------
    rule : Rule
    state : State, updated
    theta, gradient : arrays of shape (m,), of one float dtype
    length : float, h
    """
    state.count[0] += 1
    h = theta.dtype.type(length)
    if rule.code == SGD:
        for j in range(len(theta)):
            theta[j] -= h * gradient[j]
    elif rule.code in (MOMENTUM, NESTEROV):
        momentum_step(rule, state.velocity, theta, gradient, h)
    elif rule.code in (ADAGRAD, RMSPROP):
        scaled_step(rule, state.squares, theta, gradient, h)
    else:
        adam_step(rule, state, theta, gradient, length)


@kernel
def momentum_step(rule, v, theta, gradient, h):
    """(1) and (2)."""
    m, ahead = theta.dtype.type(rule.momentum), rule.code == NESTEROV
    for j in range(len(theta)):
        move = h * gradient[j]
        v[j] = m * v[j] - move
        theta[j] += m * v[j] - move if ahead else v[j]


@kernel
def scaled_step(rule, s, theta, gradient, h):
    """(3) and (4)."""
    real = theta.dtype.type
    keep, add, e = real(1.0), real(1.0), real(rule.epsilon)
    if rule.code == RMSPROP:
        keep, add = real(rule.beta_2), real(1.0 - rule.beta_2)
    for j in range(len(theta)):
        s[j] = keep * s[j] + add * gradient[j] * gradient[j]
        theta[j] -= h * gradient[j] / (np.sqrt(s[j]) + e)


@kernel
def adam_step(rule, state, theta, gradient, length):
    """(5) and (6)."""
    real, v, s = theta.dtype.type, state.velocity, state.squares
    if rule.code == ADAMW:
        shrink = real(1.0 - length * rule.weight_decay)
        for j in range(len(theta) - rule.spared):
            theta[j] *= shrink
    a, b, e = real(rule.beta_1), real(rule.beta_2), real(rule.epsilon)
    rest_a, rest_b = real(1.0 - rule.beta_1), real(1.0 - rule.beta_2)
    h = real(length * correction(rule, state))
    for j in range(len(theta)):
        v[j] = a * v[j] + rest_a * gradient[j]
        s[j] = b * s[j] + rest_b * gradient[j] * gradient[j]
        theta[j] -= h * v[j] / (np.sqrt(s[j]) + e)


@kernel
def correction(rule, state):
    """h_t / h of (5): v and s start at 0 and would be too small for a while."""
    t = state.count[0]
    return np.sqrt(1.0 - rule.beta_2**t) / (1.0 - rule.beta_1**t)


@kernel
def step_lengths(rule, state, length, lengths):
    """Write by how much each parameter moves for a steady gradient of 1, after `step`.

    A proximal step after the move must be as long, or the two come to rest at another point than
    the minimum.
    """
    code = rule.code
    h = length * correction(rule, state) if code in (ADAM, ADAMW) else length
    for j in range(len(lengths)):
        lengths[j] = h / (np.sqrt(state.squares[j]) + rule.epsilon) if code >= ADAGRAD else h
