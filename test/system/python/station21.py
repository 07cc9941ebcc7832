"""An OCPP 2.1 DC station with a vehicle that can discharge, on the package `ocpp`: it boots, charges, meters, obeys."""

import asyncio
import time
import uuid

import websockets
from common import TICK_S, Profiles, Vehicle, arguments, boot, commands, first_of, now_text, say
from ocpp.routing import on
from ocpp.v21 import ChargePoint, call, call_result
from ocpp.v21.enums import Action

MODES = ("ChargingOnly", "CentralSetpoint")


class Station(ChargePoint):
    def __init__(self, connection, o):
        super().__init__(o.identity, connection, response_timeout=15)
        self.o = o
        self.vehicle = Vehicle(o.max_import_w, o.max_export_w)
        self.profiles = Profiles()
        self.transaction_id = None
        self.started_at = 0.0
        self.skipped_s = 0.0
        self.seq_no = 0

    def target_w(self):
        """The signed setpoint or the limit of the profile in force, W; without one it charges as fast as it can."""
        now = time.time() + self.skipped_s
        session = self.profiles.period("TxProfile", now, self.started_at)
        session = session or self.profiles.period("TxDefaultProfile", now, self.started_at)
        station = self.profiles.period("ChargingStationMaxProfile", now, self.started_at)
        target = self.o.max_import_w
        if session is not None:
            target = float(session["setpoint"] if mode_of(session) == "CentralSetpoint" else session["limit"])
        return target if station is None else min(target, float(station["limit"]))

    @on(Action.set_charging_profile)
    def on_set(self, charging_profile, **_):
        p = charging_profile
        purpose = p["charging_profile_purpose"]
        reason = self.refusal(p)
        if reason is not None:
            say("profile", status="Rejected", purpose=purpose, reason=reason)
            return call_result.SetChargingProfile("Rejected", status_info={"reasonCode": reason})
        profile = {"id": p["id"], "kind": p["charging_profile_kind"], "schedule": p["charging_schedule"][0]}
        self.profiles.put(purpose, p["stack_level"], profile)
        say("profile", status="Accepted", id=p["id"], purpose=purpose, kind=profile["kind"], targetW=self.target_w())
        return call_result.SetChargingProfile("Accepted")

    def refusal(self, p):
        """The reason codes of ocpp 2.3, 2.4 and 2.6 that this station checks."""
        periods = p["charging_schedule"][0]["charging_schedule_period"]
        dynamic = p["charging_profile_kind"] == "Dynamic"
        if p["charging_profile_purpose"] == "TxProfile" and p.get("transaction_id") != self.transaction_id:
            return "TxNotFound"
        if any(mode_of(period) not in MODES for period in periods):
            return "InvalidOperationMode"
        if dynamic and (len(periods) != 1 or periods[0]["start_period"] != 0):
            return "InvalidSchedule"
        wants = {"CentralSetpoint": "setpoint", "ChargingOnly": "limit"}
        if any(wants[mode_of(period)] not in period for period in periods):
            return "InvalidSchedule"
        return None

    @on(Action.update_dynamic_schedule)
    def on_update(self, charging_profile_id, schedule_update, **_):
        profile = self.profiles.find(charging_profile_id)
        if profile is None or profile["kind"] != "Dynamic":
            say("update", status="Rejected", profileId=charging_profile_id)
            return call_result.UpdateDynamicSchedule("Rejected", status_info={"reasonCode": "InvalidProfile"})
        profile["schedule"]["charging_schedule_period"][0].update(schedule_update)
        profile["updated_at"] = time.time()
        say("update", status="Accepted", targetW=self.target_w())
        return call_result.UpdateDynamicSchedule("Accepted")

    @on(Action.clear_charging_profile)
    def on_clear(self, charging_profile_id=None, charging_profile_criteria=None, **_):
        wanted = charging_profile_criteria or {}

        def matches(place, profile):
            if charging_profile_id is not None:
                return profile["id"] == charging_profile_id
            same_purpose = wanted.get("charging_profile_purpose", place[0]) == place[0]
            return same_purpose and wanted.get("stack_level", place[1]) == place[1]

        count = self.profiles.remove(matches)
        say("clear", count=count, targetW=self.target_w())
        return call_result.ClearChargingProfile("Accepted" if count else "Unknown")

    # The package does not answer a 2.1 action without a handler at all, so what a server may ask is refused here.

    @on(Action.get_variables)
    def on_get_variables(self, get_variable_data, **_):
        return call_result.GetVariables([
            {"attributeStatus": "UnknownComponent", "component": d["component"], "variable": d["variable"]}
            for d in get_variable_data
        ])

    @on(Action.set_variables)
    def on_set_variables(self, set_variable_data, **_):
        return call_result.SetVariables([
            {"attributeStatus": "UnknownComponent", "component": d["component"], "variable": d["variable"]}
            for d in set_variable_data
        ])

    @on(Action.get_base_report)
    def on_base_report(self, **_):
        return call_result.GetBaseReport("NotSupported")

    @on(Action.get_charging_profiles)
    def on_get_profiles(self, **_):
        return call_result.GetChargingProfiles("NoProfiles")

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
        answer = await self.event("Started", "CablePluggedIn", "EVConnected", id_token=token)
        say("started", transactionId=self.transaction_id, idTokenInfo=answer.id_token_info if answer else None)
        answer = await self.call(call.NotifyEVChargingNeeds(evse_id=1, charging_needs=self.needs(), timestamp=now_text()))
        say("needs", status=str(answer.status) if answer else None)
        await self.event("Updated", "ChargingStateChanged", "Charging")
        await first_of(self.drive(), self.meter())

    def needs(self):
        v = self.vehicle
        mode = "DC_BPT" if v.max_export_w > 0 else "DC"
        return {
            "requestedEnergyTransfer": mode,
            "availableEnergyTransfer": [mode],
            "controlMode": "DynamicControl",
            "dcChargingParameters": {
                "evMaxCurrent": 50,
                "evMaxVoltage": 500,
                "stateOfCharge": round(v.soc_percent),
                "evEnergyCapacity": v.capacity_wh,
            },
            "v2xChargingParameters": {
                "maxChargePower": v.max_import_w,
                "maxDischargePower": v.max_export_w,
                "minChargePower": 0,
                "minDischargePower": 0,
                "evTargetEnergyRequest": v.capacity_wh - v.stored_wh,
                "evMinEnergyRequest": -v.stored_wh + 0.2 * v.capacity_wh,
                "evMaxEnergyRequest": v.capacity_wh - v.stored_wh,
                "evMinV2XEnergyRequest": 0.2 * v.capacity_wh - v.stored_wh,
                "evMaxV2XEnergyRequest": v.capacity_wh - v.stored_wh,
            },
        }

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
            self.say_meter()
            await self.event("Updated", "MeterValuePeriodic", "Charging", meter=self.samples("Sample.Periodic"))

    def say_meter(self):
        v = self.vehicle
        say("meter", powerW=round(v.power_w, 1), importWh=round(v.import_wh, 2), exportWh=round(v.export_wh, 2),
            targetW=round(self.target_w(), 1))

    def samples(self, context):
        v = self.vehicle
        values = [
            ("Power.Active.Import", max(0.0, v.power_w), "W"),
            ("Power.Active.Export", max(0.0, -v.power_w), "W"),
            ("Energy.Active.Import.Register", v.import_wh, "Wh"),
            ("Energy.Active.Export.Register", v.export_wh, "Wh"),
            ("SoC", v.soc_percent, "Percent"),
        ]
        sampled = [
            {"value": round(value, 2), "measurand": name, "context": context, "unitOfMeasure": {"unit": unit}}
            for name, value, unit in values
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
        request = self.request("Ended", trigger, "EVConnected", meter=self.samples("Transaction.End"), stopped=reason)
        self.transaction_id, self.seq_no = None, 0
        self.profiles.end_transaction()
        await self.call(request)
        say("stopped", reason=reason, importWh=round(self.vehicle.import_wh, 2), exportWh=round(self.vehicle.export_wh, 2))
        await self.status("Available")

    async def run(self):
        request = call.BootNotification(
            charging_station={"model": "Foreign 21", "vendorName": "Python", "serialNumber": "PY-21"}, reason="PowerUp"
        )
        interval = await boot(self, request)
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


def mode_of(period):
    return period.get("operation_mode", "ChargingOnly")


async def main():
    o = arguments()
    async with websockets.connect(f"{o.url}/{o.identity}", subprotocols=["ocpp2.1"]) as socket:
        say("connected", subprotocol=socket.subprotocol)
        station = Station(socket, o)
        try:
            await first_of(station.start(), station.run())
        except websockets.ConnectionClosedError:
            await station.offline()


asyncio.run(main())
