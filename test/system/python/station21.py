"""An OCPP 2.1 DC station with a vehicle that can discharge, on the package `ocpp`; see station.py."""

import asyncio
import time
from typing import Any

from ocpp.routing import on
from ocpp.v21 import ChargePoint
from websockets.typing import Subprotocol

from control import say
from station import arguments
from station2 import Station2

# What each operation mode that it knows takes its power from (ocpp 2.6).
MODES = {"ChargingOnly": "limit", "CentralSetpoint": "setpoint"}
VARIABLES = {
    "OCPPCommCtrlr.HeartbeatInterval": "300",
    "SmartChargingCtrlr.Enabled": "true",
    "SmartChargingCtrlr.SupportsDynamicProfiles": "true",
    "SampledDataCtrlr.TxUpdatedMeasurands": "Power.Active.Import,Power.Active.Export,Energy.Active.Import.Register,"
    "Energy.Active.Export.Register,SoC",
}


class Station21(Station2, ChargePoint):
    """DC, limits and signed setpoints in W."""

    subprotocol = Subprotocol("ocpp2.1")
    model = "Foreign 21"

    def __init__(self, o: Any) -> None:
        super().__init__(o)
        self.variables = {**VARIABLES, "SampledDataCtrlr.TxUpdatedInterval": str(o.meter_s)}

    def target_w(self) -> float:
        """The signed setpoint or the limit of the profile in force, W; without one it charges as fast as it can."""
        now = time.time() + self.skipped_s
        started = self.tx.started_at if self.tx else now
        session = self.profiles.period(("TxProfile", "TxDefaultProfile"), now, started)
        station = self.profiles.period(("ChargingStationMaxProfile",), now, started)
        target = self.o.max_import_w if session is None else float(session[MODES[mode_of(session)]])
        return target if station is None else min(target, float(station["limit"]))

    def refusal(self, profile: dict[str, Any]) -> str | None:
        """The reason codes of ocpp 2.3, 2.4 and 2.6 that this station checks."""
        periods = profile["charging_schedule"][0]["charging_schedule_period"]
        if any(mode_of(period) not in MODES for period in periods):
            return "InvalidOperationMode"
        if profile["charging_profile_kind"] == "Dynamic" and (len(periods) != 1 or periods[0]["start_period"] != 0):
            return "InvalidSchedule"
        if any(MODES[mode_of(period)] not in period for period in periods):
            return "InvalidSchedule"
        return super().refusal(profile)

    @on("UpdateDynamicSchedule")
    def on_update(self, charging_profile_id: int, schedule_update: dict[str, Any], **_: Any) -> Any:
        profile = self.profiles.find(charging_profile_id)
        if profile is None or profile["kind"] != "Dynamic":
            say("update", status="Rejected", profileId=charging_profile_id)
            return self._call_result.UpdateDynamicSchedule("Rejected", status_info={"reasonCode": "InvalidProfile"})
        profile["schedule"]["charging_schedule_period"][0].update(schedule_update)
        profile["updated_at"] = time.time()
        say("update", status="Accepted", targetW=self.target_w())
        return self._call_result.UpdateDynamicSchedule("Accepted")

    def needs(self) -> dict[str, Any]:
        v = self.vehicle
        mode = "DC_BPT" if v.max_export_w > 0 else "DC"
        room, reserve = v.capacity_wh - v.stored_wh, 0.2 * v.capacity_wh - v.stored_wh
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
                "evTargetEnergyRequest": room,
                "evMinEnergyRequest": reserve,
                "evMaxEnergyRequest": room,
                "evMinV2XEnergyRequest": reserve,
                "evMaxV2XEnergyRequest": room,
            },
        }

    def values(self) -> list[tuple[str, float, str]]:
        v = self.vehicle
        return [
            ("Power.Active.Import", max(0.0, v.power_w), "W"),
            ("Power.Active.Export", max(0.0, -v.power_w), "W"),
            ("Energy.Active.Import.Register", v.import_wh, "Wh"),
            ("Energy.Active.Export.Register", v.export_wh, "Wh"),
            ("SoC", v.soc_percent, "Percent"),
        ]


def mode_of(period: dict[str, Any]) -> str:
    """The operation mode of a period."""
    return str(period.get("operation_mode", "ChargingOnly"))


if __name__ == "__main__":
    asyncio.run(Station21(arguments()).run())
