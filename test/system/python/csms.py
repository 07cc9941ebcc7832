"""A central system for stations of OCPP 1.6, 2.0.1 and 2.1, on the package `ocpp`; orders and events: control.py.

It accepts every station and every token, and answers each action that a station may send. Events of its own:

    listening {port}
    connected {peer, subprotocol}, disconnected {peer}

Rules of the order `answer` hold for a station over its connections, and may be given before it comes.
"""

import asyncio
from collections.abc import Callable
from functools import partial
from itertools import count
from typing import Any

import websockets
from ocpp import v16, v21, v201
from ocpp.charge_point import ChargePoint
from ocpp.routing import on
from websockets.asyncio.server import ServerConnection, serve
from websockets.typing import Subprotocol

from control import Order, Rule, Wire, first_of, obey, order_call, say
from profiles import now_text

INTERVAL_S = 30
TRANSACTIONS = count(1)


def route(action: str, make: Callable[[], Any]) -> Callable[..., Any]:
    """A handler for an action, whose answer is made anew each time."""

    def handler(_self: Any, **_: Any) -> Any:
        return make()

    # The package finds handlers by the names of the functions.
    handler.__name__ = name_of(action)
    return on(action)(handler)


def name_of(action: str) -> str:
    """What the handler of an action is called."""
    return f"on_{action}"


def peer_of(module: Any, answers: dict[str, dict[str, Any]]) -> type[ChargePoint]:
    """The charge point of a version, with a handler for each action that a station may send."""
    results = module.call_result
    made: dict[str, Callable[[], Any]] = {
        "BootNotification": lambda: results.BootNotification(now_text(), INTERVAL_S, "Accepted"),
        "Heartbeat": lambda: results.Heartbeat(now_text()),
        **{action: partial(getattr(results, action), **fields) for action, fields in answers.items()},
    }
    if module is v16:
        # Here the server chooses the ids of transactions.
        made["StartTransaction"] = lambda: results.StartTransaction(next(TRANSACTIONS), {"status": "Accepted"})
    return type("Peer", (module.ChargePoint,), {name_of(action): route(action, make) for action, make in made.items()})


ANSWERS_16: dict[str, dict[str, Any]] = {
    "Authorize": {"id_tag_info": {"status": "Accepted"}},
    "DataTransfer": {"status": "Accepted"},
    "DiagnosticsStatusNotification": {},
    "FirmwareStatusNotification": {},
    "MeterValues": {},
    "StatusNotification": {},
    "StopTransaction": {},
}
ANSWERS_2: dict[str, dict[str, Any]] = {
    "Authorize": {"id_token_info": {"status": "Accepted"}},
    "ClearedChargingLimit": {},
    "DataTransfer": {"status": "Accepted"},
    "FirmwareStatusNotification": {},
    "LogStatusNotification": {},
    "MeterValues": {},
    "NotifyChargingLimit": {},
    "NotifyEVChargingNeeds": {"status": "Processing"},
    "NotifyEVChargingSchedule": {"status": "Accepted"},
    "NotifyEvent": {},
    "NotifyMonitoringReport": {},
    "NotifyReport": {},
    "ReportChargingProfiles": {},
    "SecurityEventNotification": {},
    "StatusNotification": {},
    "TransactionEvent": {},
}
ANSWERS_21: dict[str, dict[str, Any]] = {"NotifyPriorityCharging": {}, "NotifyDERAlarm": {}}

PEERS: dict[str, type[ChargePoint]] = {
    "ocpp1.6": peer_of(v16, ANSWERS_16),
    "ocpp2.0.1": peer_of(v201, ANSWERS_2),
    "ocpp2.1": peer_of(v21, {**ANSWERS_2, **ANSWERS_21}),
}


class Csms:
    """All stations that are connected."""

    def __init__(self) -> None:
        self.peers: dict[str, ChargePoint] = {}
        self.wires: dict[str, Wire] = {}
        self.rules: dict[str, dict[str, Rule]] = {}
        self.newest = ""

    async def serve(self, socket: ServerConnection) -> None:
        """One connection from its start to its end."""
        identity = socket.request.path.rsplit("/", 1)[-1] if socket.request else ""
        wire = Wire(identity, self.rules.setdefault(identity, {}))
        wire.socket = socket
        peer = PEERS[str(socket.subprotocol)](identity, wire, response_timeout=15)
        self.peers[identity], self.wires[identity], self.newest = peer, wire, identity
        say("connected", peer=identity, subprotocol=socket.subprotocol)
        try:
            await peer.start()
        except websockets.ConnectionClosed:
            pass
        finally:
            say("disconnected", peer=identity)
            if self.wires.get(identity) is wire:
                del self.peers[identity], self.wires[identity]

    def orders(self) -> dict[str, Order]:
        async def call(peer: str | None = None, **what: Any) -> None:
            await order_call(self.peers[peer or self.newest], **what)

        async def frame(text: str, peer: str | None = None) -> None:
            await self.wires[peer or self.newest].send(text)

        async def rule(action: str, peer: str | None = None, **how: Any) -> None:
            identity = peer or self.newest
            Wire(identity, self.rules.setdefault(identity, {})).rule(action, **how)

        async def drop(peer: str | None = None) -> None:
            self.wires[peer or self.newest].drop()

        async def stop() -> None:
            raise SystemExit

        return {"call": call, "frame": frame, "answer": rule, "drop": drop, "stop": stop}

    async def run(self) -> None:
        """The whole program."""
        subprotocols = [Subprotocol(name) for name in PEERS]
        async with serve(self.serve, "127.0.0.1", 0, subprotocols=subprotocols) as server:
            say("listening", port=next(iter(server.sockets)).getsockname()[1])
            await first_of(obey(self.orders()))


if __name__ == "__main__":
    asyncio.run(Csms().run())
