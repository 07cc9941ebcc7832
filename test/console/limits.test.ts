import { describe, expect, it } from 'vitest';
import { checkLimit, liftOf, limitSentence } from '../../gateway/console/limits.js';
import { SetLimit } from '../../model/index.ts';

const NOW = Date.parse('2026-03-02T17:00:00Z');
const form = { nodeId: 'poc', importKw: '', exportKw: '', minutes: 0 };
const plain = (text: string): string => text.replaceAll('\u202f', ' ');

describe("the operator's limit", () => {
  it('becomes a message that the gateway takes', () => {
    const checked = checkLimit({ ...form, importKw: '7,4', exportKw: '0', minutes: 15 }, NOW);
    expect(checked).toEqual({
      limit: {
        nodeId: 'poc',
        source: 'operator',
        importLimitW: 7400,
        exportLimitW: 0,
        validUntil: '2026-03-02T17:15:00.000Z',
      },
    });
    expect('limit' in checked && SetLimit.check(checked.limit)).toEqual([]);
    expect(SetLimit.check(liftOf('poc'))).toEqual([]);
  });

  it('holds until it is lifted unless a time is given, and for one direction only where only that is given', () => {
    expect(checkLimit({ ...form, exportKw: '3' }, NOW)).toEqual({
      limit: { nodeId: 'poc', source: 'operator', exportLimitW: 3000 },
    });
  });

  it('without any power is not sent', () => {
    expect(checkLimit(form, NOW)).toMatchObject({ problem: { field: 'importKw' } });
  });

  it('with something that is no power points at the field', () => {
    expect(checkLimit({ ...form, importKw: '-5' }, NOW)).toMatchObject({ problem: { field: 'importKw' } });
    expect(checkLimit({ ...form, importKw: '5', exportKw: 'much' }, NOW)).toMatchObject({
      problem: { field: 'exportKw' },
    });
  });

  it('is put into words before it is sent', () => {
    const limit = { nodeId: 'ac', source: 'operator', importLimitW: 10_000, validUntil: '2026-03-02T18:00:00Z' };
    expect(plain(limitSentence(limit, NOW))).toBe('Circuit ac: import at most 10.0 kW, for 1 h');
    expect(plain(limitSentence({ nodeId: 'poc', source: 'operator', exportLimitW: 0 }, NOW))).toBe(
      'Connection point: export at most 0 kW, until it is lifted',
    );
    expect(limitSentence(liftOf('poc'), NOW)).toBe('Connection point: no limit by the operator any more');
  });
});
