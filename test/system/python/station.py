"""What the stations of all versions are: one outlet, one vehicle, and a control channel.

Events beside those of control.py:

    connected {subprotocol}, refused {why}, offline      the connection; it comes back by itself
    boot {status, interval}, authorize {status}          answers of the server
    started {transactionId, status}, stopped {reason, importWh, exportWh}
    meter {powerW, importWh, exportWh, targetW}          its own truth twice a second, whatever it sends
    profile {status, purpose, reason, …}, clear {count}, variable {name, value}

Orders beside those of control.py: `plug`, `unplug`, `present` (with `token`: starts, or stops what it started), `drop`
(with `forS`: stays away so long), `energy` (`start`, `end` in epoch ms: tells what the vehicle counted in between),
`stop` (ends the transaction and the program).
"""

import argparse
import asyncio
import time
from dataclasses import dataclass
from typing import Any

from connection import RETRY_S, Connection
from control import Order, first_of, obey, order_call, say
from profiles import Profiles
from vehicle import Vehicle

TICK_S = 0.1
TELL_S = 0.5
RESET_S = 0.5


def arguments() -> argparse.Namespace:
    """The command line of all stations."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--url", required=True, help="endpoint without the identity")
    parser.add_argument("--identity", required=True)
    parser.add_argument("--token", default="FOREIGN-1", help="idTag or idToken")
    parser.add_argument("--max-import-w", type=float, default=11_000)
    parser.add_argument("--max-export-w", type=float, default=0)
    parser.add_argument("--meter-s", type=int, default=1, help="period of meter values until the server sets another")
    parser.add_argument("--offline-speed", type=float, default=1, help="how fast profiles age without a server")
    parser.add_argument("--idle", action="store_true", help="nobody comes by himself: wait for `plug` and `present`")
    return parser.parse_args()


@dataclass
class Transaction:
    """A transaction that runs. `id` is chosen by the server in 1.6, and unknown until it answers."""

    token: str
    started_at: float
    id: Any = None
    seq_no: int = 0
    remote_start_id: int | None = None


class Station(Connection):
    """The part without a dialect; stations of a version mix it with the ChargePoint of the package for that version."""

    def __init__(self, o: argparse.Namespace) -> None:
        super().__init__(o)
        self.vehicle = Vehicle(o.max_import_w, o.max_export_w, time.time())
        self.profiles = Profiles()
        self.plugged = False
        self.operative = True
        self.inoperative_later = False
        self.token: str | None = None
        self.remote_start_id: int | None = None
        self.tx: Transaction | None = None
        self.finished = False
        self.arrived = False
        self.skipped_s = 0.0
        self.meter_due = 0.0
        self.shown = ""

    # What a version says in its own words.

    def target_w(self) -> float:
        """What the profiles in force ask for, W, signed."""
        raise NotImplementedError

    def interval_s(self) -> float:
        """The configured distance of meter values, seconds."""
        raise NotImplementedError

    def status(self) -> str:
        """The state of the outlet in the words of the version."""
        raise NotImplementedError

    def status_request(self, status: str) -> Any:
        raise NotImplementedError

    def authorize_request(self, token: str) -> Any:
        raise NotImplementedError

    def status_of(self, answer: Any) -> str:
        """What the server says of a token."""
        raise NotImplementedError

    async def begin(self, tx: Transaction) -> None:
        """Tells the start of a transaction."""
        raise NotImplementedError

    async def end(self, tx: Transaction, reason: str) -> None:
        """Tells the end of a transaction."""
        raise NotImplementedError

    def reading(self, context: str) -> None:
        """Sends meter values."""
        raise NotImplementedError

    # Driver and vehicle.

    async def plug(self) -> None:
        self.plugged = True
        self.announce()
        await self.maybe_start()

    async def unplug(self) -> None:
        await self.stop("EVDisconnected")
        self.plugged = self.finished = False
        self.announce()

    async def present(self, token: str | None = None) -> None:
        token = token or self.o.token
        if self.tx is not None:
            if self.tx.token == token:
                await self.stop("Local")
            return
        answer = await self.tell(lambda: self.authorize_request(token))
        status = None if answer is None else self.status_of(answer)
        say("authorize", status=status)
        if status == "Accepted":
            self.token = token
            await self.maybe_start()

    async def maybe_start(self) -> None:
        """Starts a transaction as soon as there are both a vehicle and somebody who may charge."""
        if self.tx is not None or not self.plugged or self.token is None or not self.operative:
            return
        tx = Transaction(self.token, time.time(), remote_start_id=self.remote_start_id)
        self.tx, self.token, self.remote_start_id = tx, None, None
        self.meter_due = time.time() + self.interval_s()
        await self.begin(tx)

    async def stop(self, reason: str = "Local") -> None:
        """Opens the contactor and ends the transaction."""
        tx, self.tx = self.tx, None
        if tx is None:
            return
        self.step()
        self.vehicle.power_w = 0.0
        self.finished = True
        self.profiles.end_transaction()
        await self.end(tx, reason)
        v = self.vehicle
        say("stopped", reason=reason, importWh=round(v.import_wh, 2), exportWh=round(v.export_wh, 2))
        if self.inoperative_later:
            self.operative = self.inoperative_later = False
        self.announce()

    def step(self) -> None:
        """Brings the vehicle up to now."""
        self.vehicle.advance(time.time(), self.target_w() if self.tx is not None else 0.0)

    async def physics(self) -> None:
        told = 0.0
        while True:
            await asyncio.sleep(TICK_S)
            self.step()
            if not self.ready:
                self.skipped_s += (self.o.offline_speed - 1) * TICK_S
            now = time.time()
            if self.tx is not None and self.interval_s() > 0 and now >= self.meter_due:
                self.meter_due = now + self.interval_s()
                self.reading("Sample.Periodic")
            if self.tx is not None and now >= told + TELL_S:
                told = now
                self.say_meter()

    def say_meter(self) -> None:
        v = self.vehicle
        say(
            "meter",
            powerW=round(v.power_w, 1),
            importWh=round(v.import_wh, 2),
            exportWh=round(v.export_wh, 2),
            targetW=round(self.target_w(), 1),
        )

    # What a server may order in every version.

    def change_availability(self, operative: bool) -> str:
        if self.tx is not None and not operative:
            self.inoperative_later = True
            return "Scheduled"
        self.operative, self.inoperative_later = operative, False
        self.later(self.tell_state())
        return "Accepted"

    async def tell_state(self) -> None:
        self.announce()

    def remote_start(self, token: str, remote_start_id: int | None = None) -> str:
        if self.tx is not None or not self.operative:
            return "Rejected"
        self.token, self.remote_start_id = token, remote_start_id
        self.later(self.maybe_start())
        return "Accepted"

    async def restart_when_idle(self) -> None:
        """Restarts as soon as no transaction runs."""
        while self.tx is not None:
            await asyncio.sleep(TICK_S)
        await self.restart("Other", "ScheduledReset")

    async def restart(self, stopped: str, booted: str) -> None:
        """Ends what runs, and boots again."""
        await asyncio.wait([self.later(self.stop(stopped))], timeout=2)
        # The answer to the reset goes out first.
        await asyncio.sleep(RESET_S)
        self.booted, self.boot_reason = False, booted
        self.wire.drop()

    def announce(self) -> None:
        """Tells the state of the outlet, if the server does not know it."""
        status = self.status()
        if self.ready and status != self.shown:
            self.shown = status
            self.post(lambda: self.status_request(status))

    def greet(self) -> None:
        self.shown = ""
        self.announce()
        if not self.arrived and not self.o.idle:
            self.arrived = True
            self.later(self.arrive())

    async def arrive(self) -> None:
        """The driver who comes by himself."""
        await self.plug()
        await self.present()

    # Orders.

    def orders(self) -> dict[str, Order]:
        async def drop(forS: float = RETRY_S) -> None:  # noqa: N803
            self.away_s = forS
            self.wire.drop()

        async def answer(action: str, **how: Any) -> None:
            self.wire.rule(action, **how)

        async def energy(start: float, end: float) -> None:
            self.step()
            imported, exported = self.vehicle.energy(start / 1000, end / 1000)
            say("energy", importWh=round(imported, 3), exportWh=round(exported, 3))

        async def stop() -> None:
            await asyncio.wait([self.later(self.stop())], timeout=3)
            raise SystemExit

        async def call(**what: Any) -> None:
            await order_call(self, **what)

        async def frame(text: str) -> None:
            await self.wire.send(text)

        return {
            "plug": self.plug,
            "unplug": self.unplug,
            "present": self.present,
            "drop": drop,
            "answer": answer,
            "energy": energy,
            "stop": stop,
            "call": call,
            "frame": frame,
        }

    async def run(self) -> None:
        """The whole program."""
        await first_of(self.live(), self.physics(), obey(self.orders()))
