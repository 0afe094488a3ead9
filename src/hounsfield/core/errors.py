"""Every error that Hounsfield raises, as one tree.

    HounsfieldError
    |-- UsageError          the command or a call was given arguments that do not fit
    |-- RefusedInput        the input is sound but must not be processed; the reason names the remedy
    |   |-- GeometryError   positions, orientation or spacing do not describe one grid
    |   `-- UnitError       the pixel values have no usable unit (HU, SUVbw, ...)
    |-- StudyError          a file is damaged, truncated, or not what it says it is
    |-- ModelError          a model is missing, altered, or does not fit its card
    |   `-- MissingModel    the model or data that was asked for is not installed
    |-- RecipeError         a training recipe states something unknown or impossible
    |-- ResultError         results could not be written; nothing half-written was left behind
    `-- Cancelled           the caller asked to stop

A message has three parts: what was found, where (file, slice, tag), and what to do about it.
Messages never carry a patient's name, identifier or dates.
"""

from __future__ import annotations


class HounsfieldError(Exception):
    """Base of all errors raised on purpose; the command maps each kind to an exit code."""


class UsageError(HounsfieldError):
    """The command, or a call from Python, was given arguments that do not fit."""


class RefusedInput(HounsfieldError):
    """The input can be read but must not be processed; the message says why and what to do."""


class GeometryError(RefusedInput):
    """Positions, orientation or spacing do not describe one grid; names the slices concerned."""


class UnitError(RefusedInput):
    """The pixel values have no usable unit, for instance a PET series without a patient weight."""


class StudyError(HounsfieldError):
    """A file is damaged, truncated, or not what it says it is; names the file."""


class ModelError(HounsfieldError):
    """A model's files are altered or do not fit its card."""


class MissingModel(ModelError):
    """The model, or an optional package that it needs, is not installed; names how to get it."""


class RecipeError(HounsfieldError):
    """A training recipe names something unknown or asks for something impossible."""


class ResultError(HounsfieldError):
    """Results could not be written; what was there before is untouched."""


class Cancelled(HounsfieldError):
    """The caller asked to stop; nothing was written after that."""
