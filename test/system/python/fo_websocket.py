"""The WebSocket binding (fo 9.2) on the package `websockets`."""

import json
from typing import Any

import websockets
from websockets.asyncio.client import ClientConnection
from websockets.typing import Subprotocol

from fo_link import LinkLost

SUBPROTOCOL = Subprotocol("v2gate-fo.v1.json")


class WebSocketLink:
    """One text frame for each message."""

    def __init__(self, url: str, token: str) -> None:
        self.url = url
        self.headers = {"Authorization": f"Bearer {token}"}
        self.socket: ClientConnection | None = None

    async def open(self) -> None:
        self.socket = await websockets.connect(
            self.url, subprotocols=[SUBPROTOCOL], additional_headers=self.headers, proxy=None
        )
        if self.socket.subprotocol != SUBPROTOCOL:
            raise LinkLost(f"the subprotocol is {self.socket.subprotocol}")

    async def send(self, envelope: dict[str, Any], reply_to: Any) -> None:
        await self._open().send(json.dumps(envelope))

    async def receive(self) -> tuple[dict[str, Any], Any]:
        return json.loads(await self._open().recv()), None

    async def drop(self) -> None:
        self._open().transport.abort()

    async def close(self) -> None:
        await self._open().close()

    def _open(self) -> ClientConnection:
        if self.socket is None:
            raise LinkLost("not connected")
        return self.socket
