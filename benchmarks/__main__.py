"""Run the benchmarks, print their tables, and write a full run to benchmarks/RESULTS.md."""

import argparse
import os
import pathlib
import sys

RESULTS = pathlib.Path(__file__).with_name("RESULTS.md")
LIMITS = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "NUMEXPR_NUM_THREADS")


def arguments(argv=None):
    """Read the command line."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument(
        "--only",
        nargs="+",
        default=[],
        metavar="NAME",
        help="workloads and tables with this in their name",
    )
    parser.add_argument("--quick", action="store_true", help="a tenth of the samples, fewer rounds")
    parser.add_argument("--rounds", type=int, help="how often each contender fits on the clock")
    parser.add_argument(
        "--threads", type=int, default=cores(), help="for all (default: all cores, %(default)s)"
    )
    parser.add_argument(
        "--data", metavar="FOLDER", help="where mnist.npz is (default: $SKCOURSE_DATA)"
    )
    parser.add_argument(
        "--output",
        type=pathlib.Path,
        help="file to write (default: RESULTS.md, after a full run only)",
    )
    return parser.parse_args(argv)


def cores():
    """Return the number of cores that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()


def share_threads(threads):
    """Give every library the same number of threads; it must happen before they are loaded.

    oneDAL, which asks no environment variable, obeys the affinity of the process, as all do.
    """
    os.environ.update(dict.fromkeys(LIMITS, str(threads)))
    if hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, sorted(os.sched_getaffinity(0))[:threads])


def main(argv=None):
    """Run what the command line asks for."""
    options = arguments(argv)
    share_threads(options.threads)
    if options.data:
        os.environ["SKCOURSE_DATA"] = options.data
    from benchmarks import first_fit, growth, latency, memory
    from benchmarks.each import subjects
    from benchmarks.harness import Plan, run
    from benchmarks.report import circumstances, details, page, summary
    from benchmarks.workloads import all_workloads

    def wanted(name):
        return not options.only or any(part.lower() in name.lower() for part in options.only)

    plan = Plan(shrink=10, min_rounds=2, seconds=1.0) if options.quick else Plan()
    command = "python -m benchmarks" + " --quick" * options.quick
    if options.rounds:
        plan = plan._replace(min_rounds=options.rounds, max_rounds=options.rounds)
        command += f" --rounds {options.rounds}"
    command += f" --only {' '.join(options.only)}" if options.only else ""
    begun = circumstances(command, options.threads)
    print(begun, flush=True)
    results = []
    for workload in all_workloads():
        if wanted(workload.name):
            results.append(run(workload, plan))
            print(f"\n{details(results[-1])}", flush=True)
    asked = []
    for question in (latency, first_fit, memory, growth):
        if wanted(question.TITLE):
            tables = question.tables(subjects(), plan)
            asked += tables
            print("\n" + "\n".join(map(str, tables)), flush=True)
    ratios = [summary(results)] if results else []
    print("\n" + "\n".join(map(str, ratios)))
    output = options.output or (None if options.only or options.quick else RESULTS)
    if output:
        output.write_text(page(begun, [*ratios, *asked, *map(details, results)]), encoding="utf-8")
        print(f"Written to {output}")


if __name__ == "__main__":
    sys.exit(main())
