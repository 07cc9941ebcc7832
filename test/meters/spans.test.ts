import { describe, expect, it } from 'vitest';
import { resourcesOf } from '../../hub/fleet/resources.ts';
import type { TwinEntry } from '../../hub/fleet/twin.ts';
import { type EvFacts, spanAt } from '../../hub/meters/spans.ts';
import { siteFile } from '../support/site-file.ts';

const [resource] = resourcesOf(siteFile());
if (!resource) throw new Error('no resource');

const known: TwinEntry = {
  resource,
  online: true,
  state: 'charging',
  offlineSince: 0,
  seen: true,
  intervalMs: 1000,
  optOut: false,
};
const calm = { confirmedW: 7000, worstImportW: 7000, worstExportW: 0, minW: 7000, maxW: 7000 };
const doubtful = { confirmedW: 0, worstImportW: 11_000, worstExportW: 5000, minW: -5000, maxW: 11_000 };
const facts = (entry: Partial<TwinEntry>, patch: Partial<EvFacts> = {}): EvFacts => ({
  entry: { ...known, ...entry },
  idle: false,
  quality: 'good',
  uncertain: false,
  present: calm,
  ...patch,
});
const reading = (powerW: number, powerAt: number) => ({ at: powerAt, powerAt, powerW });
const before = { powerW: 3000, at: 80 };
const unmeasured = { reading: reading(0, 10), session: { id: 's', since: 50 } };

type Row = [string, EvFacts, [number, number]];
const rows: Row[] = [
  ['is nothing where nobody is', facts({ reading: reading(5000, 90) }, { idle: true }), [0, 0]],
  ['is its value of about that time', facts({ reading: reading(6500, 90) }), [6500, 6500]],
  ['lies between two values around it', facts({ before, reading: reading(6500, 120) }), [3000, 6500]],
  [
    'may be all that it was told while a command is under way',
    facts({ reading: reading(6500, 90) }, { present: { ...doubtful, pendingW: -5000 } }),
    [-5000, 11_000],
  ],
  [
    'may be anything when it does not follow',
    facts({ reading: reading(6500, 90) }, { present: doubtful, uncertain: true }),
    [-5000, 11_000],
  ],
  [
    'may be anything down to 0 when its meter is silent',
    facts({ reading: reading(6500, 90) }, { quality: 'missing' }),
    [0, 7000],
  ],
  ['may be anything in a session that it did not measure yet', facts(unmeasured), [0, 7000]],
  [
    'may be nothing, or its default, when it is out of reach',
    facts({ online: false, reading: reading(6500, 90) }),
    [0, 11_000],
  ],
];

describe('what an EVSE had when a meter above it was read', () => {
  it.each(rows)('%s', (_what, f, [lowW, highW]) => {
    expect(spanAt(f, 100)).toEqual({ lowW, highW });
  });
});
