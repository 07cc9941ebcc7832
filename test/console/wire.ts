import type { WireEntry } from '../../gateway/console/trace.js';

/** An entry of the wire timeline, with changes. */
export function entry(change: Partial<WireEntry> = {}): WireEntry {
  return { seq: 1, at: 1000, stage: 'fo', direction: 'in', topic: 'fo1/UpdateSetpoint', id: 'm-1', ...change };
}

const both = [
  { n: 1, language: 'ocpp1.6' },
  { n: 2, language: 'ocpp2.1' },
] as const;

/** A setpoint that two stations carry out: from the operator to the meter. */
export function chain(): WireEntry[] {
  const of = (n: number) => ({ peer: `DEMO-${n}`, resourceIds: [`DEMO-${n}.1`] });
  const fo = { peer: 'fo:north', fsrId: 'fsr-1' };
  const commands = both.map(({ n }) => ({ commandId: `c-${n}` }));
  return [
    entry({ ...fo, summary: '9 kW' }),
    entry({
      ...fo,
      seq: 2,
      at: 1002,
      stage: 'service',
      direction: 'inside',
      topic: 'hub/ServiceTarget',
      id: 'm-2',
      cause: 'm-1',
    }),
    entry({ seq: 3, at: 1003, stage: 'allocate', topic: 'hub/ServiceTarget', id: 'm-3', cause: 'm-1' }),
    entry({
      seq: 4,
      at: 1004,
      stage: 'allocate',
      direction: 'inside',
      topic: 'hub/CommandBatch',
      id: 'm-4',
      cause: 'm-3',
      payload: { commands },
    }),
    ...both.map(({ n }) =>
      entry({
        ...of(n),
        seq: 4 + n,
        at: 1004 + n,
        stage: 'command',
        direction: 'out',
        topic: 'hub/PowerCommand',
        id: `c-${n}`,
        cause: 'm-4',
        payload: { powerW: 4500 },
      }),
    ),
    ...both.map(({ n, language }) =>
      entry({
        ...of(n),
        seq: 6 + n,
        at: 1005 + n,
        stage: 'ocpp',
        direction: 'out',
        topic: `${language}/SetChargingProfileRequest`,
        id: `o-${n}`,
        cause: `c-${n}`,
      }),
    ),
    ...both.map(({ n, language }) =>
      entry({
        ...of(n),
        seq: 8 + n,
        at: 1028 + 12 * n,
        stage: 'ocpp',
        topic: `${language}/SetChargingProfileResponse`,
        id: `a-${n}`,
        cause: `o-${n}`,
        payload: { status: 'Accepted' },
      }),
    ),
    ...both.map(({ n }) =>
      entry({
        ...of(n),
        seq: 10 + n,
        at: 1029 + 12 * n,
        stage: 'command',
        topic: 'hub/CommandOutcome',
        id: `x-${n}`,
        cause: `c-${n}`,
        payload: { state: 'accepted' },
      }),
    ),
    ...both.map(({ n }) =>
      entry({
        ...of(n),
        seq: 12 + n,
        at: 2500 + 400 * n,
        stage: 'command',
        topic: 'hub/CommandOutcome',
        id: `e-${n}`,
        cause: `c-${n}`,
        payload: { state: 'effective' },
      }),
    ),
    ...both.map(({ n }) =>
      entry({
        ...of(n),
        seq: 14 + n,
        at: 2500 + 400 * n,
        stage: 'meter',
        topic: 'hub/MeterReading',
        id: `v-${n}`,
        payload: { powerW: 4490 },
      }),
    ),
  ];
}
