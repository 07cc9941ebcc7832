"""An OCPP 2.0.1 AC station with a vehicle that only charges, on the package `ocpp`; see station.py."""

import asyncio
import time
from typing import Any

from ocpp.v201 import ChargePoint
from websockets.typing import Subprotocol

from station import arguments
from station2 import Station2

VOLTS = 230
PHASES = 3
VARIABLES = {
    "OCPPCommCtrlr.HeartbeatInterval": "300",
    "SmartChargingCtrlr.Enabled": "true",
    "SmartChargingCtrlr.RateUnit": "A,W",
    "SmartChargingCtrlr.ProfileStackLevel": "5",
    "SampledDataCtrlr.TxUpdatedMeasurands": "Energy.Active.Import.Register",
}


class Station201(Station2, ChargePoint):
    """Three phases, limits in A or W."""

    subprotocol = Subprotocol("ocpp2.0.1")
    model = "Foreign 201"

    def __init__(self, o: Any) -> None:
        super().__init__(o)
        self.variables = {**VARIABLES, "SampledDataCtrlr.TxUpdatedInterval": str(o.meter_s)}

    def target_w(self) -> float:
        """The least of station maximum and session limit, W; without one it charges as fast as it can."""
        now = time.time() + self.skipped_s
        started = self.tx.started_at if self.tx else now
        sessions = ("TxProfile", "TxDefaultProfile")
        periods = [self.profiles.period(p, now, started) for p in (("ChargingStationMaxProfile",), sessions)]
        return min((watts(p) for p in periods if p is not None), default=self.o.max_import_w)

    def needs(self) -> dict[str, Any]:
        return {
            "requestedEnergyTransfer": "AC_three_phase",
            "acChargingParameters": {
                "energyAmount": 20_000,
                "evMinCurrent": 6,
                "evMaxCurrent": 16,
                "evMaxVoltage": 400,
            },
        }

    def values(self) -> list[tuple[str, float, str]]:
        v = self.vehicle
        return [
            ("Power.Active.Import", v.power_w, "W"),
            ("Energy.Active.Import.Register", v.import_wh, "Wh"),
            ("Voltage", VOLTS, "V"),
        ]


def watts(period: dict[str, Any]) -> float:
    """The limit of a period in W."""
    limit = float(period["limit"])
    return limit if period["unit"] == "W" else limit * VOLTS * period.get("number_phases", PHASES)


if __name__ == "__main__":
    asyncio.run(Station201(arguments()).run())
