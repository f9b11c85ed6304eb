"""Mixtures: densities made of Gaussians, fitted by expectation and maximisation."""

__all__ = []
