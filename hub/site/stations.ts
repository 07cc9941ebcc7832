import { BoundedMap } from '../../core/bounded.ts';
import { type Clock, iso } from '../../core/clock.ts';
import type { PendingStation, SiteFile, StationRecord } from '../../model/index.ts';
import { defaultResourceId } from '../../model/index.ts';
import { HUB_ERRORS } from '../errors.ts';
import { type Resource, resourceOf } from '../fleet/resources.ts';
import type { Ledger } from './ledger.ts';

export type Admission = 'known' | 'pending' | 'refused';

/** What a station said about itself at boot. */
export interface StationReport {
  readonly protocol: PendingStation['protocol'];
  readonly vendor?: string;
  readonly model?: string;
  readonly serial?: string;
  readonly remote?: string;
  /** Highest EVSE or connector number seen so far. */
  readonly evses?: number;
}

/** What links ask about stations. Identities are compared as given. */
export interface StationAdmission {
  /** Verdict for an identity, by the site file and its rule for unknown stations. */
  verdict(identity: string): Admission;
  /** Notes an unknown station and what it reports; with the rule `accept` it becomes known at once. */
  report(identity: string, report: StationReport): Promise<Admission>;
  /** Forgets an unknown station that left. */
  left(identity: string): void;
  /** Makes a pending station known, stored. Throws `station.unknown` or `station.clash`. */
  accept(identity: string): Promise<StationRecord>;
  /** Stations that were accepted at run time and are not in the site file. */
  accepted(): readonly StationRecord[];
  /** Takes back an acceptance, stored: the station is unknown again. Throws `station.unknown`. */
  remove(identity: string): Promise<void>;
  /** Resources of a known station, by EVSE number. */
  resources(identity: string): readonly Resource[];
  /** Name of the secret with the password of the station, where it has one. */
  passwordRef(identity: string): string | undefined;
  /** Whether a token may charge here (idToken policy of the site file). */
  mayCharge(idToken: string): boolean;
}

/** What an unknown station says about itself is not believed beyond this. */
const MAX_EVSES = 64;
const MAX_STATIONS = 20_000;
/** An unknown AC station is taken for 11 kW on three phases until somebody writes it into the site file. */
const UNKNOWN_DEFAULTS = { evse: 1, current: 'ac', phases: 3, maxImportW: 11_040 } as const;

