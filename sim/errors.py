"""The one error a planner should ever see."""


class BadInput(Exception):
    """Something the user gave cannot be used; each message says what, where, and what would be right."""

    def __init__(self, *messages: str) -> None:
        super().__init__("\n".join(messages))
        self.messages: tuple[str, ...] = messages
