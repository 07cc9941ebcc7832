import { BoundedMap } from '../../core/bounded.ts';
import type { Clock } from '../../core/clock.ts';
import type { Log } from '../../core/log.ts';
import { round3 } from '../../core/quantities.ts';
import type { FleetSnapshot, MeterReading, SiteFile } from '../../model/index.ts';
import type { PresentPower } from '../dispatch/index.ts';
import type { EventNote } from '../evidence/types.ts';
import { nettingOfPoc } from '../fleet/resources.ts';
import type { FleetTwin, TwinEntry } from '../fleet/twin.ts';
import {
  blindBasis,
  type Flows,
  laterRoomOf,
  type Netting,
  type NodeLimits,
  pocBasis,
  roomOf,
  type Worst,
} from './balance.ts';
import { Gauge } from './gauge.ts';
import { meterOf } from './known.ts';
import { Others, type Place } from './others.ts';
import { mostOf } from './plausible.ts';
import { betweenSamples, spanAt } from './spans.ts';
import { MeterTeller } from './teller.ts';
import type { MeterState, MeterValue, PocBasis } from './types.ts';

const POC = 'poc';
const MAX_METERS = 10_000;
/** Problems that one sentence tells of. */
const MAX_TOLD = 3;
/** A reading that takes less than this away waits for the next round, W. */
const TRIFLE_W = 1;

export interface MeterBookOptions {
  readonly clock: Clock;
  readonly log: Log;
  readonly file: () => SiteFile;
  readonly twin: FleetTwin;
  /** The limits of now of a node with these limits of its own. */
  readonly effective: (nodeId: string, own: NodeLimits) => NodeLimits;
  /** What the dispatcher knows of a resource. */
  readonly present: (resourceId: string) => PresentPower;
  /** It refused, does not follow, or does not answer. */
  readonly isUncertain: (resourceId: string) => boolean;
  readonly note: (event: EventNote) => void;
}

/** What a reading did to the room of the EVs. */
export type Effect = 'less' | 'more' | 'none';

interface Kept {
  readonly gauge: Gauge;
  /** Of meters at the POC and at circuits. */
  readonly others: Others | undefined;
  /** The most that others were seen to take and to give at a circuit, W ≥ 0: counts while its meter is lost. */
  mostUpW: number;
  mostDownW: number;
}

/**
 * The meters of a site (fo 3.2 `meters`): what flows beside the EVs at the connection and at circuits, and what to count
 * with while a meter is lost (fo 6.4, fo 8.2). Storage and generation are seen and never controlled.
 */
export class MeterBook {
  readonly #o: MeterBookOptions;
  readonly #kept = new BoundedMap<string, Kept>({ name: 'hub.meters', max: MAX_METERS, overflow: 'refuse' });
  readonly #teller: MeterTeller;
  #byPlace: ReadonlyMap<string, Kept> = new Map(); // bounded by: #kept
  #children: ReadonlyMap<string, readonly string[]> = new Map(); // bounded by: the circuits of the site file
  #parents: ReadonlyMap<string, string> = new Map(); // bounded by: the circuits of the site file

  constructor(o: MeterBookOptions) {
    this.#o = o;
    this.#teller = new MeterTeller(o);
    this.configure();
  }

