"""One workload, several contenders, one process.

Time        Each round fits every contender once, starting with another one each time: whatever else
            the machine does falls on all of them. How much quicker ours is than a contender is
            the median over the rounds r of
                ratio_r = seconds_r(contender) / seconds_r(ours).                            (1)
            The first fit of each, which compiles and starts threads, is off the clock.
Quality     A short time counts only at equal quality: a workload has a loss, measured by the same
            code for all, and
                excess = loss / loss(scikit-learn) - 1                                       (2)
            may not go beyond the slack of the workload.
"""

import gc
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from statistics import median
from typing import NamedTuple

OURS = "skcourse"
REFERENCE = "scikit-learn"
PAUSE = 0.15  # seconds in which the spinning threads of the last contender come to rest


@dataclass(frozen=True)
class Workload:
    """What is fitted, by whom, how good a fit is, and what is asked of us."""

    name: str
    data: Callable  # shrink -> Data, made once for all contenders
    contenders: Callable  # () -> {name: fit}, with fit(data) -> fitted
    loss: Callable  # (data, fitted) -> float, the lower the better
    floor: float | None = None  # the least ratio to scikit-learn's best
    rivals: tuple = ()  # peers than which we may not be slower
    slack: float = 1e-6  # the excess (2) that still counts as equal quality
    namesake: bool = True  # whether scikit-learn has anything to compare with


class Plan(NamedTuple):
    """How much work a run is."""

    shrink: int = 1  # divides the number of samples
    min_rounds: int = 3
    max_rounds: int = 25
    seconds: float = 8.0  # on the clock, per workload; the rounds stop when it is used up


@dataclass
class Result:
    """Times and losses of one workload; `seconds[name][r]` is the time of round r."""

    workload: Workload
    seconds: dict = field(default_factory=dict)
    losses: dict = field(default_factory=dict)
    notes: list = field(default_factory=list)

    def ratios(self, name, base=OURS):
        """Return (1) round by round: above 1, `base` is quicker than `name`."""
        pairs = zip(self.seconds[name], self.seconds[base], strict=True)
        return [theirs / ours for theirs, ours in pairs]

    def ratio(self, name, base=OURS):
        """Return the median of (1), None if either did not run."""
        if name not in self.seconds or base not in self.seconds:
            return None
        return median(self.ratios(name, base))

    @property
    def reference(self):
        """The quickest of scikit-learn's contenders (a class may have several algorithms)."""
        names = [name for name in self.seconds if is_reference(name)]
        return min(names, key=lambda name: median(self.seconds[name]), default=None)

    def excess(self, name):
        """Return (2), None if scikit-learn did not run; two losses of 0 are equal."""
        if self.reference is None:
            return None
        loss, theirs = self.losses[name], self.losses[self.reference]
        return 0.0 if loss == theirs else loss / theirs - 1 if theirs else float("inf")

    def verdict(self):
        """Return "met", why not, or "" where nothing is asked."""
        if self.workload.floor is None or self.reference is None or OURS not in self.seconds:
            return ""
        reasons = []
        if self.ratio(self.reference) < self.workload.floor:
            reasons.append("missed")
        present = [rival for rival in self.workload.rivals if rival in self.seconds]
        reasons += [f"slower than {rival}" for rival in present if self.ratio(rival) < 1]
        if not self.excess(OURS) <= self.workload.slack:  # NaN is no quality either
            reasons.append("worse fit")
        return ", ".join(reasons) or "met"


def is_reference(name):
    """Tell whether a contender is scikit-learn, with whichever algorithm: "scikit-learn elkan"."""
    return name.split(" ")[0] == REFERENCE


def run(workload, plan, clock=time.perf_counter):
    """Fit all contenders of a workload, and return its Result.

    One that cannot do it raises NotImplementedError and is left out, with a note.
    """
    data, result = workload.data(plan.shrink), Result(workload)
    result.notes += [data.note] if data.note else []
    able = {}
    for name, fit in workload.contenders().items():
        try:
            result.losses[name] = float(workload.loss(data, fit(data)))  # the warm-up
            able[name] = fit
        except NotImplementedError as reason:
            result.notes.append(f"{name}: {reason}.")
    fits = {name: lambda fit=fit: fit(data) for name, fit in able.items()}
    result.seconds = interleave(fits, plan, clock)
    return result


def interleave(calls, plan, clock=time.perf_counter):
    """Time `calls`, a dict of functions, in turn; return the seconds of each by name and round."""
    names, seconds, spent = list(calls), {name: [] for name in calls}, 0.0
    for done in range(plan.max_rounds if calls else 0):
        if done >= plan.min_rounds and spent > plan.seconds:
            break
        first = done % len(names)
        for name in names[first:] + names[:first]:
            seconds[name].append(time_one(calls[name], clock))
            spent += seconds[name][-1]
    return seconds


def time_one(call, clock):
    """Return the seconds of one call, without the garbage of the one before."""
    gc.collect()
    time.sleep(PAUSE)
    begin = clock()
    fitted = call()
    seconds = clock() - begin
    del fitted
    return seconds
