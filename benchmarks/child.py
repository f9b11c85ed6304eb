"""Questions about an estimator that need a process of their own.

``python -m benchmarks.child first_fit linear_model Ridge skcourse 1000 20``
answers with a line of JSON, the last one of the output.
"""

import json
import os
import subprocess
import sys
import time

from benchmarks.data import ROOT


def ask(question, subject, contender, *numbers, **environment):
    """Run `question` about an estimator in a new process and return its answer, a dict."""
    command = [sys.executable, "-m", "benchmarks.child", question, subject.chapter, subject.name]
    command += [contender, *map(str, numbers)]
    run = subprocess.run(
        command,
        cwd=ROOT,
        env=os.environ | environment,
        capture_output=True,
        text=True,
        check=False,
    )
    if run.returncode:
        raise RuntimeError(f"{' '.join(command[1:])} failed:\n{run.stderr}")
    return json.loads(run.stdout.splitlines()[-1])


def first_fit(make, n, p):
    """Return the seconds of the first fit of this process and of the third."""
    from benchmarks.each import fit, problem

    data, seconds = problem(make(), n, p), []
    for _ in range(3):
        begin = time.perf_counter()
        fit(make(), data)
        seconds.append(time.perf_counter() - begin)
    return {"first": seconds[0], "later": seconds[2]}


def memory(make, n, p):
    """Return the bytes of X, and by how many the process grew at most during the fit.

    The arrays that the fitted estimator keeps are not counted.
    """
    import numpy as np

    from benchmarks.contenders import handed_back, overheard
    from benchmarks.each import fit, problem

    few = min(2_000, max(20, n // 10))
    fit(make(), problem(make(), few, p))  # loads libraries and machine code, starts threads
    data = problem(make(), n, p)
    before = resident_bytes()
    with overheard() as messages:
        fitted = fit(make(), data)
    kept = sum(value.nbytes for value in vars(fitted).values() if isinstance(value, np.ndarray))
    grown = max(0, peak_bytes() - before - kept)
    return {"X": data.X.nbytes, "grown": grown, "handed_back": handed_back(messages)}


def resident_bytes():
    """Return the memory in use now; where the system allows it (Linux), the peak begins here."""
    try:
        with open("/proc/self/clear_refs", "w") as file:
            file.write("5")
    except OSError:
        return peak_bytes()
    return status_bytes("VmRSS")


def peak_bytes():
    """Return the most memory that was in use."""
    if os.path.exists("/proc/self/status"):
        return status_bytes("VmHWM")  # ru_maxrss would begin with the peak of the parent
    import resource

    unit = 1 if sys.platform == "darwin" else 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit


def status_bytes(key):
    """Read a number of /proc/self/status."""
    with open("/proc/self/status") as file:
        line = next(line for line in file if line.startswith(key))
    return 1024 * int(line.split()[1])


def main(question, chapter, name, contender, n, p):
    """Answer one question about one estimator."""
    begin = time.perf_counter()
    from benchmarks.contenders import PACKAGES

    __import__(f"{PACKAGES[contender]}.{chapter}")
    imported = time.perf_counter() - begin
    from benchmarks.each import Subject, namesakes

    same_work = question == "memory"  # few components, where there is a choice
    make = namesakes(Subject(name, chapter), (contender,), same_work=same_work)[contender]
    answer = {"first_fit": first_fit, "memory": memory}[question](make, int(n), int(p))
    print(json.dumps(answer | {"imported": imported}))


if __name__ == "__main__":
    main(*sys.argv[1:])
