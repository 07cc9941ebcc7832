"""The control channel of every program here: JSON lines in and out.

Out: one object a line, `{"at": epoch ms, "event": name, …}`. All programs tell

    received, sent   {peer, frame}       every OCPP frame as it is on the wire, with the identity of the station
    answer           {id, action, payload | error, description}   what became of a `call`
    done, failed     {do, n, why}        an order was carried out, or why not; `n` is that of the order

and stations and CSMS more: see station.py and csms.py.

In: one order a line, `{"do": name, …}`. Orders run beside each other, so that one which waits holds up no other. At
stations and CSMS (where `peer` names the station, default: the one that came last):

    {"do": "call", "action": "Reset", "payload": {"type": "Soft"}, "id": "c1"}      sends a CALL, checked by its schema
    {"do": "frame", "text": "[2,\"x\",\"Nonsense\",{}]"}                            sends any text
    {"do": "answer", "action": "BootNotification", "payload": {…}, "times": 1}      answers the next CALLs with this …
    {"do": "answer", "action": "Reset", "error": "InternalError"}                   … or a CALLERROR
    {"do": "answer", "action": "Heartbeat", "silent": true}                         … or not at all
    {"do": "answer", "action": "StartTransaction", "lose": true, "times": 1}        … carried out, the answer is lost
    {"do": "answer", "action": "Reset"}                                             answers as usual again
    {"do": "drop"}                                                                  breaks the connection without a word

Without `times` an answer holds for good. `lose` breaks the connection as well. A program ends with its standard input.
"""

import asyncio
import json
import math
import sys
import time
from collections.abc import Awaitable, Callable, Coroutine, Mapping
from dataclasses import dataclass
from typing import Any

from ocpp.charge_point import camel_to_snake_case, remove_nones, serialize_as_dict, snake_to_camel_case
from ocpp.exceptions import OCPPError

Order = Callable[..., Awaitable[None]]


def say(event: str, **fields: Any) -> None:
    """Tells one event on standard output; what is None is left out."""
    known = {key: value for key, value in fields.items() if value is not None}
    print(json.dumps({"at": round(time.time() * 1000), "event": event, **known}, default=float), flush=True)


async def obey(orders: Mapping[str, Order]) -> None:
    """Carries out the orders on standard input until it is closed."""
    reader = asyncio.StreamReader(limit=1_000_000)
    await asyncio.get_running_loop().connect_read_pipe(lambda: asyncio.StreamReaderProtocol(reader), sys.stdin)
    running: set[asyncio.Task[None]] = set()
    while line := (await reader.readline()).decode():
        task = asyncio.ensure_future(carry_out(line, orders))
        running.add(task)
        task.add_done_callback(running.discard)


async def carry_out(line: str, orders: Mapping[str, Order]) -> None:
    """One order; what goes wrong with it is told and harms nothing else."""
    do = n = None
    try:
        order = json.loads(line)
        do, n = order.pop("do"), order.pop("n", None)
        await orders[do](**order)
        say("done", do=do, n=n)
    except Exception as e:  # noqa: BLE001
        say("failed", do=do, n=n, why=f"{type(e).__name__}: {e}")


async def first_of(*jobs: Coroutine[Any, Any, Any]) -> None:
    """Runs the jobs until one ends, and ends the others; its error is ours."""
    tasks = [asyncio.ensure_future(job) for job in jobs]
    try:
        done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
    for task in done:
        task.result()


@dataclass
class Rule:
    """How CALLs of an action are answered; see above."""

    payload: dict[str, Any] | None = None
    error: str | None = None
    silent: bool = False
    lose: bool = False
    times: float = math.inf

    @property
    def usual(self) -> bool:
        return self.payload is None and self.error is None and not self.silent and not self.lose


class Wire:
    """What the package takes for a connection: it outlives sockets, tells every frame, answers as it was told."""

    def __init__(self, peer: str, rules: dict[str, Rule] | None = None) -> None:
        self.peer = peer
        self.rules = {} if rules is None else rules
        self.socket: Any = None
        self._lost: set[str] = set()

    async def recv(self) -> str:
        """The next text that the package is to see."""
        while True:
            text = await self._open().recv()
            frame = decoded(text)
            say("received", peer=self.peer, frame=frame)
            if not await self._answered(frame):
                return text

    async def send(self, text: str) -> None:
        """Sends a text, unless it is the answer that gets lost."""
        frame = decoded(text)
        if isinstance(frame, list) and frame[0] in (3, 4) and frame[1] in self._lost:
            self._lost.discard(frame[1])
            self.drop()
            return
        say("sent", peer=self.peer, frame=frame)
        await self._open().send(text)

    def drop(self) -> None:
        """Breaks the connection as a cut cable would, only at once."""
        if self.socket is not None:
            self.socket.transport.abort()

    def rule(self, action: str, **how: Any) -> None:
        """Answers this action in another way from now on."""
        rule = Rule(**how)
        if rule.usual:
            self.rules.pop(action, None)
        else:
            self.rules[action] = rule

    async def _answered(self, frame: Any) -> bool:
        if not isinstance(frame, list) or len(frame) != 4 or frame[0] != 2:
            return False
        rule = self.rules.get(frame[2])
        if rule is None:
            return False
        rule.times -= 1
        if rule.times <= 0:
            del self.rules[frame[2]]
        if rule.lose:
            self._lost.add(frame[1])
            return False
        if rule.error is not None:
            await self.send(json.dumps([4, frame[1], rule.error, "as ordered", {}]))
        elif not rule.silent:
            await self.send(json.dumps([3, frame[1], rule.payload]))
        return True

    def _open(self) -> Any:
        if self.socket is None:
            raise ConnectionError("not connected")
        return self.socket


def decoded(text: str | bytes) -> Any:
    """The JSON of a text, or the text where it is none."""
    try:
        return json.loads(text)
    except ValueError:
        return str(text)


async def order_call(point: Any, action: str, payload: Mapping[str, Any] | None = None, id: str | None = None) -> None:
    """The order `call` at a charge point of the package."""
    request = getattr(point._call, action)(**camel_to_snake_case(dict(payload or {})))
    try:
        answer = await point.call(request, suppress=False, unique_id=id)
        say("answer", id=id, action=action, payload=snake_to_camel_case(remove_nones(serialize_as_dict(answer))))
    except OCPPError as e:
        say("answer", id=id, action=action, error=e.code, description=e.description)
