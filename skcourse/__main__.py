"""The commands: `python -m skcourse`, and `python -m skcourse versions` or `warmup`."""

import argparse
import difflib
import sys

COMMANDS = ("versions", "warmup")


def main(arguments=None):
    """Run the command; return the exit code, 0 if all went well.

    Parameters
    ----------
    arguments : list of str, default=None
        What stands after `python -m skcourse`.
    """
    parser = commands()
    options = parser.parse_args(in_order(sys.argv[1:] if arguments is None else arguments))
    if options.command == "versions":
        from skcourse.versions import print_versions

        print_versions()
        return 0
    estimators = chosen(parser, options.only)
    if options.command == "warmup":
        from skcourse.warmup import warm_up

        return warm_up(estimators)
    from skcourse.tour import run

    return run(estimators, options.out)


def commands():
    """Return the parser of the command line."""
    parser = argparse.ArgumentParser(
        prog="python -m skcourse",
        description="Without a command: a tour. It fits every estimator on real data beside "
        "scikit-learn's class of the same name, prints a table of scores and times, and draws "
        "pictures if matplotlib is there.",
    )
    only = {"nargs": "+", "metavar": "NAME", "help": "these estimators instead of all"}
    parser.add_argument("--only", **only)
    parser.add_argument(
        "--out",
        default="tour",
        metavar="DIR",
        help="folder for the pictures (default: %(default)s)",
    )
    inner = parser.add_subparsers(dest="command", metavar="command")
    inner.add_parser("versions", help="what runs here: versions, BLAS, cores, cache")
    warmup = inner.add_parser("warmup", help="compile the kernels now and keep them on disk")
    warmup.add_argument("--only", default=argparse.SUPPRESS, **only)  # keeps one before "warmup"
    return parser


def in_order(arguments):
    """Return the arguments with a command among the names of `--only` moved before it."""
    if "--only" in arguments:
        only = arguments.index("--only")
        for i, argument in enumerate(arguments[only + 1 :], only + 1):
            if argument.startswith("-"):
                break
            if argument in COMMANDS:
                rest = [*arguments[only:i], *arguments[i + 1 :]]
                return [*arguments[:only], argument, *rest]
    return arguments


def chosen(parser, names):
    """Return all estimators, or those called `names`; exit with an error on an unknown name."""
    from skcourse.discovery import all_estimators

    found = all_estimators()
    known = dict(found)
    for name in names or ():
        if name not in known:
            near = difflib.get_close_matches(name, known, n=1, cutoff=0.5)
            hint = f"did you mean {near[0]}?" if near else f"there are {', '.join(known)}."
            parser.error(f"no estimator is called {name!r}; {hint}")
    return found if names is None else [pair for pair in found if pair[0] in names]


if __name__ == "__main__":
    sys.exit(main())
