import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { verify } from '../../gateway/cli/verify.ts';
import { totalsOf } from '../../hub/evidence/formulas.ts';
import type { Proof, ServiceRecord, SignedDocument } from '../../model/index.ts';

/**
 * Documents that were made once and never again: what was signed then has to be accepted for as long as it is kept. They
 * are not called .json, because their layout is part of them.
 */
const path = (name: string): string => join(import.meta.dirname, 'golden', name);
const read = (name: string): SignedDocument => JSON.parse(readFileSync(path(name), 'utf8')) as SignedDocument;

describe('golden documents', () => {
  it('are accepted', async () => {
    const lines: string[] = [];
    const say = (line: string) => void lines.push(line);
    const args = [path('record.signed'), path('proof.signed'), path('log.jsonl'), '--jwks', path('jwks.json')];
    const code = await verify(args, { out: say, err: say, stdin: (async function* () {})() });
    expect(lines.filter((l) => l.includes('✗'))).toEqual([]);
    expect(code).toBe(0);
  });

  it('hold the numbers found by hand', () => {
    // Two registers move 10 Wh in 10 s each: 120 Wh a minute. Applied were 6 kW, that is 100 Wh a minute; the baseline is 0.
    // So 100 Wh were asked for, 20 Wh were off, 80 Wh count; 80 % each minute, 20 % off the target.
    const { proof } = read('proof.signed').body as { proof: Proof };
    for (const [i, start] of ['00:10:00', '00:11:00', '00:12:00'].entries())
      expect(proof.intervals[i]).toEqual({
        start: `2026-01-01T${start}.000Z`,
        durationS: 60,
        importWh: 120,
        exportWh: 0,
        baselineWh: 0,
        targetWh: 100,
        requestedWh: 100,
        deliveredWh: 80,
        quality: 'good',
      });
    expect(proof.totals).toEqual({ requestedWh: 300, deliveredWh: 240 });
    expect(totalsOf(proof.intervals)).toEqual(proof.totals);
    expect([proof.performancePct, proof.trackingErrorPct]).toEqual([80, 20]);
    // 180 Wh each in the three minutes; the power beside the registers was 2.9 kW.
    const { record } = read('record.signed').body as { record: ServiceRecord };
    for (const line of record.resources)
      expect(line).toMatchObject({
        importWh: 180,
        exportWh: 0,
        minPowerW: 2900,
        maxPowerW: 2900,
        availabilityPct: 100,
      });
    expect(record.curve).toEqual([
      { at: '2026-01-01T00:10:00.000Z', requestedW: 7000, appliedW: 6000, limitedBy: 'fuse' },
    ]);
  });
});
