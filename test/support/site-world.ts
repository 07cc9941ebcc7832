import { iso, type ManualClock, manualClock, realClock } from '../../core/clock.ts';
import { silentLog } from '../../core/log.ts';
import { createMetrics } from '../../core/metrics.ts';
import { openStore } from '../../gateway/store/index.ts';
import type { ActuatingLink, StorePort } from '../../hub/ports.ts';
import { openSite } from '../../hub/site/site.ts';
import type { Site } from '../../hub/site/types.ts';
import type {
  CommandBatch,
  CommandOutcome,
  EnvelopeUpdate,
  ExecutionNotice,
  PowerCommand,
  ResultBody,
  ServiceDecision,
  SiteFile,
  WireMessage,
} from '../../model/index.ts';
import { siteFile } from './site-file.ts';

/** A site with stations that obey: commands are accepted at once and measured a second later, unless told otherwise. */
export interface SiteWorld {
  readonly clock: ManualClock;
  readonly store: StorePort;
  site: Site;
  readonly notices: WireMessage[];
  readonly telemetry: WireMessage[];
  readonly batches: CommandBatch[];
  readonly envelopes: EnvelopeUpdate[];
  /** Measured power of each resource, W; changed by accepted commands. */
  readonly power: Map<string, number>;
  /** What stations do with commands; default `obey`. */
  behaviour: 'obey' | 'silent' | 'refuse';
  /** The resource that refuses, that says nothing at all, and those that accept but stay as they are. */
  refusing: string | undefined;
  mute: string | undefined;
  readonly stubborn: Set<string>;
  /** False: nobody allocates, as when the wires were deleted. */
  wired: boolean;
  say(topic: string, payload: object): void;
  plug(resourceId: string, needs?: object): void;
  ask(topic: string, payload: object, peer?: string): Promise<ResultBody>;
  /** A service for the next 180 s, accepted and begun. */
  service(parameters?: object, fallback?: object): Promise<void>;
  setpoint(seq: number, targetW: number, validS?: number): Promise<ResultBody>;
  phases(): string[];
  reopen(): Promise<void>;
  close(): Promise<void>;
}

