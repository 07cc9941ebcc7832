"""An OCPP 1.6 AC station with one three-phase connector, on the package `ocpp`; see station.py."""

import asyncio
import time
from typing import Any

from ocpp.routing import on
from ocpp.v16 import ChargePoint, call, call_result
from websockets.typing import Subprotocol

from control import say
from profiles import now_text
from station import Station, Transaction, arguments

VOLTS = 230
PHASES = 3
# IEC 61851: below 6 A per phase a vehicle does not charge.
LEAST_W = 6 * VOLTS * PHASES
CONFIGURATION = {
    "AuthorizeRemoteTxRequests": "false",
    "ChargeProfileMaxStackLevel": "8",
    "ChargingScheduleAllowedChargingRateUnit": "Current,Power",
    "ChargingScheduleMaxPeriods": "24",
    "HeartbeatInterval": "300",
    "MaxChargingProfilesInstalled": "10",
    "MeterValueSampleInterval": "1",
    "MeterValuesSampledData": "Power.Active.Import,Energy.Active.Import.Register,Current.Import",
    "NumberOfConnectors": "1",
    "SupportedFeatureProfiles": "Core,SmartCharging,RemoteTrigger",
}
WRITABLE = ("AuthorizeRemoteTxRequests", "HeartbeatInterval", "MeterValueSampleInterval", "MeterValuesSampledData")


