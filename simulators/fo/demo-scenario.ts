import type { Scenario } from './scenario-file.ts';

/** Three minutes: discharge first, charge after 14 s, discharge again after 40 s, then charge; then the next service. */
export const DEMO_SCENARIO: Scenario = {
  services: [
    {
      type: 'setpoint',
      durationS: 180,
      minW: -20_000,
      maxW: 45_000,
      steps: [
        { atS: 0, targetW: -8000 },
        { atS: 14, targetW: 12_000 },
        { atS: 28, targetW: 30_000 },
        { atS: 40, targetW: -9000 },
        { atS: 70, targetW: -15_000 },
        { atS: 95, targetW: -4000 },
        { atS: 115, targetW: 20_000 },
        { atS: 132, targetW: 42_000 },
        { atS: 165, targetW: 25_000 },
      ],
    },
  ],
  pauseS: 20,
};
