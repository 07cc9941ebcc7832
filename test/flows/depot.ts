import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import RED, { type FlowNode } from 'node-red';
import { afterAll, beforeAll } from 'vitest';
import { iso, type ManualClock, manualClock } from '../../core/clock.ts';
import { silentLog } from '../../core/log.ts';
import type { ExecutionNotice, FleetSnapshot, ResultBody, ServiceDecision, SiteFile } from '../../model/index.ts';
import type { FoBodies, FoClient, FoInbound } from '../../protocols/fo/index.ts';
import { openLink } from '../../simulators/fo/link.ts';
import { fleetPower, httpDelivery, type RunningSite, runSite, type SiteScenario } from '../../simulators/site/index.ts';
import { type FleetFile, type RunningFleet, runFleet } from '../../simulators/stations/index.ts';
import { answered } from '../support/answered.ts';
import { startTestGateway, type TestGateway } from '../support/gateway.ts';

const FLOWS = join(import.meta.dirname, '../../flows');
/** Node-RED and eight stations, on a machine that may be busy. */
const START_MS = 20_000;
const START = Date.UTC(2026, 5, 1, 12);
/** Cars with room for hours in both directions, so that only the services move power. */
const CAPACITY_WH = 80_000;

/** What a folder below `flows/` holds. */
export function flowFolder(name: string): { readonly flow: FlowNode[]; readonly site: SiteFile } {
  const read = (file: string): unknown => JSON.parse(readFileSync(join(FLOWS, name, file), 'utf8'));
  const flow = readdirSync(join(FLOWS, name)).find((file) => /^[A-Z].*\.json$/.test(file));
  if (flow === undefined) throw new Error(`There is no flow in ${name}.`);
  return { flow: read(flow) as FlowNode[], site: read('site.json') as SiteFile };
}

/** The flow without one of its wires. */
export interface Wire {
  readonly from: string;
  readonly output: number;
  readonly to: string;
}
export const wiresOf = (flow: readonly FlowNode[]): Wire[] =>
  flow.flatMap((n) => (n.wires ?? []).flatMap((to, output) => to.map((id) => ({ from: n.id, output, to: id }))));
export const without = (flow: readonly FlowNode[], { from, output, to }: Wire): FlowNode[] =>
  flow.map((n) => {
    if (n.id !== from) return n;
    return { ...n, wires: (n.wires ?? []).map((ids, i) => (i === output ? ids.filter((id) => id !== to) : ids)) };
  });

type Asked = { [T in keyof FoBodies]: FoBodies[T] };

/** An operator on a real socket that does what the test says. */
export class Operator {
  readonly heard: FoInbound[] = [];
  readonly #client: FoClient;
  readonly #clock: ManualClock;
  /** Requests that wait for their Result. */
  waiting = 0;

  constructor(url: string, clock: ManualClock, partyId: string) {
    this.#clock = clock;
    const onMessage = (m: FoInbound): void => {
      this.heard.push(m);
      if (m.replyTo !== undefined) this.#client.answer(m.replyTo, { status: 'ok' });
    };
    const link = { url, partyId, to: 'cso:harbour', log: silentLog, random: () => 0.5 };
    this.#client = openLink(link, { handlers: { onMessage }, clock, lastEventSeq: 0 });
  }