class Station16(Station, ChargePoint):
    """Connector 1 of a station with a vehicle that only charges."""

    subprotocol = Subprotocol("ocpp1.6")

    def __init__(self, o: Any) -> None:
        super().__init__(o)
        self.configuration = {**CONFIGURATION, "MeterValueSampleInterval": str(o.meter_s)}

    def target_w(self) -> float:
        """The least of station maximum and transaction limit, W over three phases; unlimited without a profile."""
        now = time.time() + self.skipped_s
        started = self.tx.started_at if self.tx else now
        sessions = ("TxProfile", "TxDefaultProfile")
        periods = [self.profiles.period(p, now, started) for p in (("ChargePointMaxProfile",), sessions)]
        limit = min((watts(p) for p in periods if p is not None), default=self.o.max_import_w)
        return limit if limit >= LEAST_W else 0.0

    def interval_s(self) -> float:
        return float(self.configuration["MeterValueSampleInterval"])

    def status(self) -> str:
        if not self.operative:
            return "Unavailable"
        if self.tx is not None:
            return "Charging"
        if not self.plugged:
            return "Available"
        return "Finishing" if self.finished else "Preparing"

    # What it says.

    def boot_request(self) -> Any:
        return call.BootNotification(charge_point_model="Foreign 16", charge_point_vendor="Python")

    def status_request(self, status: str) -> Any:
        return call.StatusNotification(connector_id=1, error_code="NoError", status=status, timestamp=now_text())

    def greet(self) -> None:
        self.post(lambda: call.StatusNotification(connector_id=0, error_code="NoError", status="Available"))
        super().greet()

    def authorize_request(self, token: str) -> Any:
        return call.Authorize(id_tag=token)

    def status_of(self, answer: Any) -> str:
        return str(answer.id_tag_info["status"])

    async def begin(self, tx: Transaction) -> None:
        at, meter_wh = now_text(), round(self.vehicle.import_wh)
        answer = await self.tell(
            lambda: call.StartTransaction(connector_id=1, id_tag=tx.token, meter_start=meter_wh, timestamp=at),
            keep=True,
        )
        if answer is None:
            return
        tx.id = answer.transaction_id
        status = self.status_of(answer)
        say("started", transactionId=tx.id, status=status)
        self.announce()
        if status != "Accepted":
            await self.stop("DeAuthorized")

    async def end(self, tx: Transaction, reason: str) -> None:
        at, meter_wh = now_text(), round(self.vehicle.import_wh)
        await self.tell(
            lambda: call.StopTransaction(transaction_id=tx.id, meter_stop=meter_wh, timestamp=at, reason=reason),
            keep=True,
        )

    def reading(self, context: str) -> None:
        self.step()
        values = [{"timestamp": now_text(), "sampledValue": self.samples(context)}]
        tx = self.tx
        self.post(
            lambda: call.MeterValues(connector_id=1, transaction_id=tx.id if tx else None, meter_value=values),
            keep=tx is not None,
        )

    def samples(self, context: str) -> list[dict[str, str]]:
        v = self.vehicle
        amps = f"{v.power_w / PHASES / VOLTS:.1f}"
        known: dict[str, list[tuple[str, str, dict[str, str]]]] = {
            "Power.Active.Import": [(f"{v.power_w:.1f}", "W", {})],
            "Energy.Active.Import.Register": [(f"{v.import_wh:.1f}", "Wh", {})],
            "Voltage": [(str(VOLTS), "V", {})],
            "Current.Import": [(amps, "A", {"phase": phase}) for phase in ("L1", "L2", "L3")],
        }
        wanted = self.configuration["MeterValuesSampledData"].split(",")
        return [
            {"value": value, "context": context, "measurand": name, "location": "Outlet", "unit": unit, **more}
            for name in wanted
            for value, unit, more in known.get(name, [])
        ]

    # What it is told.

    @on("SetChargingProfile")
    def on_set(self, connector_id: int, cs_charging_profiles: dict[str, Any], **_: Any) -> Any:
        p = cs_charging_profiles
        purpose = p["charging_profile_purpose"]
        running = self.tx.id if self.tx else None
        if purpose == "TxProfile" and (running is None or p.get("transaction_id", running) != running):
            say("profile", status="Rejected", purpose=purpose, transactionId=p.get("transaction_id"))
            return call_result.SetChargingProfile("Rejected")
        self.profiles.put(p, p["charging_schedule"])
        say("profile", status="Accepted", purpose=purpose, connectorId=connector_id, targetW=round(self.target_w(), 1))
        return call_result.SetChargingProfile("Accepted")

    @on("ClearChargingProfile")
    def on_clear(
        self,
        id: int | None = None,
        charging_profile_purpose: str | None = None,
        stack_level: int | None = None,
        **_: Any,
    ) -> Any:
        count = self.profiles.clear(id, charging_profile_purpose, stack_level)
        say("clear", count=count, targetW=round(self.target_w(), 1))
        return call_result.ClearChargingProfile("Accepted" if count else "Unknown")

    @on("GetConfiguration")
    def on_get(self, key: list[str] | None = None, **_: Any) -> Any:
        have = self.configuration
        wanted = key or list(have)
        known = [{"key": k, "readonly": k not in WRITABLE, "value": have[k]} for k in wanted if k in have]
        unknown = [k for k in wanted if k not in have]
        return call_result.GetConfiguration(configuration_key=known, unknown_key=unknown or None)

    @on("ChangeConfiguration")
    def on_change(self, key: str, value: str, **_: Any) -> Any:
        if key not in self.configuration:
            return call_result.ChangeConfiguration("NotSupported")
        if key not in WRITABLE:
            return call_result.ChangeConfiguration("Rejected")
        self.configuration[key] = value
        self.meter_due = time.time() + self.interval_s()
        say("variable", name=key, value=value)
        return call_result.ChangeConfiguration("Accepted")

    @on("TriggerMessage")
    def on_trigger(self, requested_message: str, connector_id: int = 1, **_: Any) -> Any:
        if connector_id not in (0, 1):
            return call_result.TriggerMessage("Rejected")
        requests = {
            "BootNotification": self.boot_request,
            "Heartbeat": call.Heartbeat,
            "StatusNotification": lambda: self.status_request(self.status()),
        }
        if requested_message == "MeterValues":
            self.later(self.trigger_reading())
        elif requested_message in requests:
            self.post(requests[requested_message])
        else:
            return call_result.TriggerMessage("NotImplemented")
        return call_result.TriggerMessage("Accepted")

    async def trigger_reading(self) -> None:
        self.reading("Trigger")

    @on("RemoteStartTransaction")
    def on_remote_start(
        self, id_tag: str, connector_id: int = 1, charging_profile: dict[str, Any] | None = None, **_: Any
    ) -> Any:
        status = self.remote_start(id_tag) if connector_id == 1 else "Rejected"
        if status == "Accepted" and charging_profile is not None:
            self.profiles.put(charging_profile, charging_profile["charging_schedule"])
        return call_result.RemoteStartTransaction(status)

    @on("RemoteStopTransaction")
    def on_remote_stop(self, transaction_id: int, **_: Any) -> Any:
        if self.tx is None or transaction_id != self.tx.id:
            return call_result.RemoteStopTransaction("Rejected")
        self.later(self.stop("Remote"))
        return call_result.RemoteStopTransaction("Accepted")

    @on("ChangeAvailability")
    def on_availability(self, connector_id: int, type: str, **_: Any) -> Any:
        status = self.change_availability(type == "Operative") if connector_id in (0, 1) else "Rejected"
        return call_result.ChangeAvailability(status)

    @on("Reset")
    def on_reset(self, type: str, **_: Any) -> Any:
        self.later(self.restart(f"{type}Reset", "RemoteReset"))
        return call_result.Reset("Accepted")


def watts(period: dict[str, Any]) -> float:
    """The limit of a period in W; the package hands out Decimal."""
    limit = float(period["limit"])
    return limit if period["unit"] == "W" else limit * VOLTS * period.get("number_phases", PHASES)


if __name__ == "__main__":
    asyncio.run(Station16(arguments()).run())
