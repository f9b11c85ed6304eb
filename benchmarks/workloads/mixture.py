"""Mixtures of Gaussians, from one start for all, so that the work is the same."""

SETTINGS = {}

WORKLOADS = []
