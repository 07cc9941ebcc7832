"""What both stations share: a vehicle that obeys and meters itself, profiles in force, JSON lines on standard output."""

import argparse
import asyncio
import json
import sys
import time
from datetime import datetime, timezone

TICK_S = 0.2


def say(event, **fields):
    """One JSON line per event; the test reads them."""
    print(json.dumps({"at": round(time.time() * 1000), "event": event, **fields}, default=float), flush=True)


def now_text():
    return datetime.now(timezone.utc).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def parse_time(text):
    return datetime.fromisoformat(text.replace("Z", "+00:00")).timestamp()


def arguments():
    parser = argparse.ArgumentParser()
    parser.add_argument("--url", required=True, help="endpoint without the identity")
    parser.add_argument("--identity", required=True)
    parser.add_argument("--token", default="FOREIGN-1", help="idTag or idToken")
    parser.add_argument("--max-import-w", type=float, default=11_000)
    parser.add_argument("--max-export-w", type=float, default=0)
    parser.add_argument("--meter-s", type=float, default=1.0, help="period of meter values")
    parser.add_argument("--offline-speed", type=float, default=10.0, help="how fast profiles age without a server")
    return parser.parse_args()


class Vehicle:
    """Integrates its own energy; power follows the target at 20 kW/s, between its own maxima and the battery's ends."""

    def __init__(self, max_import_w, max_export_w, capacity_wh=50_000, soc=0.5):
        self.max_import_w = max_import_w
        self.max_export_w = max_export_w
        self.capacity_wh = capacity_wh
        self.stored_wh = soc * capacity_wh
        self.power_w = 0.0
        self.import_wh = 0.0
        self.export_wh = 0.0

    @property
    def soc_percent(self):
        return round(100 * self.stored_wh / self.capacity_wh, 2)

    def step(self, seconds, target_w):
        target_w = max(-self.max_export_w, min(self.max_import_w, target_w))
        if (target_w > 0 and self.stored_wh >= self.capacity_wh) or (target_w < 0 and self.stored_wh <= 0):
            target_w = 0.0
        most = 20_000 * seconds
        self.power_w += max(-most, min(most, target_w - self.power_w))
        moved_wh = self.power_w * seconds / 3600
        self.stored_wh += moved_wh
        if moved_wh > 0:
            self.import_wh += moved_wh
        else:
            self.export_wh -= moved_wh


class Profiles:
    """The charging profiles of one connector: a later one replaces those of its id, and of its purpose and stack level."""

    def __init__(self):
        self.by_place = {}

    def put(self, purpose, stack, profile):
        self.remove(lambda _, old: old["id"] == profile["id"])
        self.by_place[(purpose, stack)] = {**profile, "updated_at": time.time()}

    def find(self, profile_id):
        return next((p for p in self.by_place.values() if p["id"] == profile_id), None)

    def remove(self, matches):
        gone = [place for place, profile in self.by_place.items() if matches(place, profile)]
        for place in gone:
            del self.by_place[place]
        return len(gone)

    def end_transaction(self):
        self.remove(lambda place, _: place[0] == "TxProfile")

    def period(self, purpose, now, tx_started_at):
        """The period in force of the highest stack level of a purpose that has one now."""
        for place in sorted((p for p in self.by_place if p[0] == purpose), key=lambda p: -p[1]):
            period = period_of(self.by_place[place], now, tx_started_at)
            if period is not None:
                return period
        return None


def period_of(profile, now, tx_started_at):
    schedule = profile["schedule"]
    kind = profile["kind"]
    if "valid_from" in profile and now < profile["valid_from"]:
        return None
    if "valid_to" in profile and now >= profile["valid_to"]:
        return None
    if kind == "Dynamic":
        start = profile["updated_at"]
    elif kind == "Relative" or "start_schedule" not in schedule:
        start = tx_started_at
    else:
        start = parse_time(schedule["start_schedule"])
    passed = now - start
    if passed < 0 or ("duration" in schedule and passed >= schedule["duration"]):
        return None
    found = None
    for period in schedule["charging_schedule_period"]:
        if period["start_period"] <= passed:
            found = period
    return None if found is None else {**found, "unit": schedule["charging_rate_unit"]}


async def commands(handlers):
    """Calls handlers[line] for each line on standard input; ends when it is closed."""
    reader = asyncio.StreamReader()
    await asyncio.get_running_loop().connect_read_pipe(lambda: asyncio.StreamReaderProtocol(reader), sys.stdin)
    while line := (await reader.readline()).decode().strip():
        if line in handlers:
            await handlers[line]()


async def boot(station, request):
    """Repeats the boot until it is accepted; while pending, as often as the server says (at most every second here)."""
    while True:
        answer = await station.call(request)
        if answer is not None:
            say("boot", status=str(answer.status), interval=answer.interval)
            if answer.status == "Accepted":
                return answer.interval or 300
        await asyncio.sleep(min(1, answer.interval if answer and answer.interval else 1))


async def first_of(*jobs):
    """Runs the jobs until one ends; its error is ours."""
    tasks = [asyncio.ensure_future(job) for job in jobs]
    done, rest = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
    for task in rest:
        task.cancel()
    for task in done:
        task.result()
