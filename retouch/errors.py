"""What can go wrong, each kind once; every message says what, received, remedy.

RetouchError
├── SettingsError    a value the user chose cannot be
├── PhotoError       a picture cannot be read or written
│   └── SizeError    it has more pixels than are let in
├── FaceError        no face, or none that can be worked on
├── WeightsError     a file of weights is missing, damaged or refused
└── DependencyError  an optional package is not installed
"""


class RetouchError(Exception):
    """The root: its text is one plain sentence for the user."""


class SettingsError(RetouchError, ValueError):
    """A value the user chose lies outside what is possible."""


class PhotoError(RetouchError):
    """A picture cannot be read or written."""


class SizeError(PhotoError):
    """A picture has more pixels than the limit."""


class FaceError(RetouchError):
    """No face was found, or none that can be worked on."""


class WeightsError(RetouchError):
    """A file of weights is missing, damaged or refused."""


class DependencyError(RetouchError):
    """An optional package is needed and not installed."""
