"""Tables, as Markdown that reads well on a terminal too, and what they were measured with."""

import datetime
import importlib.metadata
import os
import platform
from dataclasses import dataclass, field
from statistics import median

from benchmarks.harness import OURS, is_reference
from skcourse.versions import versions

PEERS = ("scikit-learn-intelex", "faiss-cpu", "skglm", "celer", "glum", "statsmodels")
DETAILS = ["contender", "its time / ours", "least to most", "median time", "least to most"]
DETAILS += ["loss", "excess loss"]
UNITS = {"s": 1, "ms": 1e3, "µs": 1e6}


@dataclass
class Table:
    """A heading, a sentence and rows of cells."""

    title: str
    about: str
    head: list
    rows: list = field(default_factory=list)

    def __str__(self):
        lines = [self.head, *self.rows]
        widths = [max(len(line[i]) for line in lines) for i in range(len(self.head))]
        lines.insert(1, ["-" * width for width in widths])
        text = "\n".join(
            "| " + " | ".join(cell.ljust(w) for cell, w in zip(line, widths, strict=True)) + " |"
            for line in lines
        )
        return f"## {self.title}\n\n{self.about}\n\n{text}\n"


def summary(results):
    """Make the table of ratios: one row per workload."""
    table = Table(
        "Fits",
        "How many times longer scikit-learn's best algorithm and the quickest other peer take, the "
        "median over interleaved rounds; what is asked; the loss of our fit over that of "
        "scikit-learn's, minus 1.",
        ["workload", "scikit-learn / ours", "at least", "asked", "best peer / ours", "excess loss"],
    )
    for result in results:
        floor = result.workload.floor
        table.rows.append(
            [
                result.workload.name,
                ratio_cell(result.ratio(result.reference)),
                "" if floor is None else f"{floor:g}x",
                result.verdict(),
                best_peer(result),
                excess_cell(result, OURS),
            ]
        )
    return table


def best_peer(result):
    """Name the quickest contender that is neither scikit-learn nor ours, and its ratio."""
    peers = [name for name in result.seconds if name != OURS and not is_reference(name)]
    if not peers:
        return ""
    best = min(peers, key=lambda name: median(result.seconds[name]))
    return f"{ratio_cell(result.ratio(best))} {best}".strip()


def details(result):
    """Make the table of one workload: a row per contender."""
    n_rounds = len(next(iter(result.seconds.values()), []))
    table = Table(
        result.workload.name,
        " ".join([f"{n_rounds} rounds.", *result.notes]),
        DETAILS,
    )
    for name, seconds in result.seconds.items():
        row = [name, ratio_cell(result.ratio(name))]
        row.append(range_cell(result.ratios(name), ratio_cell) if row[1] else "")
        row += [time_cell(median(seconds)), range_cell(seconds, time_cell)]
        table.rows.append([*row, f"{result.losses[name]:.8g}", excess_cell(result, name)])
    return table


def range_cell(values, cell):
    """Write the least and the greatest of some values."""
    return f"{cell(min(values))} to {cell(max(values))}"


def ratio_cell(ratio):
    """Write a ratio, "" for None."""
    return "" if ratio is None else f"{ratio:.2f}x" if ratio < 10 else f"{ratio:.1f}x"


def excess_cell(result, name):
    """Write the excess loss of a contender."""
    excess = result.excess(name) if name in result.losses else None
    return "" if excess is None else f"{excess:+.1e}"


def time_cell(seconds):
    """Write a time with three digits and its unit, "" for None."""
    if seconds is None:
        return ""
    fitting = (unit for unit in UNITS if seconds * UNITS[unit] >= 0.9995)  # rounds to 1.00
    unit = next(fitting, "µs")
    return f"{seconds * UNITS[unit]:#.3g}".rstrip(".") + f" {unit}"


def circumstances(command, threads):
    """List what the numbers depend on: the date, the machine, the versions, the command."""
    found = {name: text for name, text in versions().items() if name not in ("cores", "cache")}
    found |= {name: installed(name) for name in PEERS}
    lines = [
        f"{datetime.datetime.now(datetime.UTC):%Y-%m-%d}, `{command}`",
        f"{processor()}, {threads} threads for every contender",
        ", ".join(f"{name} {text}" for name, text in found.items()),
    ]
    if hasattr(os, "getloadavg"):
        lines.append(f"other load when it began: {os.getloadavg()[0]:.1f}")
    return "\n".join(f"- {line}" for line in lines)


def installed(package):
    """Return the version of a package, or that there is none."""
    try:
        return importlib.metadata.version(package)
    except importlib.metadata.PackageNotFoundError:
        return "not installed"


def processor():
    """Name the processor."""
    try:
        with open("/proc/cpuinfo") as file:
            names = [line.split(":")[1].strip() for line in file if line.startswith("model name")]
    except OSError:
        names = []
    return f"{(names or [platform.processor() or platform.machine()])[0]}, {platform.system()}"


def page(begun, tables):
    """Put the results together: what they depend on, the ratios, then everything else."""
    about = "Written by `python -m benchmarks`. A ratio above 1 says that skcourse is quicker."
    return f"# Benchmarks\n\n{about}\n\n{begun}\n\n" + "\n".join(map(str, tables))
