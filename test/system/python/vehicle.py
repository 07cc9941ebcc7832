"""A vehicle at its outlet: power that follows a target, and energy that it counts itself."""

import math
from collections import deque

RAMP_W_PER_S = 20_000
# Ten minutes at ten steps a second.
REMEMBERED = 6_000


class Vehicle:
    """Integrates its own energy. Power in W and energy in Wh, positive = charging; times are epoch seconds."""

    def __init__(self, max_import_w: float, max_export_w: float, now: float, capacity_wh: float = 50_000) -> None:
        self.max_import_w = max_import_w
        self.max_export_w = max_export_w
        self.capacity_wh = capacity_wh
        self.stored_wh = 0.5 * capacity_wh
        self.power_w = 0.0
        self.import_wh = 0.0
        self.export_wh = 0.0
        self._at = now
        self._past: deque[tuple[float, float, float]] = deque([(now, 0.0, 0.0)], REMEMBERED)

    @property
    def soc_percent(self) -> float:
        return round(100 * self.stored_wh / self.capacity_wh, 2)

    def advance(self, now: float, target_w: float) -> None:
        """Goes on until `now` towards the target, between its own maxima and the ends of its battery."""
        seconds = now - self._at
        if seconds <= 0:
            return
        target_w = max(-self.max_export_w, min(self.max_import_w, target_w))
        if (target_w > 0 and self.stored_wh >= self.capacity_wh) or (target_w < 0 and self.stored_wh <= 0):
            target_w = 0.0
        before_w = self.power_w
        ramp_s = min(seconds, abs(target_w - before_w) / RAMP_W_PER_S)
        self.power_w = before_w + math.copysign(ramp_s * RAMP_W_PER_S, target_w - before_w)
        self._count((before_w + self.power_w) / 2 * ramp_s)
        self._count(self.power_w * (seconds - ramp_s))
        self._at = now
        self._past.append((now, self.import_wh, self.export_wh))

    def energy(self, start: float, end: float) -> tuple[float, float]:
        """What it counted between two moments: import and export."""
        (import_a, export_a), (import_b, export_b) = self._counted(start), self._counted(end)
        return import_b - import_a, export_b - export_a

    def _count(self, joule: float) -> None:
        moved_wh = joule / 3600
        self.stored_wh += moved_wh
        if moved_wh > 0:
            self.import_wh += moved_wh
        else:
            self.export_wh -= moved_wh

    def _counted(self, at: float) -> tuple[float, float]:
        before = self._past[0]
        for point in self._past:
            if point[0] > at:
                share = max(0.0, (at - before[0]) / (point[0] - before[0]))
                return before[1] + share * (point[1] - before[1]), before[2] + share * (point[2] - before[2])
            before = point
        return before[1], before[2]
