"""What carries the envelopes of an operator."""

from typing import Any, Protocol


class LinkLost(Exception):
    """The connection is gone."""


class Link(Protocol):
    """A connection that can be opened again. `reply_to` is where the binding wants an answer."""

    async def open(self) -> None:
        """Connects, or raises."""

    async def send(self, envelope: dict[str, Any], reply_to: Any) -> None:
        """Sends one envelope; for a Result `reply_to` is that of the message answered."""

    async def receive(self) -> tuple[dict[str, Any], Any]:
        """The next envelope; raises LinkLost at the end."""

    async def drop(self) -> None:
        """Breaks the connection without a word."""

    async def close(self) -> None:
        """Ends it properly."""
