"""The one error a planner should ever see."""

from __future__ import annotations

from collections.abc import Callable


class BadInput(Exception):
    """Something the user gave cannot be used; each message says what, where, and what would be right."""

    def __init__(self, *messages: str) -> None:
        super().__init__("\n".join(messages))
        self.messages: tuple[str, ...] = messages


def refusals(*looks: Callable[[], object]) -> list[str]:
    """Return what these calls refuse, each message once: a planner hears of all mistakes at a time."""
    told: list[str] = []
    for look in looks:
        try:
            look()
        except BadInput as error:
            told += error.messages
    return list(dict.fromkeys(told))


class OurFault(Exception):
    """The program made a mistake somewhere else, in a worker: the text says what, and where."""
