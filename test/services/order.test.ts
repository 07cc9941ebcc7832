import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { iso } from '../../core/clock.ts';
import { compareServices, endOf, holdsCapacity } from '../../hub/services/order.ts';
import type { Service } from '../../hub/services/service.ts';
import type { Contract, SiteFile } from '../../model/index.ts';
import { siteFile } from '../support/site-file.ts';
import { bookWorld } from './kit.ts';

const withContracts = (...patches: Partial<Contract>[]): SiteFile => {
  const file = siteFile();
  const [base] = file.contracts ?? [];
  if (!base) throw new Error('no contract');
  const contracts = patches.map((p, i) => ({
    ...base,
    contractId: `C-${i + 1}`,
    scope: { siteIds: ['site:test'] },
    ...p,
  }));
  return { ...file, contracts, mandateIssuers: [{ issuerId: 'dso', refPrefix: 'D-' }] };
};
const one = (id: string) => ({ target: { resourceIds: [id], referencePoint: 'group' as const } });

describe('the order of services (fo 6.3)', () => {
  it('is total and does not depend on the order in which they came into the list', () => {
    const w = bookWorld();
    const { fsr } = w.request();
    const service = fc.record({
      mandatory: fc.boolean(),
      priority: fc.integer({ min: 0, max: 2 }),
      acceptedAt: fc.integer({ min: 0, max: 2 }),
    });
    fc.assert(
      fc.property(fc.array(service, { maxLength: 8 }), fc.integer({ min: 1, max: 97 }), (list, turn) => {
        const services = list.map(
          ({ acceptedAt, ...rest }, i): Service => ({
            foId: 'fo:test',
            fsr: { ...fsr, fsrId: `S${i}`, ...rest },
            digest: '',
            state: 'active',
            acceptedAt,
            members: [],
            outgoing: [],
          }),
        );
        const turned = services.map((_, i) => services[(i * turn + turn) % services.length]);
        const unique = [...new Set(turned)];
        const sorted = (l: readonly (Service | undefined)[]) =>
          l
            .flatMap((s) => s ?? [])
            .sort(compareServices)
            .map((s) => s.fsr.fsrId);
        const rest = services.filter((s) => !unique.includes(s));
        expect(sorted([...unique, ...rest])).toEqual(sorted(services));
        const mandatory = services.toSorted(compareServices).map((s) => s.fsr.mandatory);
        expect(mandatory.lastIndexOf(true)).toBeLessThanOrEqual(mandatory.filter(Boolean).length - 1);
      }),
      { numRuns: 200 },
    );
  });
});

describe('two services for the same time (fo 1.2)', () => {
  it('are no conflict on different resources', () => {
    const w = bookWorld(withContracts({}));
    w.ask(one('AC-1.1'));
    expect(w.ask({ fsrId: 'N-2', ...one('AC-2.1') })).toMatchObject({ status: 'ok' });
    expect(w.ask({ fsrId: 'N-3', ...one('AC-1.1') })).toMatchObject({ code: 'conflict.overlap' });
  });

  it('are none where both contracts allow them to be stacked, and are one where only one does', () => {
    const stackable = { stackable: ['setpoint' as const] };
    const both = bookWorld(withContracts(stackable, stackable));
    both.ask();
    expect(both.ask({ fsrId: 'N-2', contractId: 'C-2' })).toMatchObject({ status: 'ok' });
    const half = bookWorld(withContracts(stackable, {}));
    half.ask();
    expect(half.ask({ fsrId: 'N-2', contractId: 'C-2' })).toMatchObject({ code: 'conflict.overlap' });
  });

  it('are none when one is mandatory, whichever came first', () => {
    const w = bookWorld(withContracts({}));
    w.ask();
    const mandatory = { mandatory: true, mandateRef: 'D-1' };
    expect(w.ask({ fsrId: 'M-1', ...mandatory })).toMatchObject({ status: 'ok' });
    const late = bookWorld(withContracts({}));
    late.ask({ fsrId: 'M-1', ...mandatory });
    expect(late.ask()).toMatchObject({ status: 'ok' });
  });

  it('are one when both are led at the POC', () => {
    const atPoc = (id: string) => ({ target: { resourceIds: [id], referencePoint: 'site' as const } });
    const w = bookWorld(withContracts({}));
    w.ask(atPoc('AC-1.1'));
    expect(w.ask({ fsrId: 'N-2', ...atPoc('AC-2.1') })).toMatchObject({ code: 'conflict.overlap' });
    expect(w.ask({ fsrId: 'N-3', ...one('AC-2.1') })).toMatchObject({ status: 'ok' });
  });

  it('are none after the end that was announced, and when the first is over', () => {
    const w = bookWorld(withContracts({}));
    w.active();
    const at = w.clock.now() + 30_000;
    const { service } = w.book.cancel({ fsrId: 'N-1', reason: 'r', at: iso(at) }, 'fo:test');
    if (service) w.book.commit(service);
    expect(endOf(w.service())).toBe(at);
    const window = { start: iso(at), end: iso(at + 60_000) };
    expect(w.ask({ fsrId: 'N-2', window })).toMatchObject({ status: 'ok' });
    expect(w.ask({ fsrId: 'N-3' })).toMatchObject({ code: 'conflict.overlap' });
    expect(holdsCapacity({ ...w.service(), state: 'aborted' })).toBe(false);
  });
});
