"""An OCPP 1.6 AC station with one three-phase connector, on the package `ocpp`: it boots, charges, meters, obeys."""

import asyncio
import time

import websockets
from common import TICK_S, Profiles, Vehicle, arguments, boot, commands, first_of, now_text, parse_time, say
from ocpp.routing import on
from ocpp.v16 import ChargePoint, call, call_result
from ocpp.v16.enums import Action

VOLTS = 230
CONFIGURATION = {
    "AuthorizeRemoteTxRequests": "false",
    "ChargeProfileMaxStackLevel": "8",
    "ChargingScheduleAllowedChargingRateUnit": "Current,Power",
    "ChargingScheduleMaxPeriods": "24",
    "HeartbeatInterval": "300",
    "MaxChargingProfilesInstalled": "10",
    "MeterValueSampleInterval": "1",
    "MeterValuesSampledData": "Power.Active.Import,Energy.Active.Import.Register",
    "NumberOfConnectors": "1",
    "SupportedFeatureProfiles": "Core,SmartCharging,RemoteTrigger",
}


class Station(ChargePoint):
    def __init__(self, connection, o):
        super().__init__(o.identity, connection, response_timeout=15)
        self.o = o
        self.vehicle = Vehicle(o.max_import_w, 0)
        self.profiles = Profiles()
        self.configuration = dict(CONFIGURATION)
        self.transaction_id = None
        self.started_at = 0.0
        self.skipped_s = 0.0

    def limit_w(self):
        """The least of station maximum and transaction limit, W over three phases; unlimited without a profile."""
        now = time.time() + self.skipped_s
        station = self.profiles.period("ChargePointMaxProfile", now, self.started_at)
        session = self.profiles.period("TxProfile", now, self.started_at)
        session = session or self.profiles.period("TxDefaultProfile", now, self.started_at)
        return min((watts(p) for p in (station, session) if p is not None), default=self.o.max_import_w)

    @on(Action.set_charging_profile)
    def on_set(self, connector_id, cs_charging_profiles, **_):
        p = cs_charging_profiles
        purpose = p["charging_profile_purpose"]
        if purpose == "TxProfile" and p.get("transaction_id", self.transaction_id) != self.transaction_id:
            say("profile", status="Rejected", purpose=purpose, transactionId=p.get("transaction_id"))
            return call_result.SetChargingProfile("Rejected")
        profile = {
            "id": p["charging_profile_id"],
            "kind": p["charging_profile_kind"],
            "schedule": p["charging_schedule"],
            **({"valid_from": parse_time(p["valid_from"])} if "valid_from" in p else {}),
            **({"valid_to": parse_time(p["valid_to"])} if "valid_to" in p else {}),
        }
        self.profiles.put(purpose, p["stack_level"], profile)
        say("profile", status="Accepted", purpose=purpose, connectorId=connector_id, limitW=round(self.limit_w(), 1))
        return call_result.SetChargingProfile("Accepted")

    @on(Action.clear_charging_profile)
    def on_clear(self, id=None, charging_profile_purpose=None, stack_level=None, **_):
        def matches(place, profile):
            if id is not None:
                return profile["id"] == id
            return charging_profile_purpose in (None, place[0]) and stack_level in (None, place[1])

        count = self.profiles.remove(matches)
        say("clear", count=count, limitW=round(self.limit_w(), 1))
        return call_result.ClearChargingProfile("Accepted" if count else "Unknown")

    @on(Action.get_configuration)
    def on_get(self, key=None, **_):
        wanted = key or list(self.configuration)
        known = [{"key": k, "readonly": False, "value": self.configuration[k]} for k in wanted if k in self.configuration]
        unknown = [k for k in wanted if k not in self.configuration]
        return call_result.GetConfiguration(configuration_key=known, unknown_key=unknown or None)

    @on(Action.change_configuration)
    def on_change(self, key, value, **_):
        if key not in self.configuration:
            return call_result.ChangeConfiguration("NotSupported")
        self.configuration[key] = value
        return call_result.ChangeConfiguration("Accepted")

    @on(Action.trigger_message)
    def on_trigger(self, requested_message, **_):
        if requested_message != "MeterValues":
            return call_result.TriggerMessage("NotImplemented")
        asyncio.ensure_future(self.send_meter("Trigger"))
        return call_result.TriggerMessage("Accepted")

    @on(Action.remote_stop_transaction)
    def on_remote_stop(self, transaction_id, **_):
        if transaction_id != self.transaction_id:
            return call_result.RemoteStopTransaction("Rejected")
        asyncio.ensure_future(self.stop("Remote"))
        return call_result.RemoteStopTransaction("Accepted")

    async def charge(self):
        answer = await self.call(call.Authorize(id_tag=self.o.token))
        say("authorize", status=str(answer.id_tag_info["status"]) if answer else None)
        await self.status("Preparing")
        answer = await self.call(
            call.StartTransaction(connector_id=1, id_tag=self.o.token, meter_start=0, timestamp=now_text())
        )
        self.transaction_id = answer.transaction_id
        self.started_at = time.time()
        say("started", transactionId=self.transaction_id, status=str(answer.id_tag_info["status"]))
        await self.status("Charging")
        await first_of(self.drive(), self.meter())

    async def drive(self):
        last = time.monotonic()
        while self.transaction_id is not None:
            await asyncio.sleep(TICK_S)
            now = time.monotonic()
            limit = self.limit_w()
            # Below 6 A per phase a vehicle does not charge (IEC 61851).
            self.vehicle.step(now - last, limit if limit >= 6 * VOLTS * 3 else 0)
            last = now

    async def meter(self):
        while self.transaction_id is not None:
            await asyncio.sleep(self.o.meter_s)
            await self.send_meter("Sample.Periodic")

    async def send_meter(self, context):
        self.say_meter()
        v = self.vehicle
        sample = lambda measurand, value, unit: {  # noqa: E731
            "value": f"{value:.1f}", "context": context, "measurand": measurand, "location": "Outlet", "unit": unit
        }
        values = [
            sample("Power.Active.Import", v.power_w, "W"),
            sample("Energy.Active.Import.Register", v.import_wh, "Wh"),
            *[
                {**sample("Current.Import", v.power_w / 3 / VOLTS, "A"), "phase": phase}
                for phase in ("L1", "L2", "L3")
            ],
        ]
        await self.call(
            call.MeterValues(
                connector_id=1,
                transaction_id=self.transaction_id,
                meter_value=[{"timestamp": now_text(), "sampledValue": values}],
            )
        )

    def say_meter(self):
        v = self.vehicle
        say("meter", powerW=round(v.power_w, 1), importWh=round(v.import_wh, 2), limitW=round(self.limit_w(), 1))

    async def status(self, status):
        await self.call(
            call.StatusNotification(connector_id=1, error_code="NoError", status=status, timestamp=now_text())
        )

    async def stop(self, reason="Local"):
        transaction_id, self.transaction_id = self.transaction_id, None
        if transaction_id is None:
            return
        self.profiles.end_transaction()
        await self.call(
            call.StopTransaction(
                transaction_id=transaction_id,
                meter_stop=round(self.vehicle.import_wh),
                timestamp=now_text(),
                reason=reason,
            )
        )
        say("stopped", reason=reason, importWh=round(self.vehicle.import_wh, 2))
        await self.status("Finishing")
        await self.status("Available")

    async def run(self):
        interval = await boot(self, call.BootNotification(charge_point_model="Foreign 16", charge_point_vendor="Python"))
        await self.call(call.StatusNotification(connector_id=0, error_code="NoError", status="Available"))
        await self.status("Available")
        await first_of(self.beat(interval), self.session(), commands({"stop": self.stop}))

    async def session(self):
        """Charges once and stays connected after it."""
        await self.charge()
        await asyncio.Event().wait()

    async def offline(self):
        """The server is gone: the vehicle goes on under the profiles that the station has, whose time passes faster."""
        say("offline")
        asyncio.ensure_future(self.drive())
        for _ in range(60):
            await asyncio.sleep(self.o.meter_s)
            self.skipped_s += (self.o.offline_speed - 1) * self.o.meter_s
            self.say_meter()

    async def beat(self, interval):
        while True:
            await asyncio.sleep(interval)
            await self.call(call.Heartbeat())


def watts(period):
    limit = float(period["limit"])  # the package hands out Decimal
    return limit if period["unit"] == "W" else limit * VOLTS * period.get("number_phases", 3)


async def main():
    o = arguments()
    async with websockets.connect(f"{o.url}/{o.identity}", subprotocols=["ocpp1.6"]) as socket:
        say("connected", subprotocol=socket.subprotocol)
        station = Station(socket, o)
        try:
            await first_of(station.start(), station.run())
        except websockets.ConnectionClosedError:
            await station.offline()


asyncio.run(main())
