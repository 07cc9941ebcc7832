import type { FlowNode } from 'node-red';
import { afterAll, beforeAll, expect } from 'vitest';
import { iso, type ManualClock, manualClock } from '../../core/clock.ts';
import type { SiteFile } from '../../model/index.ts';
import { answered } from '../support/answered.ts';
import {
  promptSite,
  siteNodes,
  startTestGateway,
  type TestGateway,
  type TestGatewayOptions,
} from '../support/gateway.ts';
import { bootStation, greetOperator, type OperatorPeer, type StationPeer } from './peers.ts';

const START = Date.UTC(2026, 2, 2, 12);
/** Power that the service of the well-behaved operator asks for, W. */
export const TARGET_W = 5_000;
/** Calls, closing handshakes and greetings of earlier connections have ended after it. */
const SETTLE_S = 15;
/** The operator renews its setpoint this often. */
const RENEW_MS = 100_000;
const AC = 'DEMO-AC-1';
const DC = 'DEMO-V2G-1';

interface SiteView {
  readonly pending: readonly { readonly identity: string; readonly evses: number }[];
  readonly snapshot: {
    readonly requestedW?: number;
    readonly services: readonly { readonly fsrId: string; readonly state: string; readonly targetW?: number }[];
    readonly resources: readonly {
      readonly resourceId: string;
      readonly online: boolean;
      readonly state: string;
      readonly measuredW?: number;
      readonly sessionId?: string;
    }[];
  };
}

/** The message of a Result: what happened, then what to do. */
export const REMEDY = /^\S.*[.?!] [A-Z].*[.?!]$/s;

export type Counts = Readonly<Record<string, number>>;

/** A gateway at work: two stations charge, an operator has a setpoint in force and gets telemetry, a console looks. */
export interface World {
  readonly gw: TestGateway;
  readonly clock: ManualClock;
  readonly ocpp: string;
  readonly fo: string;
  /** Time passes; the well-behaved peers go on talking. */
  pass(seconds: number): Promise<void>;
  view(): Promise<SiteView>;
  health(): Promise<{ readonly ready: boolean; readonly components: Record<string, { state: string; text: string }> }>;
  /** A value of /metrics, 0 while it is absent. */
  metric(name: string, ...labels: readonly string[]): Promise<number>;
  /** Everybody else still works and nothing acknowledged was lost. */
  unharmed(): Promise<void>;
  /** What must not grow: armed timers, and entries of everything bounded that a peer can fill. */
  counts(): Promise<Counts>;
  /** What has grown, and by how much. */
  grownSince(before: Counts): Promise<Counts>;
  /** The counts while nobody but the well-behaved is there. */
  settled(): Promise<Counts>;
  /** Within a minute nothing of what happened since `before` is left. */
  nothingGrew(before: Counts): Promise<void>;
}

export function useWorld(o: Omit<TestGatewayOptions, 'clock' | 'site'> = {}): () => World {
  let world: (World & { stop(): Promise<void> }) | undefined;
  beforeAll(async () => {
    world = await startWorld(o);
  });
  afterAll(() => world?.stop());
  return () => {
    if (!world) throw new Error('The world is not there yet.');
    return world;
  };
}