export async function siteWorld(patch: Partial<SiteFile> = {}, given?: StorePort): Promise<SiteWorld> {
  const clock = manualClock();
  const metrics = createMetrics();
  const store = given ?? (await openStore({ path: ':memory:', clock: realClock(), log: silentLog, metrics }));
  const file = siteFile(patch);
  const open = () => openSite({ file, clock, log: silentLog, metrics: createMetrics(), store });
  const w: SiteWorld = {
    clock,
    store,
    site: await open(),
    notices: [],
    telemetry: [],
    batches: [],
    envelopes: [],
    power: new Map(),
    behaviour: 'obey',
    refusing: undefined,
    mute: undefined,
    stubborn: new Set(),
    wired: true,
    say(topic, payload) {
      const at = iso(clock.now());
      w.site.observe({ topic, payload: { at, ...payload }, v2gate: { id: 'm', at, link: 'test' } });
    },
    plug(resourceId, needs) {
      const protocol = resourceId.startsWith('AC') ? 'ocpp1.6' : 'ocpp2.1';
      w.say('hub/StationStatus', {
        resourceId,
        state: 'connected',
        protocol,
        offlineImportW: w.site.safeImportW(resourceId),
      });
      w.say('hub/SessionEvent', {
        resourceId,
        sessionId: `tx-${resourceId}`,
        kind: 'started',
        state: 'connected',
        importWh: 0,
      });
      if (needs) w.say('hub/EvNeeds', { resourceId, bidirectional: false, ...needs });
      w.power.set(resourceId, w.power.get(resourceId) ?? 0);
    },
    async ask(topic, payload, peer = 'fo:test') {
      const at = iso(clock.now());
      const decision = await w.site.decide({
        topic,
        payload,
        v2gate: { id: 'm', at, link: 'test', peer, replyTo: 'r' },
      });
      const { target } = decision;
      if (target && w.wired) run(w, target);
      // As the service node does it: what a setpoint became is read when its commands are out.
      return decision.result;
    },
    async service(parameters = {}, fallback = {}) {
      const now = clock.now();
      const result = await w.ask('hub/RequestService', {
        fsr: {
          fsrId: 'N-1',
          revision: 1,
          contractId: 'C-1',
          serviceType: 'setpoint',
          target: { groupId: 'g:all', referencePoint: 'group' },
          window: { start: iso(now), end: iso(now + 180_000) },
          decisionBy: iso(now + 5000),
          mandatory: false,
          priority: 5,
          parameters: {
            mode: 'absolute',
            minW: -10_000,
            maxW: 30_000,
            toleranceW: 300,
            updateIntervalS: 4,
            ...parameters,
          },
          fallback: { onExpiry: 'zero', ...fallback },
        },
      });
      if (result.status !== 'ok') throw new Error(`service: ${JSON.stringify(result)}`);
      await clock.advance(1000);
    },
    setpoint(seq, targetW, validS = 60) {
      return w.ask('hub/UpdateSetpoint', {
        setpoint: { fsrId: 'N-1', seq, targetW, validUntil: iso(clock.now() + validS * 1000) },
      });
    },
    phases: () =>
      w.notices.flatMap((n) => {
        if (n.topic === 'hub/ServiceDecision') return [(n.payload as ServiceDecision).decision];
        return n.topic === 'hub/ExecutionNotice' ? [(n.payload as ExecutionNotice).phase] : [];
      }),
    async reopen() {
      await w.site.close();
      w.site = await open();
      connect(w);
    },
    async close() {
      await w.site.close();
      await store.close();
    },
  };
  connect(w);
  meterEverySecond(w);
  return w;
}

function connect(w: SiteWorld): void {
  const link: ActuatingLink = { linkId: 'test', applyEnvelope: (update) => w.envelopes.push(update) };
  w.site.attach(link);
  w.site.on('notice', (n) => {
    w.notices.push(n);
    w.site.delivered(n.v2gate.id);
  });
  w.site.on('telemetry', (t) => w.telemetry.push(t));
  w.site.on('changed', () => {
    if (w.wired) w.clock.after(0, () => run(w));
  });
}

function run(w: SiteWorld, target?: Parameters<Site['allocate']>[0]['target']): void {
  const batch = w.site.allocate({ reason: 'test', ...(target ? { target } : {}) });
  if (!batch) return;
  w.batches.push(batch);
  for (const command of batch.commands) w.clock.after(100, () => act(w, command));
}

/** What a station does with a command, after 100 ms. */
function act(w: SiteWorld, c: PowerCommand): void {
  const tell = (state: CommandOutcome['state'], extra: object = {}) =>
    w.say('hub/CommandOutcome', { commandId: c.commandId, resourceId: c.resourceId, state, ...extra });
  tell('sent');
  if (w.mute === c.resourceId) return;
  if (w.refusing === c.resourceId) {
    tell('refused', { code: 'station.refusedCommand' });
    return;
  }
  if (w.behaviour === 'refuse') tell('refused', { code: 'station.refusedCommand' });
  if (w.behaviour !== 'obey') return;
  const appliedW = c.kind === 'limit' ? (c.importLimitW ?? 0) : (c.powerW ?? 0);
  if (!w.stubborn.has(c.resourceId)) w.power.set(c.resourceId, appliedW);
  tell('accepted', { appliedW });
}

function meterEverySecond(w: SiteWorld): void {
  w.clock.after(1000, () => {
    for (const [resourceId, powerW] of w.power) w.say('hub/MeterReading', { resourceId, powerW, quality: 'good' });
    meterEverySecond(w);
  });
}

export const sum = (values: Iterable<number>): number => [...values].reduce((a, b) => a + b, 0);
