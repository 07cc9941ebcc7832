"""What stations of OCPP 2.0.1 and 2.1 have in common, on the package `ocpp`; see station.py."""

import time
import uuid
from functools import partial
from typing import Any

from ocpp.routing import on

from control import say
from profiles import now_text
from station import Station, Transaction

EVSE = {"id": 1, "connectorId": 1}
TRIGGERS = {"Remote": "RemoteStop", "EVDisconnected": "EVDeparted", "ImmediateReset": "ResetCommand"}
WRITABLE = (
    "SampledDataCtrlr.TxUpdatedInterval",
    "SampledDataCtrlr.TxUpdatedMeasurands",
    "OCPPCommCtrlr.HeartbeatInterval",
)


class Station2(Station):
    """EVSE 1. `_call` and `_call_result` are the messages of the version."""

    model = ""
    # Name `Component.Variable` to value.
    variables: dict[str, str]

    # What a version has of its own.

    def needs(self) -> dict[str, Any] | None:
        """The fields of NotifyEVChargingNeeds."""
        raise NotImplementedError

    def refusal(self, profile: dict[str, Any]) -> str | None:
        """Why a profile is not taken: a reason code."""
        if profile["charging_profile_purpose"] != "TxProfile":
            return None
        running = self.tx is not None and profile.get("transaction_id") == self.tx.id
        return None if running else "TxNotFound"

    def values(self) -> list[tuple[str, float, str]]:
        """Measurand, value, unit of all that it can sample."""
        raise NotImplementedError

    # What it says.

    def interval_s(self) -> float:
        return float(self.variables["SampledDataCtrlr.TxUpdatedInterval"])

    def status(self) -> str:
        if not self.operative:
            return "Unavailable"
        return "Occupied" if self.plugged else "Available"

    def boot_request(self) -> Any:
        station = {"model": self.model, "vendorName": "Python", "serialNumber": self.o.identity}
        return self._call.BootNotification(charging_station=station, reason=self.boot_reason)

    def status_request(self, status: str) -> Any:
        return self._call.StatusNotification(timestamp=now_text(), connector_status=status, evse_id=1, connector_id=1)

    def authorize_request(self, token: str) -> Any:
        return self._call.Authorize(id_token={"idToken": token, "type": "ISO14443"})

    def status_of(self, answer: Any) -> str:
        return str((answer.id_token_info or {"status": "Accepted"})["status"])

    async def begin(self, tx: Transaction) -> None:
        tx.id = str(uuid.uuid4())
        trigger = "Authorized" if tx.remote_start_id is None else "RemoteStart"
        token = {"idToken": tx.token, "type": "ISO14443"}
        answer = await self.event(
            "Started", trigger, "EVConnected", samples=self.samples("Transaction.Begin"), id_token=token
        )
        say("started", transactionId=tx.id, status=None if answer is None else self.status_of(answer))
        needs = self.needs()
        if needs is not None:
            said = await self.tell(lambda: self._call.NotifyEVChargingNeeds(evse_id=1, charging_needs=needs))
            say("needs", status=str(said.status) if said else None)
        if self.tx is tx:
            await self.event("Updated", "ChargingStateChanged", "Charging")

    async def end(self, tx: Transaction, reason: str) -> None:
        trigger = TRIGGERS.get(reason, "StopAuthorized")
        samples = self.samples("Transaction.End")
        request = self.request(tx, "Ended", trigger, "EVConnected", samples=samples, stopped=reason)
        await self.tell(lambda: request, keep=True)

    def reading(self, context: str) -> None:
        if self.tx is None:
            self.post(lambda: self._call.MeterValues(evse_id=1, meter_value=self.samples(context)))
            return
        trigger = "MeterValuePeriodic" if context == "Sample.Periodic" else "Trigger"
        request = self.request(self.tx, "Updated", trigger, "Charging", samples=self.samples(context))
        self.post(lambda: request, keep=True)

    def samples(self, context: str) -> list[dict[str, Any]]:
        """Meter values of now, of the measurands that are configured."""
        self.step()
        wanted = self.variables["SampledDataCtrlr.TxUpdatedMeasurands"].split(",")
        sampled = [
            {"value": round(value, 2), "measurand": name, "context": context, "unitOfMeasure": {"unit": unit}}
            for name, value, unit in self.values()
            if name in wanted
        ]
        return [{"timestamp": now_text(), "sampledValue": sampled}]

    async def event(self, kind: str, trigger: str, state: str, **more: Any) -> Any:
        if self.tx is None:
            return None
        request = self.request(self.tx, kind, trigger, state, **more)
        return await self.tell(lambda: request, keep=True)

    def request(
        self,
        tx: Transaction,
        kind: str,
        trigger: str,
        state: str,
        samples: list[dict[str, Any]] | None = None,
        id_token: dict[str, str] | None = None,
        stopped: str | None = None,
    ) -> Any:
        """A TransactionEvent of now, sent whenever that is possible."""
        info = {
            "transactionId": tx.id,
            "chargingState": state,
            "stoppedReason": stopped,
            "remoteStartId": tx.remote_start_id,
        }
        tx.seq_no += 1
        return self._call.TransactionEvent(
            event_type=kind,
            timestamp=now_text(),
            trigger_reason=trigger,
            seq_no=tx.seq_no - 1,
            transaction_info=info,
            evse=EVSE,
            id_token=id_token,
            meter_value=samples,
            offline=not self.ready,
        )

    # What it is told.

    @on("SetChargingProfile")
    def on_set(self, charging_profile: dict[str, Any], **_: Any) -> Any:
        purpose = charging_profile["charging_profile_purpose"]
        reason = self.refusal(charging_profile)
        if reason is not None:
            say("profile", status="Rejected", purpose=purpose, reason=reason)
            return self._call_result.SetChargingProfile("Rejected", status_info={"reasonCode": reason})
        self.profiles.put(charging_profile, charging_profile["charging_schedule"][0])
        say(
            "profile",
            status="Accepted",
            id=charging_profile["id"],
            purpose=purpose,
            targetW=self.target_w(),
            kind=charging_profile["charging_profile_kind"],
        )
        return self._call_result.SetChargingProfile("Accepted")

    @on("ClearChargingProfile")
    def on_clear(
        self, charging_profile_id: int | None = None, charging_profile_criteria: dict[str, Any] | None = None, **_: Any
    ) -> Any:
        wanted = charging_profile_criteria or {}
        count = self.profiles.clear(
            charging_profile_id, wanted.get("charging_profile_purpose"), wanted.get("stack_level")
        )
        say("clear", count=count, targetW=self.target_w())
        return self._call_result.ClearChargingProfile("Accepted" if count else "Unknown")

    @on("GetCompositeSchedule")
    def on_composite(self, duration: int, evse_id: int, **_: Any) -> Any:
        schedule = {
            "evseId": evse_id,
            "duration": duration,
            "scheduleStart": now_text(),
            "chargingRateUnit": "W",
            "chargingSchedulePeriod": [{"startPeriod": 0, "limit": max(0.0, self.target_w())}],
        }
        return self._call_result.GetCompositeSchedule("Accepted", schedule=schedule)

    @on("GetVariables")
    def on_get_variables(self, get_variable_data: list[dict[str, Any]], **_: Any) -> Any:
        return self._call_result.GetVariables([self.read(d) for d in get_variable_data])

    def read(self, data: dict[str, Any]) -> dict[str, Any]:
        value = self.variables.get(name_of(data))
        if value is None:
            return {"attributeStatus": "UnknownVariable", **place_of(data)}
        return {"attributeStatus": "Accepted", "attributeValue": value, **place_of(data)}

    @on("SetVariables")
    def on_set_variables(self, set_variable_data: list[dict[str, Any]], **_: Any) -> Any:
        return self._call_result.SetVariables([self.write(d) for d in set_variable_data])

    def write(self, data: dict[str, Any]) -> dict[str, Any]:
        name = name_of(data)
        if name not in self.variables:
            return {"attributeStatus": "UnknownVariable", **place_of(data)}
        if name not in WRITABLE:
            return {"attributeStatus": "Rejected", **place_of(data)}
        self.variables[name] = data["attribute_value"]
        self.meter_due = time.time() + self.interval_s()
        say("variable", name=name, value=data["attribute_value"])
        return {"attributeStatus": "Accepted", **place_of(data)}

    @on("GetBaseReport")
    def on_base_report(self, request_id: int, **_: Any) -> Any:
        rows = [
            {
                "component": {"name": name.split(".")[0]},
                "variable": {"name": name.split(".")[1]},
                "variableAttribute": [{"value": value, "mutability": "ReadWrite" if name in WRITABLE else "ReadOnly"}],
            }
            for name, value in self.variables.items()
        ]
        half = len(rows) // 2
        for seq_no, part in enumerate((rows[:half], rows[half:])):
            more = {"seq_no": seq_no, "report_data": part, "tbc": seq_no == 0}
            self.post(partial(self._call.NotifyReport, request_id=request_id, generated_at=now_text(), **more))
        return self._call_result.GetBaseReport("Accepted")

    @on("TriggerMessage")
    def on_trigger(self, requested_message: str, evse: dict[str, Any] | None = None, **_: Any) -> Any:
        if evse is not None and evse["id"] not in (0, 1):
            return self._call_result.TriggerMessage("Rejected")
        requests = {
            "BootNotification": self.boot_request,
            "Heartbeat": self._call.Heartbeat,
            "StatusNotification": lambda: self.status_request(self.status()),
            "MeterValues": lambda: self._call.MeterValues(evse_id=1, meter_value=self.samples("Trigger")),
        }
        if requested_message == "TransactionEvent" and self.tx is not None:
            self.reading("Trigger")
        elif requested_message in requests:
            self.post(requests[requested_message])
        else:
            return self._call_result.TriggerMessage("NotImplemented")
        return self._call_result.TriggerMessage("Accepted")

    @on("RequestStartTransaction")
    def on_start(
        self,
        id_token: dict[str, str],
        remote_start_id: int,
        evse_id: int = 1,
        charging_profile: dict[str, Any] | None = None,
        **_: Any,
    ) -> Any:
        status = self.remote_start(id_token["id_token"], remote_start_id) if evse_id == 1 else "Rejected"
        if status == "Accepted" and charging_profile is not None:
            self.profiles.put(charging_profile, charging_profile["charging_schedule"][0])
        return self._call_result.RequestStartTransaction(status)

    @on("RequestStopTransaction")
    def on_stop(self, transaction_id: str, **_: Any) -> Any:
        if self.tx is None or transaction_id != self.tx.id:
            return self._call_result.RequestStopTransaction("Rejected")
        self.later(self.stop("Remote"))
        return self._call_result.RequestStopTransaction("Accepted")

    @on("ChangeAvailability")
    def on_availability(self, operational_status: str, evse: dict[str, Any] | None = None, **_: Any) -> Any:
        here = evse is None or evse["id"] == 1
        status = self.change_availability(operational_status == "Operative") if here else "Rejected"
        return self._call_result.ChangeAvailability(status)

    @on("Reset")
    def on_reset(self, type: str, **_: Any) -> Any:
        if type == "OnIdle" and self.tx is not None:
            self.later(self.restart_when_idle())
            return self._call_result.Reset("Scheduled")
        self.later(self.restart("ImmediateReset", "RemoteReset"))
        return self._call_result.Reset("Accepted")


def name_of(data: dict[str, Any]) -> str:
    """`Component.Variable`, or with an instance what nobody has."""
    instance = data["variable"].get("instance")
    return f"{data['component']['name']}.{data['variable']['name']}{f'[{instance}]' if instance else ''}"


def place_of(data: dict[str, Any]) -> dict[str, Any]:
    """Component and variable as they were asked for."""
    return {"component": data["component"], "variable": data["variable"]}
