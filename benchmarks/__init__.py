"""skcourse beside its peers, in one process: ``python -m benchmarks [--only NAMES] [--quick]``.

A workload says what is fitted, by whom, and how good a fit is (`workloads/`, a file per chapter).
The harness runs the contenders in turn and compares (`harness.py`). What every estimator is asked,
one-row latency, first fit, memory and growth, is a file each and finds the estimators by itself.
A new chapter adds a file of workloads and nothing else.
"""
