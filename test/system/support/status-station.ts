import type { Child } from './child.ts';
import { fieldOf } from './csms-words.ts';
import type { ForeignPeer, ForeignProgram, Payload } from './foreign.ts';
import { type Call, Talk } from './status-talk.ts';
import type { StatusWords } from './status-words.ts';

export const TAG = 'TAG-1';

/** Our station of one version under a foreign CSMS. */
export class StationWorld {
  readonly words: StatusWords;
  readonly csms: ForeignPeer;
  readonly talk: Talk;
  readonly #ours: Child;

  constructor(words: StatusWords, csms: ForeignProgram, peer: ForeignPeer, ours: Child) {
    this.words = words;
    this.csms = peer;
    this.#ours = ours;
    this.talk = new Talk(csms, peer.peer, 'csms');
  }

  get mark(): number {
    return this.talk.mark;
  }

  /** What a person does at the station. */
  press(what: 'plug' | 'unplug' | 'stop'): void {
    this.#ours.say(JSON.stringify({ station: this.csms.peer, press: what, evse: 1 }));
  }

  /** It loses its connection and stays away, or may come back. */
  away(isAway: boolean): void {
    this.#ours.say(JSON.stringify({ station: this.csms.peer, fault: isAway ? 'disconnect' : 'none' }));
  }

  /** The car comes, and its driver shows the card by himself. */
  async charge(): Promise<{ readonly start: Call; readonly transactionId: unknown }> {
    const from = this.mark;
    this.press('plug');
    return this.started(from);
  }

  async started(from: number): Promise<{ readonly start: Call; readonly transactionId: unknown }> {
    const [action, holds] = this.words.starts;
    const start = await this.talk.call('station', action, { from, holds });
    const answer = await this.talk.answer(start);
    const { transactionInfo } = start.payload;
    return {
      start,
      transactionId: this.words.old ? answer.transactionId : fieldOf(transactionInfo, 'transactionId'),
    };
  }

  /** The end of the transaction. */
  ended(from: number): Promise<Call> {
    const [action, holds] = this.words.ends;
    return this.talk.call('station', action, { from, holds });
  }

  /** The next state that it tells of its first connector. */
  state(state: string, from: number): Promise<Call> {
    return this.talk.call('station', 'StatusNotification', { from, holds: this.words.shows(state) });
  }

  /** Waits until energy flows: by a state in 1.6, by an event in 2.x. */
  async charging(from: number): Promise<void> {
    if (this.words.old) await this.state('Charging', from);
    else {
      const holds = ({ transactionInfo }: Payload) => fieldOf(transactionInfo, 'chargingState') === 'Charging';
      await this.talk.call('station', 'TransactionEvent', { from, holds });
    }
  }

  /** In or out of service: the first EVSE, or the station as a whole. */
  async availability(operative: boolean, where: 'evse' | 'station' = 'evse'): Promise<unknown> {
    const to = operative ? 'Operative' : 'Inoperative';
    const evse = where === 'evse' ? { evse: { id: 1 } } : {};
    const payload = this.words.old
      ? { connectorId: where === 'evse' ? 1 : 0, type: to }
      : { operationalStatus: to, ...evse };
    return (await this.csms.call('ChangeAvailability', payload)).status;
  }

  remoteStart(evse: number, remoteStartId: number): Promise<Payload> {
    const payload = this.words.old
      ? { connectorId: evse, idTag: TAG }
      : { evseId: evse, remoteStartId, idToken: { idToken: TAG, type: 'Central' } };
    return this.csms.call(this.words.remoteStart, payload);
  }

  /** Value and access of a setting; undefined where the station does not know it. */
  async setting(key: string): Promise<Payload | undefined> {
    if (this.words.old) {
      const { configurationKey } = await this.csms.call('GetConfiguration', { key: [key] });
      const [row] = [configurationKey ?? []].flat();
      return row === undefined ? undefined : { ...Object(row) };
    }
    const { getVariableResult } = await this.csms.call('GetVariables', { getVariableData: [placeOf(key)] });
    const [row] = [getVariableResult].flat();
    if (fieldOf(row, 'attributeStatus') !== 'Accepted') return undefined;
    return { value: fieldOf(row, 'attributeValue') };
  }

  /** What setting it is answered with. */
  async set(key: string, value: string): Promise<unknown> {
    if (this.words.old) return (await this.csms.call('ChangeConfiguration', { key, value })).status;
    const setVariableData = [{ ...placeOf(key), attributeValue: value }];
    const { setVariableResult } = await this.csms.call('SetVariables', { setVariableData });
    return fieldOf([setVariableResult].flat()[0], 'attributeStatus');
  }

  /** Waits until it has booted once more and tells its state. */
  async booted(from: number): Promise<Call> {
    const boot = await this.talk.call('station', 'BootNotification', { from });
    await this.talk.answer(boot);
    const holds = (p: Payload): boolean => (p.connectorId ?? p.evseId) === 1;
    await this.talk.call('station', 'StatusNotification', { from: this.talk.after(boot), holds });
    return boot;
  }

  /** Ends what runs and takes the car away. */
  async settle(): Promise<void> {
    const told = this.talk.calls('station', 'StatusNotification').map((c) => c.payload);
    const last = told.findLast((p) => (p.connectorId ?? p.evseId) === 1);
    // A row that failed may have left it out of service.
    if (last !== undefined && this.words.shows('Unavailable')(last)) await this.availability(true);
    const from = this.mark;
    this.press('unplug');
    // The order of messages is that of the presses: what this brings is what was before.
    await this.csms.call('TriggerMessage', {
      requestedMessage: 'StatusNotification',
      ...(this.words.old ? { connectorId: 1 } : { evse: { id: 1, connectorId: 1 } }),
    });
    await this.state('Available', from);
  }
}

/** The place of `Component.Variable` in the device model. */
function placeOf(key: string): Payload {
  const [component, variable] = key.split('.');
  return { component: { name: component }, variable: { name: variable } };
}
