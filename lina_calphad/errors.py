"""The errors this package raises, one name for each kind of answer."""

from __future__ import annotations


class LinaCalphadError(Exception):
    """Base of every error this package raises on purpose."""


class UnknownAssessment(LinaCalphadError):
    """No assessment has this key, and no TDB file has this path."""


class DatabaseError(LinaCalphadError):
    """A TDB file is missing, cannot be parsed, or lacks what was asked of it."""


class ElasticDataError(LinaCalphadError):
    """Elastic data of a phase are missing, undefined or mechanically unstable."""


class MissingElasticData(ElasticDataError):
    """A phase lacks elastic data altogether, or some of those needed."""


class UnsupportedPhase(LinaCalphadError):
    """The phase is not of a kind that is treated, such as a solution on one sublattice."""


class EnergyError(UnsupportedPhase):
    """The energy of a phase cannot be evaluated: a function is undefined, circular or complex."""


class NoMiscibilityGap(LinaCalphadError):
    """The phase is stable against unmixing: there is no gap to compute."""


class SeveralMiscibilityGaps(LinaCalphadError):
    """The phase unmixes in more than one range of composition at one temperature."""


class NoCriticalPoint(LinaCalphadError):
    """There is a gap, but it does not close at a critical point within what is searched."""


class NotConverged(LinaCalphadError):
    """A result exists, but the numerical method did not reach it."""


class OutsideAssessedRange(LinaCalphadError, UserWarning):
    """A number outside the range in which the description or a method holds.

    Raised where the description has no meaning, given as a warning where
    extrapolation is legitimate.
    """


class DatasetError(LinaCalphadError):
    """A dataset, a table, draws or a trace are empty, inconsistent or not of the kind asked for."""


class RecipeError(LinaCalphadError):
    """A recipe of an assessment is missing, cannot be understood, or asks for what cannot be."""


class DataLeftOut(LinaCalphadError, UserWarning):
    """A warning: some data, or temperatures of a search, cannot be taken, and the others are."""


class SchedulerError(LinaCalphadError):
    """No Dask cluster answers there."""


class Interrupted(LinaCalphadError):
    """Sampling was stopped from the keyboard; what was sampled is kept."""


class OutputError(LinaCalphadError):
    """Results cannot be written there, or are there already."""


# Former names.
ParameterError = DatasetError
SurfaceExhausted = OutsideAssessedRange
