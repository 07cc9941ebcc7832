import { callApi } from './api.ts';
import { eventually } from './child.ts';
import { fieldOf } from './csms-words.ts';
import type { ForeignStation, Payload } from './foreign.ts';
import type { GatewayProcess } from './gateway.ts';
import { type Call, Talk } from './status-talk.ts';
import type { StatusWords } from './status-words.ts';

export const TOKEN = 'FOREIGN-1';
const WAIT_MS = 20_000;

/** What became of an order at the API. */
export interface Outcome {
  readonly state?: unknown;
  readonly code?: unknown;
  readonly reason?: unknown;
  readonly settings?: unknown;
}

/** Our gateway and a foreign station of one version. */
export class GatewayWorld {
  readonly words: StatusWords;
  readonly gateway: GatewayProcess;
  readonly station: ForeignStation;
  readonly talk: Talk;
  readonly identity: string;
  readonly siteId: string;
  /** Where stations connect to, without the identity. */
  readonly stationUrl: string;

  constructor(o: Pick<GatewayWorld, 'words' | 'gateway' | 'station' | 'identity' | 'siteId' | 'stationUrl'>) {
    this.words = o.words;
    this.gateway = o.gateway;
    this.station = o.station;
    this.identity = o.identity;
    this.siteId = o.siteId;
    this.stationUrl = o.stationUrl;
    this.talk = new Talk(o.station, o.identity, 'station');
  }

  get resourceId(): string {
    return `${this.identity}.1`;
  }

  get mark(): number {
    return this.talk.mark;
  }

  /** An order about the first EVSE, unless it names another one or the station. */
  order(body: Payload, resourceId: string = this.resourceId): Promise<Outcome> {
    return this.whole({ ...body, resourceId });
  }

  /** An order to the station as a whole. */
  async whole(body: Payload): Promise<Outcome> {
    const url = `${this.gateway.url}/v2gate/api/stations/${this.identity}/orders`;
    const { status, body: answer } = await callApi(url, { body });
    if (status !== 200) throw new Error(`The order was answered with ${status}: ${JSON.stringify(answer)}`);
    return { ...Object(fieldOf(answer, 'outcome')) };
  }

  /** The row of the first EVSE in the site. */
  async row(): Promise<Payload> {
    const path = `/v2gate/api/sites/${this.siteId}/resources/${this.resourceId}`;
    const answer = await this.gateway.get(path);
    return { ...Object(fieldOf(answer, 'entry')) };
  }

  /** Waits until the row looks like this. */
  async shows(what: string, holds: (row: Payload) => boolean): Promise<Payload> {
    let last: Payload = {};
    const probe = async (): Promise<Payload | undefined> => {
      last = await this.row();
      return holds(last) ? last : undefined;
    };
    return eventually(`the site shows ${what}`, probe, WAIT_MS).catch((e: unknown) => {
      throw new Error(`${String(e)}\n${JSON.stringify(last)}`);
    });
  }

  /** Plug and card, until the site shows the session. */
  async charge(): Promise<{ readonly start: Call; readonly transactionId: unknown }> {
    const from = this.mark;
    await this.station.tell('plug');
    await this.station.tell('present', {}, WAIT_MS);
    return this.started(from);
  }

  async started(from: number): Promise<{ readonly start: Call; readonly transactionId: unknown }> {
    const [action, holds] = this.words.starts;
    const start = await this.talk.call('station', action, { from, holds });
    const answer = await this.talk.answer(start);
    const transactionId = this.words.old
      ? answer.transactionId
      : fieldOf(start.payload.transactionInfo, 'transactionId');
    await this.shows(`session ${String(transactionId)}`, (row) => row.sessionId === String(transactionId));
    return { start, transactionId };
  }

  /** The end of the transaction, once it was answered. */
  async ended(from: number): Promise<Call> {
    const [action, holds] = this.words.ends;
    const end = await this.talk.call('station', action, { from, holds });
    await this.talk.answer(end);
    return end;
  }

  /** Waits until the station has booted once more and the gateway takes orders for it. */
  async booted(from: number): Promise<Call> {
    const boot = await this.talk.call('station', 'BootNotification', { from });
    await this.talk.answer(boot);
    const told = await this.talk.call('station', 'StatusNotification', { from: this.talk.after(boot) });
    await this.talk.answer(told);
    await this.shows('the station online', (row) => row.online === true);
    return boot;
  }

  /** The next state that the station tells of its first connector, once it was answered. */
  async state(state: string, from: number): Promise<void> {
    const told = await this.talk.call('station', 'StatusNotification', { from, holds: this.words.shows(state) });
    await this.talk.answer(told);
  }

  async settle(): Promise<void> {
    await this.station.tell('unplug', {}, WAIT_MS);
    const row = await this.shows('no session', (r) => r.sessionId === undefined);
    // A row that failed may have left it out of service.
    if (row.state === 'faulted') await this.order({ action: 'availability', operative: true });
  }
}