async function startWorld(o: Omit<TestGatewayOptions, 'clock' | 'site'>): Promise<World & { stop(): Promise<void> }> {
  const clock = manualClock(START);
  const gw = await startTestGateway({ ...o, clock, site: (file) => withRival(promptSite(file)) });
  await gw.deploy(PATH);
  const ocpp = await gw.linkUrl('v2gate-ocpp-server');
  const fo = await gw.linkUrl('v2gate-fo-link');
  const ac = await bootStation(ocpp, AC, 'ocpp1.6', { keep: true });
  const dc = await bootStation(ocpp, DC, 'ocpp2.1', { keep: true });
  const operator = await greetOperator(fo, 'fo:north', clock.now, { keep: true });
  const json = async (path: string): Promise<unknown> => (await gw.get(path)).json();
  const view = async (): Promise<SiteView> => (await json('/v2gate/api/site')) as SiteView;
  let round = 0;
  let seqNo = 0;
  let seq = 0;
  let renewAt = Number.POSITIVE_INFINITY;
  const renew = async (): Promise<void> => {
    renewAt = clock.now() + RENEW_MS;
    const body = setpoint('N-1', ++seq, TARGET_W, clock.now());
    const answer = await answered(operator.request('UpdateSetpoint', body), clock);
    if (answer.status !== 'ok') throw new Error(`the setpoint was answered ${JSON.stringify(answer)}`);
  };

  const pass = async (seconds: number): Promise<void> => {
    for (let s = 0; s < seconds; s++) {
      await clock.advance(1_000);
      operator.heartbeat();
      await Promise.all([operator.read(), ac.read(), dc.read()]);
      if (clock.now() >= renewAt) await renew();
    }
  };
  const meter = (powerW: number) => ({
    timestamp: iso(clock.now()),
    sampledValue: [{ value: powerW, measurand: 'Power.Active.Import', unitOfMeasure: { unit: 'W' } }],
  });
  const report = async (powerW: number): Promise<void> => {
    const value = { value: String(powerW), measurand: 'Power.Active.Import', unit: 'W' };
    const meterValue = [{ timestamp: iso(clock.now()), sampledValue: [value] }];
    await ac.call('MeterValues', { connectorId: 1, transactionId, meterValue });
    await dc.call('TransactionEvent', {
      ...event('Updated', 'MeterValuePeriodic', seqNo++, clock),
      meterValue: [meter(powerW)],
    });
  };
  const transactionId = await plugIn(ac, dc, seqNo++, clock);
  await startService(operator, clock, pass);
  await renew();
  await operator.request('SubscribeTelemetry', {
    subject: { resourceId: `${AC}.1` },
    fields: ['powerW'],
    intervalS: 1,
    until: iso(START + 86_400_000),
  });

  const unharmed = async (): Promise<void> => {
    const powerW = 4_000 + ++round;
    await report(powerW);
    const telemetry = operator.next('Telemetry', (b) => JSON.stringify(b).includes(`"powerW":${powerW}`));
    await pass(1);
    await telemetry;
    const { snapshot } = await view();
    const row = (resourceId: string) => snapshot.resources.find((r) => r.resourceId === resourceId);
    expect(row(`${AC}.1`)).toMatchObject({ online: true, measuredW: powerW, sessionId: String(transactionId) });
    expect(row(`${DC}.1`)).toMatchObject({ online: true, measuredW: powerW, sessionId: 'dc-1' });
    expect(snapshot.services).toContainEqual(
      expect.objectContaining({ fsrId: 'N-1', state: 'active', targetW: TARGET_W }),
    );
    expect(snapshot.requestedW).toBe(TARGET_W);
    expect((await gw.get('/health')).status).toBe(200);
    expect([ac, dc, operator].map((peer) => peer.end())).toEqual([undefined, undefined, undefined]);
  };
  const metrics = async (): Promise<string> => (await gw.get('/metrics')).text();
  const counts = async (): Promise<Counts> => {
    const sizes = (await metrics()).matchAll(/^(\w+_size\{name="([^"]+)"\}) (\d+)$/gm);
    const found = [...sizes].filter(([, , name = '']) => !MAY_GROW.test(name)).map(([, key, , n]) => [key, Number(n)]);
    return { timers: clock.pending, ...Object.fromEntries(found) };
  };
  const grownSince = async (before: Counts): Promise<Counts> => {
    const grown = Object.entries(await counts()).map(([key, n]) => [key, n - (before[key] ?? 0)] as const);
    return Object.fromEntries(grown.filter(([, by]) => by > 0));
  };

  return {
    gw,
    clock,
    ocpp,
    fo,
    pass,
    view,
    unharmed,
    health: async () => (await json('/health')) as Awaited<ReturnType<World['health']>>,
    async metric(name, ...labels) {
      const lines = (await metrics())
        .split('\n')
        .filter((l) => l.startsWith(name) && labels.every((x) => l.includes(x)));
      return lines.reduce((sum, line) => sum + Number(line.slice(line.lastIndexOf(' ') + 1)), 0);
    },
    counts,
    grownSince,
    async settled() {
      await pass(SETTLE_S);
      return counts();
    },
    async nothingGrew(before) {
      let grown = await grownSince(before);
      for (let s = 0; s < 60 && Object.keys(grown).length > 0; s++) {
        await pass(1);
        grown = await grownSince(before);
      }
      expect(grown).toEqual({});
    },
    async stop() {
      for (const peer of [ac, dc, operator]) peer.drop();
      let stopped = false;
      const stopping = gw.stop().finally(() => {
        stopped = true;
      });
      // Closing waits for peers by the clock of the domain.
      while (!stopped) {
        await clock.advance(1_000);
        await new Promise((turn) => setImmediate(turn));
      }
      await stopping;
    },
  };
}

/** Bounded memories that keep what was said on purpose (a channel for each EVSE of the site), and what lives by the wall clock. */
const MAY_GROW = /plot|trace|channels|results|sequences|revisions|setpointSeqs|store|health|outcomes|meter/i;

const node = (id: string, type: string, more: object, wires: string[][] = []): FlowNode => ({
  id,
  type,
  z: 't',
  version: 1,
  name: '',
  wires,
  ...more,
});

/** The path of design 2. */
export const PATH: readonly FlowNode[] = [
  ...siteNodes(),
  node('fo-in', 'v2gate-fo-in', { link: 'c-fo' }, [['service']]),
  node('service', 'v2gate-service', { site: 'c-site' }, [['fo-out'], ['allocate']]),
  node('fo-out', 'v2gate-fo-out', { link: 'c-fo' }),
  node('allocate', 'v2gate-allocate', { site: 'c-site' }, [['ocpp-out']]),
  node('ocpp-out', 'v2gate-ocpp-out', { server: 'c-ocpp' }, [[], []]),
  node('ocpp-in', 'v2gate-ocpp-in', { server: 'c-ocpp' }, [['fleet']]),
  node('fleet', 'v2gate-fleet', { site: 'c-site' }, [['fo-out'], []]),
];

/** A second operator, with a contract of its own over the two last stations. */
function withRival(file: SiteFile): SiteFile {
  const [contract] = file.contracts ?? [];
  if (!contract) throw new Error('The site of the demo has no contract.');
  const members = ['DEMO-V2G-3.1', 'DEMO-V2G-4.1'];
  return {
    ...file,
    groups: [...(file.groups ?? []), { groupId: 'g:rival', members, referencePoint: 'group' }],
    parties: [...(file.parties ?? []), { partyId: 'fo:rival', role: 'fo' }],
    contracts: [contract, { ...contract, contractId: 'C-10', foId: 'fo:rival', scope: { groupIds: ['g:rival'] } }],
  };
}

/** Both stations begin a transaction; resolves to the id that the gateway gave. */
async function plugIn(ac: StationPeer, dc: StationPeer, seqNo: number, clock: ManualClock): Promise<unknown> {
  const timestamp = iso(clock.now());
  const status = (state: string) =>
    ac.call('StatusNotification', { connectorId: 1, errorCode: 'NoError', status: state, timestamp });
  await status('Preparing');
  const start = { connectorId: 1, idTag: 'DEMO-1', meterStart: 0, timestamp };
  const { transactionId } = await ac.call('StartTransaction', start);
  await status('Charging');
  await dc.call('StatusNotification', { evseId: 1, connectorId: 1, connectorStatus: 'Occupied', timestamp });
  await dc.call('TransactionEvent', {
    ...event('Started', 'CablePluggedIn', seqNo, clock),
    evse: { id: 1, connectorId: 1 },
    idToken: { idToken: 'DEMO-1', type: 'ISO14443' },
  });
  return transactionId;
}

const event = (eventType: string, triggerReason: string, seqNo: number, clock: ManualClock) => ({
  eventType,
  triggerReason,
  seqNo,
  timestamp: iso(clock.now()),
  transactionInfo: { transactionId: 'dc-1', chargingState: 'Charging' },
});

/** A service of an hour that has become active. */
async function startService(
  operator: OperatorPeer,
  clock: ManualClock,
  pass: (seconds: number) => Promise<void>,
): Promise<void> {
  let active = false;
  void operator
    .next('ExecutionNotice', (b) => b.phase === 'active')
    .then(() => {
      active = true;
    });
  const answer = await operator.request('RequestService', serviceRequest('N-1', clock.now()));
  if (!/ok|pending/.test(answer.status)) throw new Error(`the service was answered ${JSON.stringify(answer)}`);
  for (let s = 0; s < 20 && !active; s++) await pass(1);
  expect(active).toBe(true);
}

/** A request for the service `setpoint` of an hour, from now on. */
export function serviceRequest(
  fsrId: string,
  now: number,
  patch: object = {},
): { readonly fsr: Record<string, unknown> } {
  const at = (s: number): string => iso(now + s * 1_000);
  return {
    fsr: {
      fsrId,
      revision: 1,
      contractId: 'C-9',
      serviceType: 'setpoint',
      target: { groupId: 'g:depot', referencePoint: 'group' },
      window: { start: at(0), end: at(3_600) },
      decisionBy: at(10),
      mandatory: false,
      priority: 5,
      parameters: {
        mode: 'absolute',
        initialW: 1_000,
        minW: -30_000,
        maxW: 40_000,
        toleranceW: 500,
        updateIntervalS: 2,
        validityS: 300,
      },
      fallback: { onExpiry: 'zero', rampS: 0 },
      ...patch,
    },
  };
}

/** A request of `fo:rival` that only the service of the other operator stands against. */
export const rivalService = (now: number, patch: object = {}) =>
  serviceRequest('R-1', now, {
    contractId: 'C-10',
    target: { groupId: 'g:rival', referencePoint: 'group' },
    ...patch,
  });

/** A setpoint that is valid for 5 minutes. */
export const setpoint = (fsrId: string, seq: number, targetW: unknown, now: number, patch: object = {}) => ({
  setpoint: { fsrId, seq, targetW, validUntil: iso(now + 300_000), ...patch },
});