  async request<T extends keyof Asked>(type: T, body: Asked[T]): Promise<ResultBody> {
    this.waiting++;
    try {
      const asked = this.#client.request(type, body);
      return await (type === 'UpdateSetpoint' ? answered(asked, this.#clock) : asked);
    } finally {
      this.waiting--;
    }
  }

  bodies<T>(type: keyof FoBodies, fsrId: string): T[] {
    return this.heard
      .filter((m) => m.type === type)
      .map((m) => m.body as T)
      .filter((b) => JSON.stringify(b).includes(`"${fsrId}"`));
  }

  notices(fsrId: string, phase?: string): ExecutionNotice[] {
    return this.bodies<ExecutionNotice>('ExecutionNotice', fsrId).filter((n) => (phase ?? n.phase) === n.phase);
  }

  decision(fsrId: string): ServiceDecision | undefined {
    return this.bodies<ServiceDecision>('ServiceDecision', fsrId).at(-1);
  }

  close(): Promise<void> {
    return this.#client.close();
  }
}

export interface DepotOptions {
  readonly folder: string;
  /** Base load and meters of the site; absent: stations only. */
  readonly scenario?: SiteScenario;
}

/** The gateway with a flow as it is shipped, simulated stations and meters around it, one manual clock for all. */
export class Depot {
  readonly clock: ManualClock = manualClock(START);
  readonly flow: FlowNode[];
  readonly #site: SiteFile;
  readonly #operators: Operator[] = [];
  #deliveries = 0;
  gateway!: TestGateway;
  fleet!: RunningFleet;
  site: RunningSite | undefined;

  constructor(o: { readonly flow: FlowNode[]; readonly site: SiteFile }) {
    this.flow = o.flow;
    this.#site = o.site;
  }

  static async open(o: DepotOptions): Promise<Depot> {
    const d = new Depot(flowFolder(o.folder));
    d.gateway = await startTestGateway({ clock: d.clock, site: () => d.#site });
    await d.gateway.deploy(d.flow);
    const url = await d.gateway.linkUrl('v2gate-ocpp-server');
    d.fleet = runFleet({ fleet: FLEET, url, clock: d.clock, seed: 1, tickMs: 500, onEvent: () => undefined });
    if (o.scenario) d.#around(o.scenario);
    await d.run(3);
    return d;
  }

  async operator(partyId = 'fo:north'): Promise<Operator> {
    const o = new Operator(await this.gateway.linkUrl('v2gate-fo-link'), this.clock, partyId);
    this.#operators.push(o);
    await this.run(1);
    return o;
  }

  /** Moves time on by seconds, and waits at each step until nothing is under way. */
  async run(s: number, stepMs = 500): Promise<void> {
    for (let left = s * 1000; left > 0; left -= stepMs) {
      await this.clock.advance(Math.min(stepMs, left));
      await this.settle();
    }
  }

  /** Moves time on until it holds; fails after `maxS`. Resolves to the seconds that it took. */
  async until(what: string, holds: () => boolean, maxS = 30): Promise<number> {
    const from = this.clock.now();
    while (!holds()) {
      if (this.clock.now() - from >= maxS * 1000) throw new Error(`${what}: not within ${maxS} s; ${this.#words()}`);
      await this.run(0.5);
    }
    return (this.clock.now() - from) / 1000;
  }

  async settle(): Promise<void> {
    const { log, gateway } = this.gateway;
    for (let quiet = 0, seen = ''; quiet < 3; ) {
      for (let i = 0; i < 3; i++) await new Promise<void>((resolve) => setImmediate(resolve));
      await gateway.runtime.store.flush();
      const busy = this.fleet?.stations.some((s) => s.busy) || this.#deliveries > 0;
      const now = `${log.length} ${this.#operators.map((o) => `${o.heard.length}/${o.waiting}`).join()}`;
      quiet = busy || now !== seen ? 0 : quiet + 1;
      seen = now;
    }
  }

  snapshot(): FleetSnapshot {
    const [site] = this.gateway.gateway.runtime.sites.all();
    if (!site) throw new Error('no site');
    return site.snapshot();
  }

  /** What stations really draw, W; by the beginning of their identity. */
  power(...prefixes: string[]): number {
    const wanted = (id: string): boolean => prefixes.length === 0 || prefixes.some((p) => id.startsWith(p));
    return fleetPower(this.fleet).reduce((sum, s) => (wanted(s.identity) ? sum + s.powerW : sum), 0);
  }

  /** What comes to a node on its wire from now on; payloads. */
  listen(nodeId: string): { readonly payloads: unknown[]; stop(): void } {
    const hook = `onReceive.listen-${nodeId}`;
    const payloads: unknown[] = [];
    RED.hooks.add(hook, (event) => {
      if (event.destination?.id === nodeId) payloads.push(structuredClone(event.msg.payload));
    });
    return { payloads, stop: () => RED.hooks.remove(hook) };
  }

  at(offsetS = 0): string {
    return iso(this.clock.now() + offsetS * 1000);
  }

  async close(): Promise<void> {
    this.site?.stop();
    this.fleet?.stop();
    for (const o of this.#operators) await o.close();
    await this.gateway.stop();
  }

  #around(scenario: SiteScenario): void {
    const deliver = httpDelivery({ gateway: this.gateway.gateway.url, clock: this.clock });
    this.site = runSite({
      scenario,
      clock: this.clock,
      seed: 1,
      stepMs: 500,
      stations: () => fleetPower(this.fleet),
      onEvent: () => undefined,
      deliver: async (readings) => {
        this.#deliveries++;
        await deliver(readings).finally(() => this.#deliveries--);
      },
    });
  }

  #words(): string {
    const { services, limits, resources } = this.snapshot();
    const rows = resources.map((r) => `${r.resourceId} ${r.grantedW}/${r.measuredW} W ${r.outcome}`);
    return `stations ${Math.round(this.power())} W, ${JSON.stringify({ services, limits })} ${rows.join('; ')}`;
  }
}

/** One depot for all tests of a file. */
export function useDepot(o: DepotOptions): () => Depot {
  let depot: Depot | undefined;
  beforeAll(async () => {
    depot = await Depot.open(o);
  }, START_MS);
  afterAll(() => depot?.close());
  return () => {
    if (!depot) throw new Error('The depot is not open yet.');
    return depot;
  };
}

const HOUR_S = 3600;
const stays = { firstS: [0, 0], gapS: [HOUR_S, HOUR_S], stayS: [10 * HOUR_S, 10 * HOUR_S] };
const prompt = { responseDelayS: 0.2, rampWPerS: 50_000, meterIntervalS: 1 };

const wallbox = {
  phases: 3,
  maxImportW: 11_040,
  ...prompt,
  arrivals: {
    ...stays,
    arrivalPct: [20, 20],
    targetPct: [90, 90],
    cars: [{ capacityWh: CAPACITY_WH, phases: 3, maxImportW: 11_040 }],
  },
};

/** The stations of the demo with cars that came at the start and stay. */
const FLEET: FleetFile = {
  stations: [
    { identity: 'DEMO-AC', count: 3, version: 'ocpp1.6', idTags: ['A1', 'A2', 'A3'], ...wallbox },
    { identity: 'DEMO-AC-4', version: 'ocpp2.0.1', idTags: ['A4'], ...wallbox },
    {
      identity: 'DEMO-V2G',
      count: 4,
      version: 'ocpp2.1',
      phases: 0,
      maxImportW: 11_000,
      maxExportW: 11_000,
      idTags: ['V1', 'V2', 'V3', 'V4'],
      ...prompt,
      arrivals: {
        ...stays,
        arrivalPct: [60, 60],
        targetPct: [50, 50],
        cars: [{ capacityWh: CAPACITY_WH, phases: 0, maxImportW: 11_000, maxExportW: 11_000 }],
      },
    },
  ],
};
