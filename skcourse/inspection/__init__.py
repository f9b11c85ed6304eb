"""Inspection: what a fitted model says, and how sure of it one may be."""

from skcourse.inspection.biplot import BiplotDisplay
from skcourse.inspection.coefficient_table import coefficient_table
from skcourse.inspection.display import CoefficientDisplay
from skcourse.inspection.elbow import ElbowDisplay
from skcourse.inspection.em import EMDisplay
from skcourse.inspection.scree import ScreeDisplay
from skcourse.inspection.table import CoefficientTable
from skcourse.inspection.voronoi import VoronoiDisplay

__all__ = [
    "BiplotDisplay",
    "CoefficientDisplay",
    "CoefficientTable",
    "EMDisplay",
    "ElbowDisplay",
    "ScreeDisplay",
    "VoronoiDisplay",
    "coefficient_table",
]
