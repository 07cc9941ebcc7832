"""An OCPP 2.0.1 AC station with a vehicle that only charges, on the package `ocpp`: it boots, charges, meters, obeys."""

import asyncio
import time
import uuid

import websockets
from common import TICK_S, Profiles, Vehicle, arguments, boot, commands, first_of, now_text, say
from ocpp.routing import on
from ocpp.v201 import ChargePoint, call, call_result
from ocpp.v201.enums import Action

PHASES = 3
VOLTAGE = 230
VARIABLES = {
    ("SmartChargingCtrlr", "Enabled"): "true",
    ("SmartChargingCtrlr", "RateUnit"): "A,W",
    ("SmartChargingCtrlr", "ProfileStackLevel"): "5",
    ("SampledDataCtrlr", "TxUpdatedInterval"): "60",
    ("SampledDataCtrlr", "TxUpdatedMeasurands"): "Energy.Active.Import.Register",
}


class Station(ChargePoint):
    def __init__(self, connection, o):
        super().__init__(o.identity, connection, response_timeout=15)
        self.o = o
        self.vehicle = Vehicle(o.max_import_w, 0)
        self.profiles = Profiles()
        self.variables = dict(VARIABLES)
        self.transaction_id = None
        self.started_at = 0.0
        self.seq_no = 0

    def target_w(self):
        """The limit of the profile in force, W; without one it charges as fast as it can."""
        now = time.time()
        period = self.profiles.period("TxProfile", now, self.started_at)
        period = period or self.profiles.period("TxDefaultProfile", now, self.started_at)
        if period is None:
            return self.o.max_import_w
        limit = float(period["limit"])
        return limit if period["unit"] == "W" else limit * VOLTAGE * period.get("number_phases", PHASES)

    @on(Action.set_charging_profile)
    def on_set(self, charging_profile, **_):
        p = charging_profile
        purpose = p["charging_profile_purpose"]
        if purpose == "TxProfile" and p.get("transaction_id") != self.transaction_id:
            say("profile", status="Rejected", purpose=purpose, reason="TxNotFound")
            return call_result.SetChargingProfile("Rejected", status_info={"reasonCode": "TxNotFound"})
        schedule = p["charging_schedule"][0]
        self.profiles.put(purpose, p["stack_level"], {"id": p["id"], "kind": p["charging_profile_kind"], "schedule": schedule})
        say("profile", status="Accepted", id=p["id"], purpose=purpose, unit=schedule["charging_rate_unit"],
            targetW=self.target_w())
        return call_result.SetChargingProfile("Accepted")

    @on(Action.clear_charging_profile)
    def on_clear(self, charging_profile_id=None, **_):
        count = self.profiles.remove(lambda _, p: charging_profile_id in (None, p["id"]))
        return call_result.ClearChargingProfile("Accepted" if count else "Unknown")

    @on(Action.get_composite_schedule)
    def on_composite(self, duration, evse_id, **_):
        schedule = {
            "evseId": evse_id,
            "duration": duration,
            "scheduleStart": now_text(),
            "chargingRateUnit": "W",
            "chargingSchedulePeriod": [{"startPeriod": 0, "limit": self.target_w()}],
        }
        return call_result.GetCompositeSchedule("Accepted", schedule=schedule)

    @on(Action.get_variables)
    def on_get_variables(self, get_variable_data, **_):
        return call_result.GetVariables([self.read(d) for d in get_variable_data])

    def read(self, data):
        place = {"component": data["component"], "variable": data["variable"]}
        value = self.variables.get((data["component"]["name"], data["variable"]["name"]))
        if value is None:
            return {"attributeStatus": "UnknownVariable", **place}
        return {"attributeStatus": "Accepted", "attributeValue": value, **place}

    @on(Action.set_variables)
    def on_set_variables(self, set_variable_data, **_):
        for d in set_variable_data:
            name = (d["component"]["name"], d["variable"]["name"])
            self.variables[name] = d["attribute_value"]
            say("variable", name=".".join(name), value=d["attribute_value"])
        return call_result.SetVariables([
            {"attributeStatus": "Accepted", "component": d["component"], "variable": d["variable"]}
            for d in set_variable_data
        ])

    @on(Action.trigger_message)
    def on_trigger(self, **_):
        return call_result.TriggerMessage("NotImplemented")

    @on(Action.request_stop_transaction)
    def on_stop(self, transaction_id, **_):
        if transaction_id != self.transaction_id:
            return call_result.RequestStopTransaction("Rejected")
        asyncio.ensure_future(self.stop("Remote"))
        return call_result.RequestStopTransaction("Accepted")

    async def charge(self):
        token = {"idToken": self.o.token, "type": "ISO14443"}
        answer = await self.call(call.Authorize(id_token=token))
        say("authorize", status=str(answer.id_token_info["status"]) if answer else None)
        await self.status("Occupied")
        self.transaction_id = str(uuid.uuid4())
        self.started_at = time.time()
        await self.event("Started", "CablePluggedIn", "EVConnected", id_token=token)
        needs = {
            "requestedEnergyTransfer": "AC_three_phase",
            "acChargingParameters": {"energyAmount": 20_000, "evMinCurrent": 6, "evMaxCurrent": 16, "evMaxVoltage": 400},
        }
        answer = await self.call(call.NotifyEVChargingNeeds(evse_id=1, charging_needs=needs))
        say("needs", status=str(answer.status) if answer else None)
        await self.event("Updated", "ChargingStateChanged", "Charging")
        say("started", transactionId=self.transaction_id)
        await first_of(self.drive(), self.meter())

    async def drive(self):
        last = time.monotonic()
        while self.transaction_id is not None:
            await asyncio.sleep(TICK_S)
            now = time.monotonic()
            self.vehicle.step(now - last, self.target_w())
            last = now

    async def meter(self):
        while self.transaction_id is not None:
            await asyncio.sleep(self.o.meter_s)
            say("meter", powerW=round(self.vehicle.power_w, 1), targetW=round(self.target_w(), 1))
            await self.event("Updated", "MeterValuePeriodic", "Charging", meter=self.samples())

    def samples(self):
        values = [
            ("Power.Active.Import", self.vehicle.power_w, "W"),
            ("Energy.Active.Import.Register", self.vehicle.import_wh, "Wh"),
        ]
        sampled = [
            {"value": round(value, 2), "measurand": name, "unitOfMeasure": {"unit": unit}} for name, value, unit in values
        ]
        return [{"timestamp": now_text(), "sampledValue": sampled}]

    async def event(self, *args, **fields):
        return await self.call(self.request(*args, **fields))

    def request(self, kind, trigger, state, meter=None, id_token=None, stopped=None):
        info = {"transactionId": self.transaction_id, "chargingState": state}
        if stopped is not None:
            info["stoppedReason"] = stopped
        self.seq_no += 1
        return call.TransactionEvent(
            event_type=kind,
            timestamp=now_text(),
            trigger_reason=trigger,
            seq_no=self.seq_no - 1,
            transaction_info=info,
            evse={"id": 1, "connectorId": 1},
            id_token=id_token,
            meter_value=meter,
        )

    async def status(self, status):
        await self.call(
            call.StatusNotification(timestamp=now_text(), connector_status=status, evse_id=1, connector_id=1)
        )

    async def stop(self, reason="Local"):
        if self.transaction_id is None:
            return
        trigger = "RemoteStop" if reason == "Remote" else "StopAuthorized"
        request = self.request("Ended", trigger, "EVConnected", stopped=reason)
        self.transaction_id, self.seq_no = None, 0
        self.profiles.end_transaction()
        await self.call(request)
        say("stopped", reason=reason)
        await self.status("Available")

    async def run(self):
        request = call.BootNotification(
            charging_station={"model": "Foreign 201", "vendorName": "Python"}, reason="PowerUp"
        )
        interval = await boot(self, request)
        await self.status("Available")
        await first_of(self.beat(interval), self.session(), commands({"stop": self.stop}))

    async def session(self):
        """Charges once and stays connected after it."""
        await self.charge()
        await asyncio.Event().wait()

    async def beat(self, interval):
        while True:
            await asyncio.sleep(interval)
            await self.call(call.Heartbeat())


async def main():
    o = arguments()
    async with websockets.connect(f"{o.url}/{o.identity}", subprotocols=["ocpp2.0.1"]) as socket:
        say("connected", subprotocol=socket.subprotocol)
        station = Station(socket, o)
        await first_of(station.start(), station.run())


asyncio.run(main())
