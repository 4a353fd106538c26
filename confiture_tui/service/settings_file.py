"""The kinds of settings files. Imports nothing: the command line names them in its help."""

from __future__ import annotations

from enum import StrEnum


class SettingsFile(StrEnum):
    """Which file a schema is of."""

    PROJECT = "project"
    """``confiture.yaml``"""
    USER = "user"
    """``config.yaml`` in the user's directory"""
    ENVIRONMENT = "environment"
    """``db/environments/NAME.yaml``"""
