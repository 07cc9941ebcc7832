"""The connection of a station: an outbox that outlives it, the boot, and coming back after a loss."""

import argparse
import asyncio
from collections import deque
from collections.abc import Callable, Coroutine
from dataclasses import dataclass, field
from typing import Any

import websockets
from ocpp.charge_point import ChargePoint
from ocpp.exceptions import NotImplementedError as NotImplementedCall
from ocpp.exceptions import OCPPError
from websockets.typing import Subprotocol

from control import Wire, first_of, say

RETRY_S = 1.0
MAX_OUTBOX = 1_000


@dataclass
class Item:
    """A message that waits. It is built when its turn comes; `keep`: also over a lost connection."""

    build: Callable[[], Any]
    keep: bool
    answer: asyncio.Future[Any] = field(default_factory=lambda: asyncio.get_running_loop().create_future())


class Connection(ChargePoint):
    """Speaks for a station: one message after the other, those of transactions also after a lost connection."""

    subprotocol: Subprotocol

    def __init__(self, o: argparse.Namespace) -> None:
        self.wire = Wire(o.identity)
        super().__init__(o.identity, self.wire, response_timeout=15)
        self.o = o
        self.booted = False
        self.boot_reason = "PowerUp"
        self.ready = False
        self.away_s = RETRY_S
        self.outbox: deque[Item] = deque()
        self.wake = asyncio.Event()
        self.tasks: set[asyncio.Future[Any]] = set()

    def boot_request(self) -> Any:
        raise NotImplementedError

    def greet(self) -> None:
        """The server listens (again)."""
        raise NotImplementedError

    def post(self, build: Callable[[], Any], keep: bool = False) -> Item:
        """Puts a message into the outbox."""
        item = Item(build, keep)
        if len(self.outbox) >= MAX_OUTBOX or not (keep or self.ready):
            item.answer.set_result(None)
            return item
        self.outbox.append(item)
        self.wake.set()
        return item

    async def tell(self, build: Callable[[], Any], keep: bool = False) -> Any:
        """Sends a message and waits for the answer; None where there is none."""
        return await self.post(build, keep).answer

    def later(self, job: Coroutine[Any, Any, Any]) -> asyncio.Future[Any]:
        """Runs a job after the answer to the CALL that is being handled; it may send CALLs itself."""
        task = asyncio.ensure_future(job)
        self.tasks.add(task)
        task.add_done_callback(self.tasks.discard)
        return task

    async def pump(self) -> None:
        """Sends what waits, one after the other."""
        while True:
            while self.outbox:
                item = self.outbox[0]
                answer = await self.ask(item.build())
                self.outbox.remove(item)
                if not item.answer.done():
                    item.answer.set_result(answer)
            self.wake.clear()
            await self.wake.wait()

    async def ask(self, request: Any) -> Any:
        """The answer to a CALL, None for a CALLERROR or silence."""
        try:
            return await self.call(request, suppress=False)
        except (TimeoutError, OCPPError) as e:
            say("unanswered", action=type(request).__name__, why=f"{type(e).__name__} {e}")
            return None

    async def boot(self) -> float:
        """Repeats the boot until it is accepted; at most every second, whatever the server says."""
        while True:
            answer = await self.ask(self.boot_request())
            if answer is not None:
                say("boot", status=str(answer.status), interval=answer.interval)
                if answer.status == "Accepted":
                    self.booted = True
                    return float(answer.interval or 300)
            await asyncio.sleep(1)

    async def session(self) -> None:
        """From the connection to its end."""
        interval = 300.0 if self.booted else await self.boot()
        self.ready = True
        self.greet()
        await first_of(self.pump(), self.beat(interval))

    async def beat(self, interval: float) -> None:
        while True:
            await asyncio.sleep(interval)
            await self.tell(self._call.Heartbeat)

    async def live(self) -> None:
        """Connects, again and again."""
        url = f"{self.o.url}/{self.o.identity}"
        while True:
            connected = False
            try:
                async with websockets.connect(url, subprotocols=[self.subprotocol], proxy=None) as socket:
                    say("connected", subprotocol=socket.subprotocol)
                    connected, self.wire.socket = True, socket
                    await first_of(self.start(), self.session())
            except (TimeoutError, websockets.WebSocketException, OSError) as e:
                if not connected:
                    say("refused", why=str(e))
            if connected:
                say("offline")
            self.wire.socket, self.ready = None, False
            self.forget()
            await asyncio.sleep(self.away_s)
            self.away_s = RETRY_S

    def forget(self) -> None:
        """Without a connection only what concerns transactions is kept."""
        for item in [i for i in self.outbox if not i.keep]:
            self.outbox.remove(item)
            if not item.answer.done():
                item.answer.set_result(None)

    async def _handle_call(self, msg: Any) -> Any:
        # The package leaves an action of 2.1 without a handler unanswered.
        if msg.action not in self.route_map:
            raise NotImplementedCall(details={"cause": f"No handler for {msg.action} registered."})
        return await super()._handle_call(msg)