  /** Takes over the meters and circuits of the site file; what is known of meters that stay as they are is kept. */
  configure(): void {
    const file = this.#o.file();
    const now = this.#o.clock.now();
    const meters = file.meters ?? [];
    const wanted = new Set(meters.map((m) => m.meterId)); // bounded by: the site file
    for (const id of [...this.#kept.keys()]) if (!wanted.has(id)) this.#kept.delete(id);
    const byPlace = new Map<string, Kept>(); // bounded by: #kept
    for (const meter of meters) {
      const known = this.#kept.get(meter.meterId);
      const mostW = mostOf(meter, file);
      const same = known && known.gauge.mostW === mostW && JSON.stringify(known.gauge.meter) === JSON.stringify(meter);
      const placed = meter.at === 'poc' || meter.at === 'circuit';
      const kept: Kept = same
        ? known
        : {
            gauge: new Gauge({ meter, mostW, now }),
            others: placed ? new Others() : undefined,
            mostUpW: 0,
            mostDownW: 0,
          };
      this.#kept.set(meter.meterId, kept);
      if (placed) byPlace.set(meter.at === 'poc' ? POC : (meter.subjectRef ?? ''), kept);
    }
    this.#byPlace = byPlace;
    this.#parents = new Map((file.circuits ?? []).map((c) => [c.circuitId, c.parentId ?? POC])); // bounded by: the site file
    const children = new Map<string, string[]>(); // bounded by: the circuits of the site file
    for (const [id, parent] of this.#parents) children.set(parent, [...(children.get(parent) ?? []), id]);
    this.#children = children;
  }

  /** Takes a reading of a meter of the site file. Throws `meter.unknown`. */
  take(body: MeterReading): Effect {
    const { clock } = this.#o;
    const meter = meterOf(this.#o.file(), body);
    const kept = this.#kept.get(meter.meterId);
    if (!kept) return 'none';
    const now = clock.now();
    const before = this.#rooms();
    const nodeId = placeOf(kept);
    const value = kept.gauge.take(body, now);
    if (value && nodeId !== undefined && kept.others) this.#read(kept, kept.others, nodeId, value);
    this.#teller.look(kept.gauge);
    return compare(before, this.#rooms());
  }

  /** A resource has a new power value: it may tell more about the moment of the last readings above it. */
  measured(entry: TwinEntry): Effect {
    if (this.#byPlace.size === 0) return 'none';
    const now = this.#o.clock.now();
    let less = false;
    for (let at: string | undefined = entry.resource.circuitId ?? POC; at !== undefined; at = this.#parents.get(at)) {
      const others = this.#byPlace.get(at)?.others;
      const span = others?.readAt === undefined ? undefined : betweenSamples(entry, others.readAt);
      if (others && span && others.narrow(entry.resource.resourceId, span, this.#place(at), now)) less = true;
    }
    return less ? 'less' : 'none';
  }

  /** Looks for meters that fell silent. True when that moves limits. */
  tick(): boolean {
    let moved = false;
    for (const { gauge } of this.#kept.values())
      if (this.#teller.look(gauge) && gauge.meter.at !== 'evse') moved = true;
    return moved;
  }

  /** The connection point as it has to be counted with now. */
  poc(): PocBasis {
    const file = this.#o.file();
    const limits = this.#o.effective(POC, file.poc);
    if (!this.seesPoc()) return blindBasis(limits, file.baseLoadW ?? 0, file.staticShareW);
    const netting = nettingOfPoc(file.poc);
    return pocBasis(limits, netting, this.#flows(POC), () => this.#worst(POC, netting));
  }

  /** A circuit with what others use of it taken off; magnitudes ≥ 0. */
  circuit(circuitId: string, own: NodeLimits, netting: Netting): NodeLimits & Pick<PocBasis, 'later'> {
    const limits = this.#o.effective(circuitId, own);
    if (this.#byPlace.size === 0) return limits;
    const flows = this.#flows(circuitId);
    const room = roomOf(limits, netting, flows, () => this.#worst(circuitId, netting));
    const limited = ({ importW, exportW }: Worst): NodeLimits => ({
      importLimitW: Math.max(0, importW),
      exportLimitW: Math.max(0, exportW),
    });
    return { ...limited(room), later: limited(laterRoomOf(limits, netting, flows)) };
  }

  /** What all EVs together may draw when nobody watches, W ≥ 0 (fo 6.4). */
  staticBasis(): PocBasis {
    const file = this.#o.file();
    const limits = this.#o.effective(POC, file.poc);
    return blindBasis(limits, file.baseLoadW ?? 0, file.staticShareW);
  }

  /** False while the site has a POC meter and nobody knows what it would say: then nothing is exported (fo 6.4). */
  seesPoc(): boolean {
    const poc = this.#byPlace.get(POC);
    return poc === undefined || isUsable(poc.gauge.state(this.#o.clock.now()));
  }

  /** Measured power at the POC or at a circuit, W; undefined when no meter tells it. */
  powerAt(nodeId: string): number | undefined {
    const gauge = this.#byPlace.get(nodeId)?.gauge;
    return gauge?.value && isUsable(gauge.state(this.#o.clock.now())) ? gauge.value.powerW : undefined;
  }

  /** True when the place has a meter, whatever it says. */
  hasMeter(nodeId: string): boolean {
    return this.#byPlace.has(nodeId);
  }

  /** What is wrong with meters, for people; undefined when nothing is. */
  problem(): string | undefined {
    const now = this.#o.clock.now();
    const bad = [...this.#kept.values()].map((k) => this.#teller.problem(k.gauge, now)).filter((t) => t !== undefined);
    return bad.length === 0 ? undefined : bad.slice(0, MAX_TOLD).join(' · ');
  }

  /** What people see of the meters. */
  view(): Pick<FleetSnapshot, 'meters' | 'others'> {
    const now = this.#o.clock.now();
    const meters = Array.from(this.#kept.values(), ({ gauge }) => this.#teller.view(gauge, now));
    const { usedW, generationW } = this.poc();
    const source = !this.#byPlace.has(POC) ? 'declared' : this.seesPoc() ? 'measured' : 'unknown';
    return { meters, others: { usedW: round3(usedW), generationW: round3(generationW), source } };
  }

  #read(kept: Kept, others: Others, nodeId: string, value: MeterValue): void {
    const now = this.#o.clock.now();
    const place = this.#place(nodeId);
    others.read(value, this.#spans(nodeId, value.at), place, now);
    if (others.hangs(place, now)) kept.gauge.fault = 'frozen';
    kept.mostUpW = Math.max(kept.mostUpW, others.upW);
    kept.mostDownW = Math.max(kept.mostDownW, -others.downW);
  }

  *#spans(nodeId: string, at: number): Iterable<readonly [string, ReturnType<typeof spanAt>]> {
    const { twin, present, isUncertain } = this.#o;
    for (const entry of twin.all()) {
      const { resourceId } = entry.resource;
      if (!this.#isBelow(entry, nodeId)) continue;
      const facts = {
        entry,
        idle: twin.isIdle(entry),
        quality: twin.quality(entry),
        present: present(resourceId),
        uncertain: isUncertain(resourceId),
      };
      yield [resourceId, spanAt(facts, at)];
    }
  }

  #isBelow({ resource }: TwinEntry, nodeId: string): boolean {
    if (nodeId === POC) return true;
    let at = resource.circuitId;
    while (at !== undefined && at !== nodeId) at = this.#parents.get(at);
    return at === nodeId;
  }

  /** What EVs below a node may be doing in the worst case. */
  #worst(nodeId: string, netting: Netting): Worst {
    const least = netting === 'none' ? 0 : Number.NEGATIVE_INFINITY;
    let [importW, exportW] = [0, 0];
    for (const entry of this.#o.twin.all()) {
      if (!this.#isBelow(entry, nodeId)) continue;
      const { minW, maxW } = this.#o.present(entry.resource.resourceId);
      importW += Math.max(least, maxW);
      exportW += Math.max(least, -minW);
    }
    return { importW, exportW };
  }

  #place(nodeId: string): Place & { readonly netting: Netting } {
    const file = this.#o.file();
    if (nodeId === POC) return { ...this.#o.effective(POC, file.poc), netting: nettingOfPoc(file.poc) };
    const c = file.circuits?.find((x) => x.circuitId === nodeId);
    const own = c ?? { importLimitW: 0, exportLimitW: 0 };
    return { ...this.#o.effective(nodeId, own), netting: c?.netting ?? 'none' };
  }

  /** What flows beside the EVs at a node: by its own meter, else what the meters below it tell. */
  #flows(nodeId: string): Flows {
    const kept = this.#byPlace.get(nodeId);
    const sourcesW = nodeId === POC ? this.#sources().givenW : 0;
    if (kept?.others && isUsable(kept.gauge.state(this.#o.clock.now()))) {
      const { upW, downW, riseW, fallW, netW } = kept.others;
      return { upW, downW, riseW, fallW, netW, sourcesW };
    }
    const below = this.#below(nodeId);
    const upW = Math.max(below.upW, kept?.mostUpW ?? 0);
    const downW = Math.min(below.downW, -(kept?.mostDownW ?? 0));
    if (nodeId === POC) return this.#declared(below, sourcesW);
    const [riseW, fallW] = [Math.max(below.riseW, upW), Math.min(below.fallW, downW)];
    return { upW, downW, riseW, fallW, netW: below.netW, sourcesW };
  }

  #below(nodeId: string): Flows {
    const sum = { upW: 0, downW: 0, riseW: 0, fallW: 0, netW: 0, sourcesW: 0 };
    for (const child of this.#children.get(nodeId) ?? []) {
      const f = this.#flows(child);
      sum.upW += Math.max(0, f.upW);
      sum.riseW += Math.max(0, f.riseW);
      sum.downW += Math.min(0, f.downW);
      sum.fallW += Math.min(0, f.fallW);
      sum.netW += f.netW;
    }
    return sum;
  }

  /** Without a POC meter: the base load of the site file or what circuits tell, and meters of storage and generation. */
  #declared(below: Flows, sourcesW: number): Flows {
    const baseW = Math.max(this.#o.file().baseLoadW ?? 0, below.upW);
    const s = this.#sources();
    const [upW, downW] = [baseW + s.upW, baseW + s.downW];
    return { upW, downW, riseW: upW, fallW: downW, netW: baseW + s.netW, sourcesW };
  }

  /** Storage and generation by their own meters; one that is lost counts with what it could do. */
  #sources(): { upW: number; downW: number; netW: number; givenW: number } {
    const now = this.#o.clock.now();
    const sum = { upW: 0, downW: 0, netW: 0, givenW: 0 };
    for (const { gauge } of this.#kept.values()) {
      const { at, subjectRef } = gauge.meter;
      if (at !== 'ess' && at !== 'gen') continue;
      const powerW = isUsable(gauge.state(now)) ? gauge.value?.powerW : undefined;
      const ess = this.#o.file().ess?.find((e) => e.essId === subjectRef);
      const peakW = this.#o.file().generation?.find((g) => g.genId === subjectRef)?.peakW ?? 0;
      sum.upW += powerW ?? ess?.maxChargeW ?? 0;
      sum.downW += powerW ?? -(ess?.maxDischargeW ?? peakW);
      sum.netW += powerW ?? 0;
      sum.givenW += Math.max(0, -(powerW ?? 0));
    }
    return sum;
  }

  /** Room of every metered place, to see whether a reading took some away. */
  #rooms(): Worst[] {
    const p = this.poc();
    const others = p.usedW - p.generationW;
    const rooms = [{ importW: p.importLimitW - others, exportW: p.exportLimitW + others }];
    for (const nodeId of this.#byPlace.keys()) {
      if (nodeId === POC) continue;
      const place = this.#place(nodeId);
      rooms.push(roomOf(place, place.netting, this.#flows(nodeId), () => this.#worst(nodeId, place.netting)));
    }
    return rooms;
  }
}

const isUsable = (state: MeterState): boolean => state === 'good' || state === 'substituted';

const placeOf = ({ gauge }: Kept): string | undefined =>
  gauge.meter.at === 'poc' ? POC : gauge.meter.at === 'circuit' ? gauge.meter.subjectRef : undefined;

function compare(before: readonly Worst[], after: readonly Worst[]): Effect {
  let effect: Effect = 'none';
  for (const [i, now] of after.entries()) {
    const was = before[i] ?? now;
    if (now.importW < was.importW - TRIFLE_W || now.exportW < was.exportW - TRIFLE_W) return 'less';
    if (now.importW > was.importW + TRIFLE_W || now.exportW > was.exportW + TRIFLE_W) effect = 'more';
  }
  return effect;
}
