import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { boundsOf, shareOf } from '../../gateway/console/bounds.js';
import { scopeWords, statusWords, termsWords } from '../../gateway/console/contracts.js';
import { eventWords } from '../../gateway/console/event-words.js';
import { barOf, fleetOrder, fleetScale } from '../../gateway/console/fleet-bars.js';
import { tokensOf } from '../../gateway/console/json-tokens.js';
import { groupPlots } from '../../gateway/console/plot-groups.js';
import { EVENT_KINDS } from '../../hub/evidence/kinds.ts';
import { Contract } from '../../model/index.ts';
import { entry } from './site.ts';

describe('the words of events', () => {
  it('are there for every kind that the gateway writes', () => {
    for (const kind of Object.keys(EVENT_KINDS)) expect(eventWords(kind), kind).toBeDefined();
  });
});

describe('the bar of a vehicle', () => {
  it('shows what it may, does and was granted on one scale, export to the left', () => {
    const e = entry({ importLimitW: 10_000, exportLimitW: 10_000, measuredW: -5000, grantedW: -6000 });
    expect(fleetScale([e, entry({ importLimitW: 20_000 })])).toBe(20_000);
    expect(barOf(e, 20_000)).toEqual({
      'may-from': '25.0%',
      'may-to': '75.0%',
      'is-from': '37.5%',
      'is-to': '50.0%',
      grant: '35.0%',
    });
  });

  it('comes first where somebody should look', () => {
    const list = [entry({ resourceId: 'B' }), entry({ resourceId: 'A' }), entry({ resourceId: 'C', state: 'faulted' })];
    expect(fleetOrder(list).map((e) => e.resourceId)).toEqual(['C', 'A', 'B']);
  });
});

describe('JSON in pieces', () => {
  it('is the same text, whatever it holds', () => {
    fc.assert(
      fc.property(fc.jsonValue(), (value) => {
        const text = JSON.stringify(value, undefined, 2);
        expect(
          tokensOf(text)
            .map((t) => t.text)
            .join(''),
        ).toBe(text);
      }),
    );
  });

  it('tells names from values', () => {
    expect(tokensOf('{"a": -1.5, "b": ["x", true]}').filter((t) => t.kind !== '')).toEqual([
      { kind: 'key', text: '"a"' },
      { kind: 'number', text: '-1.5' },
      { kind: 'key', text: '"b"' },
      { kind: 'string', text: '"x"' },
      { kind: 'word', text: 'true' },
    ]);
  });
});

describe('what has a bound', () => {
  it('is told with what has lost something first, then the fullest', () => {
    const bound = (name: string, size: number, dropped = 0) => ({ name, size, max: 10, dropped });
    const bounds = [bound('a', 1), bound('b', 9), bound('c', 0, 7), bound('d', 0)];
    expect(boundsOf({ bounds }).map((b) => b.name)).toEqual(['c', 'b', 'a', 'd']);
    expect(boundsOf(undefined)).toEqual([]);
    expect(shareOf({ ...bound('x', 12), max: 0 })).toBe(0);
    expect(shareOf(bound('x', 12))).toBe(1);
  });
});

describe('a contract', () => {
  const contract = Contract.example;

  it('counts only within its time', () => {
    const at = (text: string) => statusWords(contract, Date.parse(text)).text;
    expect(at('2026-06-01T00:00:00Z')).toBe('Active');
    expect(at('2025-06-01T00:00:00Z')).toBe('Not begun');
    expect(at('2027-06-01T00:00:00Z')).toBe('Run out');
    expect(statusWords({ ...contract, status: 'suspended' }, 0).tone).toBe('warn');
  });

  it('tells its scope and terms', () => {
    expect(scopeWords({ groupIds: ['g:depot'], resourceIds: ['a', 'b', 'c', 'd'] })).toBe('g:depot; 4 resources');
    const terms = termsWords({ ...contract, maxExportW: 5000, minSocPct: 40 }).map((t) => t.replaceAll('\u202f', ' '));
    expect(terms).toEqual(
      expect.arrayContaining(['export at most 5.00 kW', 'no vehicle below 40 %', 'opt-out at any time']),
    );
    const bound = { ...contract, optPolicy: { ...contract.optPolicy, optOutAllowed: false } };
    expect(termsWords(bound)).toContain('no opt-out');
  });
});

describe('the plot of a group', () => {
  it('is asked for each second while it is shown, and which groups there are now and then', async () => {
    const asked: string[] = [];
    const plots = groupPlots({
      ask: async (url) => {
        asked.push(url.search);
        const point = { at: 1, grantedW: 1, measuredW: 1, importLimitW: 1, exportLimitW: 1 };
        return { ok: true, body: { groups: ['g:depot'], points: [point] } };
      },
      url: new URL('http://gateway/plot'),
      changed: () => {},
    });
    const poll = async (group: string, mono: number) => {
      plots.poll('site:x', group, mono);
      await new Promise<void>((resolve) => setImmediate(resolve));
    };
    await poll('', 0);
    expect([plots.groups(), plots.points()]).toEqual([['g:depot'], []]);
    await poll('', 5000);
    await poll('g:depot', 5100);
    expect(plots.points()).toHaveLength(1);
    await poll('g:depot', 5600);
    await poll('g:depot', 6200);
    expect(asked).toEqual(['?site=site%3Ax', '?site=site%3Ax&group=g%3Adepot', '?site=site%3Ax&group=g%3Adepot']);
  });
});
