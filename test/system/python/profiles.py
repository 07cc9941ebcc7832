"""The charging profiles of one outlet, as the package `ocpp` hands them out: dictionaries in snake case."""

import time
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

Place = tuple[str, int]
Profile = dict[str, Any]


def now_text() -> str:
    """Now, as OCPP writes it."""
    return datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def parse_time(text: str) -> float:
    """Epoch seconds of an ISO 8601 time."""
    return datetime.fromisoformat(text.replace("Z", "+00:00")).timestamp()


class Profiles:
    """A later profile replaces those of its id, and of its purpose and stack level."""

    def __init__(self) -> None:
        self.by_place: dict[Place, Profile] = {}

    def put(self, wire: Profile, schedule: dict[str, Any]) -> None:
        """Takes in a profile of any version; `schedule` is the one that counts."""
        profile_id = wire.get("id", wire.get("charging_profile_id"))
        profile: Profile = {
            "id": profile_id,
            "kind": wire["charging_profile_kind"],
            "schedule": schedule,
            "updated_at": time.time(),
        }
        profile.update({key: parse_time(wire[key]) for key in ("valid_from", "valid_to") if key in wire})
        self.remove(lambda _, old: old["id"] == profile_id)
        self.by_place[(wire["charging_profile_purpose"], wire["stack_level"])] = profile

    def find(self, profile_id: int) -> Profile | None:
        """The profile of an id."""
        return next((p for p in self.by_place.values() if p["id"] == profile_id), None)

    def remove(self, matches: Callable[[Place, Profile], bool]) -> int:
        """Removes what matches and says how many that were."""
        gone = [place for place, profile in self.by_place.items() if matches(place, profile)]
        for place in gone:
            del self.by_place[place]
        return len(gone)

    def clear(self, profile_id: int | None, purpose: str | None, stack_level: int | None) -> int:
        """ClearChargingProfile of all versions: by id, or by what is given of the rest."""
        if profile_id is not None:
            return self.remove(lambda _, profile: profile["id"] == profile_id)
        return self.remove(lambda place, _: purpose in (None, place[0]) and stack_level in (None, place[1]))

    def end_transaction(self) -> None:
        """TxProfiles end with their transaction."""
        self.remove(lambda place, _: place[0] == "TxProfile")

    def period(self, purposes: tuple[str, ...], now: float, tx_started_at: float) -> dict[str, Any] | None:
        """The period in force now: of the first purpose that has one, of its highest stack level."""
        for purpose in purposes:
            for place in sorted((p for p in self.by_place if p[0] == purpose), key=lambda p: -p[1]):
                period = period_of(self.by_place[place], now, tx_started_at)
                if period is not None:
                    return period
        return None


def period_of(profile: Profile, now: float, tx_started_at: float) -> dict[str, Any] | None:
    """The period of a profile that is in force now, with its unit."""
    schedule = profile["schedule"]
    if now < profile.get("valid_from", now) or now >= profile.get("valid_to", now + 1):
        return None
    if profile["kind"] == "Dynamic":
        start = profile["updated_at"]
    elif profile["kind"] == "Relative" or "start_schedule" not in schedule:
        start = tx_started_at
    else:
        start = parse_time(schedule["start_schedule"])
    passed = now - start
    if passed < 0 or ("duration" in schedule and passed >= schedule["duration"]):
        return None
    found = [p for p in schedule["charging_schedule_period"] if p["start_period"] <= passed]
    return {**found[-1], "unit": schedule["charging_rate_unit"]} if found else None