/** Known, accepted and pending stations of one site. */
export class StationDirectory implements StationAdmission {
  readonly #clock: Clock;
  readonly #ledger: Ledger;
  readonly #onChange: (kind: 'pending' | 'accepted' | 'removed', identity: string) => void;
  readonly #pending = new BoundedMap<string, PendingStation>({
    name: 'hub.pendingStations',
    max: 1000,
    overflow: 'refuse',
  });
  readonly #accepted = new BoundedMap<string, StationRecord>({
    name: 'hub.acceptedStations',
    max: 10_000,
    overflow: 'refuse',
  });
  /** What stations consist of, as it was asked for. */
  readonly #resources = new BoundedMap<string, readonly Resource[]>({
    name: 'hub.stationResources',
    max: MAX_STATIONS,
    overflow: 'dropOldest',
  });
  #file: SiteFile;
  #byIdentity: ReadonlyMap<string, StationRecord>;
  #tokens: ReadonlySet<string>;

  constructor(o: {
    file: SiteFile;
    clock: Clock;
    ledger: Ledger;
    onChange: (kind: 'pending' | 'accepted' | 'removed', identity: string) => void;
  }) {
    this.#clock = o.clock;
    this.#ledger = o.ledger;
    this.#onChange = o.onChange;
    this.#file = o.file;
    this.#byIdentity = new Map(); // bounded by: the site file, at most 10 000 stations
    this.#tokens = new Set(); // bounded by: the site file, at most 100 000 tokens
    this.configure(o.file);
  }

  configure(file: SiteFile): void {
    this.#file = file;
    this.#resources.clear();
    this.#byIdentity = new Map(file.stations.map((s) => [s.identity, s])); // bounded by: the site file
    this.#tokens = new Set(file.idTokens.list ?? []); // bounded by: the site file
    for (const s of file.stations) this.#pending.delete(s.identity);
  }

  /** Reads back stations that were accepted before a restart. */
  async restore(): Promise<void> {
    for await (const row of this.#ledger.all('station')) {
      const record = row.body as StationRecord;
      if (!this.#byIdentity.has(record.identity)) this.#accepted.set(record.identity, record);
    }
  }

  accepted(): readonly StationRecord[] {
    return [...this.#accepted.values()].filter((s) => !this.#byIdentity.has(s.identity));
  }

  pending(): readonly PendingStation[] {
    return [...this.#pending.values()];
  }

  verdict(identity: string): Admission {
    if (this.#record(identity)) return 'known';
    return this.#file.unknownStations === 'refuse' ? 'refused' : 'pending';
  }

  async report(identity: string, report: StationReport): Promise<Admission> {
    const verdict = this.verdict(identity);
    if (verdict !== 'pending') return verdict;
    const known = this.#pending.get(identity);
    const { evses = 1, ...facts } = report;
    const entry: PendingStation = {
      ...known,
      ...facts,
      identity,
      since: known?.since ?? iso(this.#clock.now()),
      evses: Math.min(Math.max(evses, known?.evses ?? 1), MAX_EVSES),
    };
    if (!this.#pending.set(identity, entry)) return 'refused';
    if (this.#file.unknownStations === 'accept') {
      await this.accept(identity);
      return 'known';
    }
    this.#onChange('pending', identity);
    return 'pending';
  }

  left(identity: string): void {
    if (this.#pending.delete(identity)) this.#onChange('pending', identity);
  }

  async accept(identity: string): Promise<StationRecord> {
    const pending = this.#pending.get(identity);
    if (!pending) throw HUB_ERRORS.fail('station.unknown', `No station ${identity} waits for acceptance.`);
    const defaults = this.#file.unknownStationDefaults ?? UNKNOWN_DEFAULTS;
    const record: StationRecord = {
      identity,
      ...(pending.vendor === undefined ? {} : { vendor: pending.vendor }),
      ...(pending.model === undefined ? {} : { model: pending.model }),
      evses: Array.from({ length: Math.max(pending.evses, 1) }, (_, i) => ({ ...defaults, evse: i + 1 })),
    };
    this.#refuseClash(record);
    await this.#ledger.write([{ op: 'put', kind: 'station', key: identity, at: this.#clock.now(), body: record }]);
    this.#accepted.set(identity, record);
    this.#resources.delete(identity);
    this.#pending.delete(identity);
    this.#onChange('accepted', identity);
    return record;
  }

  async remove(identity: string): Promise<void> {
    if (!this.accepted().some((s) => s.identity === identity))
      throw HUB_ERRORS.fail('station.unknown', `${identity} was not accepted here; the site file names its stations.`);
    await this.#ledger.write([{ op: 'delete', kind: 'station', key: identity }]);
    this.#accepted.delete(identity);
    this.#resources.delete(identity);
    this.#onChange('removed', identity);
  }

  resources(identity: string): readonly Resource[] {
    const known = this.#resources.get(identity);
    if (known !== undefined) return known;
    const record = this.#record(identity);
    if (record === undefined) return [];
    const resources = record.evses.map((e) => resourceOf(record, e, this.#file));
    this.#resources.set(identity, resources);
    return resources;
  }

  passwordRef(identity: string): string | undefined {
    return this.#record(identity)?.passwordRef;
  }

  mayCharge(idToken: string): boolean {
    return this.#file.idTokens.policy === 'any' || this.#tokens.has(idToken);
  }

  #record(identity: string): StationRecord | undefined {
    return this.#byIdentity.get(identity) ?? this.#accepted.get(identity);
  }

  #refuseClash(record: StationRecord): void {
    const taken = new Map(
      [...this.#file.stations, ...this.accepted()].flatMap((s) =>
        s.evses.map((e) => [e.resourceId ?? defaultResourceId(s.identity, e.evse), s.identity] as const),
      ),
    );
    for (const evse of record.evses) {
      const resourceId = evse.resourceId ?? defaultResourceId(record.identity, evse.evse);
      const owner = taken.get(resourceId);
      if (owner !== undefined) {
        throw HUB_ERRORS.fail(
          'station.clash',
          `${record.identity} would get the id ${resourceId}, which belongs to ${owner}.`,
        );
      }
    }
  }
}
