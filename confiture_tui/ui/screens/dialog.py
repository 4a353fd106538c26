"""The base of what is shown over a screen."""

from __future__ import annotations

from typing import ClassVar, TypeVar

from textual.screen import ModalScreen

from confiture_tui.ui.presenters.styles import CLASSES

Answer = TypeVar("Answer")


class Dialog(ModalScreen[Answer]):
    """A question or a text over a screen, with the app's styles."""

    COMPONENT_CLASSES: ClassVar[set[str]] = set(CLASSES)
