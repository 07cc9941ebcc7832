import { describe, expect, it } from 'vitest';
import {
  docTable,
  duration,
  energy,
  energyPerDay,
  freq,
  int,
  list,
  message,
  num,
  obj,
  pct,
  power,
  price,
  ramp,
  reactive,
  record,
  rocof,
  suffixIssues,
  text,
} from '../../core/schema.ts';
import { Everything, Service, Setpoint } from './schema-examples.ts';

describe('the documentation of a message', () => {
  it('lists type, cardinality, unit, range and notes', () => {
    expect(docTable(Setpoint).split('\n')).toEqual([
      '### Setpoint',
      '',
      'What to deliver now. (fo 3.7)',
      '',
      '| Field | Type | Card. | Unit | Range | Notes |',
      '|---|---|---|---|---|---|',
      '| `fsrId` | id | 1 |  |  |  |',
      '| `seq` | integer | 1 |  | ≥ 0 | Only the highest counts. |',
      '| `targetW` | number | 1 | W | ≥ -1e9, ≤ 1e9 |  |',
      '| `reactiveVar` | number | ? | var | ≥ -1e9, ≤ 1e9 |  |',
      '| `validUntil` | UTC time | ? |  |  |  |',
      '',
      '```json',
      '{',
      ' "fsrId": "N-4711",',
      ' "seq": 61,',
      ' "targetW": -8000',
      '}',
      '```',
      '',
    ]);
  });

  it('shows parts of inline objects and names of messages', () => {
    const rows = Object.fromEntries(Everything.fields.map((f) => [f.name, f]));
    expect(rows.points).toMatchObject({ type: 'list of object', card: '+', range: '1–5 items' });
    expect(rows['points[].powerW']).toMatchObject({ type: 'number', card: '?', unit: 'W' });
    expect(rows.window).toMatchObject({ type: 'Window', doc: 'Half-open interval.' });
    expect(rows.mode).toMatchObject({ type: 'absolute · relative', doc: 'Frame of the target.' });
    expect(rows.parameters).toMatchObject({ type: 'LimitService · ReserveService (by serviceType)' });
    expect(rows.levels).toMatchObject({ type: 'map of number', range: '≤ 2 entries', card: '?' });
    expect(Service.fields).toEqual([
      { name: 'kind', type: 'limit → LimitService · reserve → ReserveService', card: '1', doc: 'Chooses the form.' },
    ]);
  });
});

describe('the unit in a name', () => {
  const named = (fields: Parameters<typeof message>[1]): string[] =>
    suffixIssues({ ...message('M', fields, { clause: 'none', doc: 'x', example: {} as never }), example: undefined });

  it('is taken when it is that of the builder', () => {
    expect(
      named({
        powerW: power(),
        rampWPerS: ramp(),
        rocofHzPerS: rocof(),
        triggerHz: freq(),
        maxExportWhPerDay: energyPerDay(),
        capacityWh: energy(),
        socPct: pct(),
        reactiveVar: reactive(),
        pricePerKWh: price(),
        seq: int(),
        phases: int(),
        points: list(obj({ offsetS: duration() })),
        EVSE: text(),
      }),
    ).toEqual([]);
  });

  it('is missed when it is not there, and refused when it is another', () => {
    expect(named({ power: power() })).toEqual(['M.power is in W: its name must end in W.']);
    expect(named({ energyW: energy() })).toEqual(['M.energyW is in Wh: its name must end in Wh.']);
    expect(named({ maxW: num() })).toEqual(['M.maxW ends in W: build it with the builder of W.']);
    expect(named({ holdS: int() })).toEqual(['M.holdS ends in S: build it with the builder of s.']);
    expect(named({ a: list(obj({ b: record(power()) })) })).toEqual(['M.a.b is in W: its name must end in W.']);
  });
});
