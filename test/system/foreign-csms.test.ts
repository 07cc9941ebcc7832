import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Child } from './support/child.ts';
import { CSMS_WORDS, type CsmsWords, powerOf, type Told } from './support/csms-words.ts';
import { ForeignPeer, type ForeignProgram, type Payload } from './support/foreign.ts';
import { ROOT } from './support/gateway.ts';
import { pythonCsms, pythonWithPackages } from './support/python.ts';

const LIMIT_W = 5_000;
const MAX_W = 11_040;

/** Our station of one version, as the CSMS sees it. */
class World {
  readonly words: CsmsWords;
  readonly csms: ForeignPeer;
  transactionId: unknown;

  constructor(words: CsmsWords, csms: ForeignPeer) {
    this.words = words;
    this.csms = csms;
  }

  told([action, holds]: Told, from = 0): Promise<Payload> {
    return this.csms.received(action, from, holds);
  }

  /** Meter values whose power fits. */
  draws(holds: (powerW: number) => boolean): Promise<Payload> {
    const [action, isReading] = this.words.meters;
    return this.told([action, (p) => isReading(p) && holds(powerOf(p) ?? Number.NaN)], this.csms.mark);
  }
}

/** The station role, as a real process, under a CSMS of another make; the three versions side by side. */
describe('our stations of 1.6, 2.0.1 and 2.1 under a foreign CSMS', () => {
  const folder = mkdtempSync(join(tmpdir(), 'v2gate-fleet-'));
  let csms: ForeignProgram;
  let ours: Child;
  let worlds: readonly World[] = [];

  beforeAll(async () => {
    const made = await pythonCsms(pythonWithPackages());
    csms = made.csms;
    worlds = CSMS_WORDS.map((words) => new World(words, new ForeignPeer(csms, `OUR-${words.subprotocol}`)));
    const common = { phases: 3, maxImportW: MAX_W, idTags: ['TAG-1'], meterIntervalS: 1 };
    const stations = worlds.map((w) => ({ ...common, identity: w.csms.peer, version: w.words.subprotocol }));
    const fleet = join(folder, 'fleet.json');
    writeFileSync(fleet, JSON.stringify({ stations }));
    const payload = { status: 'Pending', currentTime: new Date().toISOString(), interval: 1 };
    await all(({ csms: peer }) => peer.tell('answer', { action: 'BootNotification', payload, times: 1 }));
    ours = new Child({
      name: 'our stations',
      command: process.execPath,
      args: [join(ROOT, 'simulators/stations/main.ts'), '--url', made.url, '--fleet', fleet],
      cwd: ROOT,
    });
  });
  afterAll(async () => {
    await Promise.all([ours?.stop(), csms?.stop()]);
    rmSync(folder, { recursive: true, force: true });
  });

  /** Does it for all versions at once; a failure names its version. */
  async function all(step: (world: World) => Promise<unknown>): Promise<void> {
    const named = worlds.map((w) =>
      step(w).catch((e: unknown) => {
        throw new Error(`${w.words.subprotocol}: ${e instanceof Error ? e.message : String(e)}`, { cause: e });
      }),
    );
    await Promise.all(named);
  }

  it('offer their version, repeat the boot while that is pending, then tell their state', () =>
    all(async ({ words, csms: peer }) => {
      expect((await peer.next('connected')).subprotocol).toBe(words.subprotocol);
      await peer.received('BootNotification');
      const first = await peer.next('received');
      expect([first.frame].flat()[2]).toBe('BootNotification');
      const again = peer.mark;
      await peer.received('BootNotification', again);
      await peer.received('StatusNotification', again);
    }));

  it('ask whether the driver may charge, start a transaction and meter it', () =>
    all(async (w) => {
      ours.say(JSON.stringify({ station: w.csms.peer, press: 'plug', evse: 1 }));
      await w.csms.received('Authorize');
      w.transactionId = w.words.transactionId(await w.told(w.words.starts));
      await w.draws((powerW) => powerW > LIMIT_W);
    }));

  it('obey a charging profile, and charge on when it is cleared', () =>
    all(async (w) => {
      const set = await w.csms.call('SetChargingProfile', w.words.profile(w.transactionId, LIMIT_W));
      expect(set.status).toBe('Accepted');
      await w.draws((powerW) => powerW > 0 && powerW <= LIMIT_W + 1);
      expect((await w.csms.call('ClearChargingProfile', w.words.clear)).status).toBe('Accepted');
      await w.draws((powerW) => powerW > LIMIT_W + 1);
    }));

  it('refuse the profile of a transaction that they do not have', () =>
    all(async ({ words, csms: peer }) => {
      const unknown = words.subprotocol === 'ocpp1.6' ? 4_711 : 'nobody';
      expect((await peer.call('SetChargingProfile', words.profile(unknown, LIMIT_W))).status).toBe('Rejected');
    }));

  it('send what they are triggered to send, and say what they cannot', () =>
    all(async (w) => {
      const from = w.csms.mark;
      expect((await w.csms.call('TriggerMessage', w.words.triggerReading)).status).toBe('Accepted');
      await w.told(w.words.triggered, from);
      await w.csms.tell('frame', { text: '[2,"nonsense-1","Nonsense",{}]' });
      const answer = await w.csms.next('received', ({ frame }) => [frame].flat()[1] === 'nonsense-1');
      expect([answer.frame].flat().slice(0, 3)).toEqual([4, 'nonsense-1', 'NotImplemented']);
    }));

  it('end their transaction when they are told to, once', () =>
    all(async (w) => {
      const [action, payload] = w.words.remoteStop;
      const from = w.csms.mark;
      expect((await w.csms.call(action, payload(w.transactionId))).status).toBe('Accepted');
      await w.told(w.words.ends, from);
      expect((await w.csms.call(action, payload(w.transactionId))).status).toBe('Rejected');
    }));

  it('repeat the start of a transaction whose answer got lost', () =>
    all(async ({ words, csms: peer }) => {
      const [action, isStart] = words.starts;
      await peer.tell('answer', { action, lose: true, times: 1 });
      const from = peer.mark;
      for (const press of ['unplug', 'plug']) ours.say(JSON.stringify({ station: peer.peer, press, evse: 1 }));
      const first = await peer.received(action, from, isStart);
      const lost = await peer.next('disconnected', () => true, 15_000, from);
      const again = await peer.next('received', (e) => e.at >= lost.at && [e.frame].flat()[2] === action, 15_000, from);
      expect([again.frame].flat()[3]).toEqual(first);
    }));

  it('come back after the connection broke, and boot again after a reset', () =>
    all(async ({ words, csms: peer }) => {
      const from = peer.mark;
      await peer.tell('drop');
      await peer.next('connected', () => true, 15_000, from);
      const before = peer.mark;
      expect((await peer.call('Reset', words.hardReset)).status).toBe('Accepted');
      await peer.next('disconnected', () => true, 15_000, before);
      await peer.received('BootNotification', before);
    }));
});
