import { iso } from '../../core/clock.ts';
import type { Contract, ExecutionNotice, ResultBody, ServiceDecision, SiteFile } from '../../model/index.ts';
import { fsrOf } from '../support/fsr.ts';
import { siteFile } from '../support/site-file.ts';
import { type SiteWorld, siteWorld, sum } from '../support/site-world.ts';

export const V2G_NEEDS = {
  bidirectional: true,
  importMaxW: 11_000,
  exportMaxW: 11_000,
  exportableWh: 20_000,
  energyToMaxWh: 20_000,
};

/** Fast stations: what is told is done within a second, and may be told each second. */
export const quick = (patch: Partial<SiteFile> = {}): SiteFile => {
  const file = siteFile(patch);
  const evses = (e: SiteFile['stations'][number]) =>
    e.evses.map((x) => ({ ...x, responseTimeS: 0, minCommandIntervalS: 0 }));
  return { ...file, stations: file.stations.map((s) => ({ ...s, evses: evses(s) })) };
};

/** Contracts like the one of the test site, with changes. */
export function contracts(...patches: Partial<Contract>[]): Pick<SiteFile, 'contracts' | 'parties' | 'groups'> {
  const [base] = siteFile().contracts ?? [];
  if (!base) throw new Error('no contract');
  const list = patches.map((p, i) => ({ ...base, contractId: `C-${i + 1}`, ...p }));
  const ids = [...new Set(['fo:test', ...list.map((c) => c.foId)])];
  return {
    contracts: list,
    parties: ids.map((partyId) => ({ partyId, role: 'fo' as const })),
    groups: [
      { groupId: 'g:all', members: ['V2G-1.1', 'AC-1.1', 'AC-2.1'], referencePoint: 'group' },
      { groupId: 'g:k1', members: ['V2G-1.1', 'AC-1.1'], referencePoint: 'group' },
      { groupId: 'g:ac2', members: ['AC-2.1'], referencePoint: 'group' },
    ],
  };
}

export const SITE_WIDE = {
  scope: { siteIds: ['site:test'] },
  serviceTypes: ['setpoint', 'congestion'],
} satisfies Partial<Contract>;

export const ISSUERS: Pick<SiteFile, 'mandateIssuers'> = {
  mandateIssuers: [{ issuerId: 'dso:test', refPrefix: 'DSO-' }],
};

/** A site with three vehicles plugged in. */
export async function fleet(file: Partial<SiteFile> = quick()): Promise<SiteWorld> {
  const w = await siteWorld(file);
  for (const r of ['V2G-1.1', 'AC-1.1', 'AC-2.1']) w.plug(r, r.startsWith('V2G') ? V2G_NEEDS : undefined);
  await w.clock.advance(3000);
  return w;
}

export type Patch = Record<string, unknown> & { readonly parameters?: object };

/** A setpoint request of the next 180 s for everybody. */
export function fsr(w: SiteWorld, patch: Patch = {}): object {
  const now = w.clock.now();
  const { parameters, ...rest } = patch;
  return fsrOf(w, {
    window: { start: iso(now), end: iso(now + 180_000) },
    parameters: { mode: 'absolute', minW: -10_000, maxW: 30_000, toleranceW: 300, updateIntervalS: 4, ...parameters },
    ...rest,
  });
}

/** A congestion request of the next 180 s at the POC. */
export function congestion(w: SiteWorld, patch: Patch = {}): object {
  const now = w.clock.now();
  const { parameters, ...rest } = patch;
  const limits = { start: iso(now), end: iso(now + 180_000), points: [{ offsetS: 0, importLimitW: 12_000 }] };
  return {
    ...fsr(w, {
      fsrId: 'L-1',
      serviceType: 'congestion',
      target: { groupId: 'g:all', referencePoint: 'site' },
      ...rest,
    }),
    parameters: { gridNode: 'node:7', limits, firm: true, ...parameters },
  };
}

export const request = (w: SiteWorld, body: object, peer?: string): Promise<ResultBody> =>
  w.ask('hub/RequestService', { fsr: body }, peer);

export function setpoint(w: SiteWorld, fsrId: string, seq: number, targetW: number, peer?: string, validS = 60) {
  const validUntil = iso(w.clock.now() + validS * 1000);
  return w.ask('hub/UpdateSetpoint', { setpoint: { fsrId, seq, targetW, validUntil } }, peer);
}

export const opt = (w: SiteWorld, choice: 'in' | 'out', resources: string[], patch: object = {}, peer?: string) =>
  w.ask('hub/OptChoice', { choice, actor: 'csp', scope: { resources }, ...patch }, peer);

export const measured = (w: SiteWorld): number => sum(w.power.values());
export const power = (w: SiteWorld, ...ids: string[]): number => sum(ids.map((id) => w.power.get(id) ?? 0));
export const told = (w: SiteWorld, phase: string, fsrId?: string): ExecutionNotice[] =>
  w.notices
    .filter((n) => n.topic === 'hub/ExecutionNotice')
    .map((n) => n.payload as ExecutionNotice)
    .filter((n) => n.phase === phase && (fsrId ?? n.fsrId) === n.fsrId);
export const decisions = (w: SiteWorld, fsrId?: string): ServiceDecision[] =>
  w.notices
    .filter((n) => n.topic === 'hub/ServiceDecision')
    .map((n) => n.payload as ServiceDecision)
    .filter((d) => (fsrId ?? d.fsrId) === d.fsrId);
export const service = (w: SiteWorld, fsrId = 'N-1') => w.site.snapshot().services.find((s) => s.fsrId === fsrId);
