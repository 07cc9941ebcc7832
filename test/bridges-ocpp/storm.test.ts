import { afterEach, describe, expect, it } from 'vitest';
import { effectiveRange } from '../../bridges/ocpp/effective.ts';
import { iso } from '../../core/clock.ts';
import { createPrng } from '../../simulators/core/index.ts';
import { accept, BridgeWorld, callError, type Script, say } from './world.ts';

type Json = Record<string, unknown>;

let world: BridgeWorld;
afterEach(() => world.close());

/** Ends of a command: nothing more needs to be said about it. */
const ENDS = ['effective', 'notEffective', 'refused', 'superseded', 'expired', 'unknown'];
const ROUNDS = 60;

/**
 * A station that answers as it likes – yes, no, not now, never –, whose meter shows anything, while commands and limits
 * come as they like too.
 */
async function storm(version: 'ocpp1.6' | 'ocpp2.0.1' | 'ocpp2.1', seed: number) {
  const prng = createPrng(seed);
  const random = (): number => prng.next();
  const one = <T>(...of: readonly T[]): T => of[Math.floor(random() * of.length)] as T;
  const id = version === 'ocpp2.1' ? 'V2G-1.1' : 'AC-1.1';
  const { current, phases } =
    version === 'ocpp2.1' ? { current: 'dc' as const, phases: 1 } : { current: 'ac' as const, phases: 3 };
  const wide: string[] = [];
  const answers: Script = (action, p) => {
    // The profile below all commands counts only where none is in force; the limit of the link then holds it.
    const below = JSON.stringify(p).includes('"stackLevel":0');
    const range = below ? undefined : effectiveRange(action, p, { current, phases, voltageV: 230 });
    const row = world.row(id);
    if (range !== undefined && range.maxW > (row?.importLimitW ?? 0) + 1)
      wide.push(`${JSON.stringify(p)} ${row?.importLimitW}`);
    if (range !== undefined && range.minW < -(row?.exportLimitW ?? 0) - 1)
      wide.push(`${JSON.stringify(p)} ${row?.exportLimitW}`);
    switch (one('yes', 'yes', 'yes', 'no', 'never', 'error', 'gone', 'foreign')) {
      case 'no':
        return { status: 'Rejected' };
      case 'never':
        return new Promise(() => undefined);
      case 'error':
        throw callError(one('InternalError', 'NotSupported', 'GenericError'));
      case 'gone':
        return version === 'ocpp1.6'
          ? { status: 'Rejected' }
          : { status: 'Rejected', statusInfo: { reasonCode: 'TxNotFound' } };
      case 'foreign':
        return version === 'ocpp1.6'
          ? { status: 'NotSupported' }
          : { status: 'Rejected', statusInfo: { reasonCode: 'DuplicateProfile' } };
      default:
        return accept(action, p);
    }
  };
  const s = version === 'ocpp2.1' ? await world.v2g() : version === 'ocpp1.6' ? await world.ac() : await world.ac201();
  const transactionId = Number(Reflect.get(s, 'transactionId'));
  s.script = answers;
  const ids: string[] = [];
  for (let i = 1; i <= ROUNDS; i++) {
    const powerW = Math.round((random() - (version === 'ocpp2.1' ? 0.5 : 0.1)) * 20_000);
    const what = one('setpoint', 'setpoint', 'limit', 'limitSite', 'lift', 'none');
    const validS = one(1, 5, 30, 120);
    if (what === 'setpoint') ids.push(world.command(id, { powerW, level: one(4, 6) }, validS));
    if (what === 'limit') ids.push(world.command(id, { importLimitW: Math.abs(powerW), level: one(4, 7) }, validS));
    if (what === 'limitSite') await world.limit(id, Math.abs(powerW));
    if (what === 'lift') await world.lift(id);
    await world.run(one(100, 1000, 3000), 1000);
    const at = iso(world.clock.now());
    const metered = one(0, powerW, 11_000);
    const body: Json =
      version === 'ocpp1.6'
        ? say.meter16(Math.max(0, metered), at, { transactionId })
        : say.event21('Updated', i, at, say.power21(metered, at));
    await s.call(version === 'ocpp1.6' ? 'MeterValues' : 'TransactionEvent', body);
    // What the value has set off is out before the next limit comes.
    await world.settle();
  }
  const calls = s.calls.length;
  await world.run(150_000, 5000);
  return { ids, wide, calls };
}

describe('a storm of commands, limits and answers', () => {
  // Seeds that have found something once.
  it.each([
    ['ocpp1.6', 100],
    ['ocpp1.6', 124],
    ['ocpp2.0.1', 113],
    ['ocpp2.0.1', 128],
    ['ocpp2.1', 117],
    ['ocpp2.1', 186],
  ] as const)('of %s (%i) never widens, ends every command, and stays bounded', async (version, seed) => {
    world = await BridgeWorld.open();
    const { ids, wide, calls } = await storm(version, seed);
    expect(wide).toEqual([]);
    for (const id of ids) expect(ENDS, world.states(id).join(' ')).toContain(world.states(id).at(-1));
    expect(calls).toBeLessThan(10 * ROUNDS);
    expect(world.log.filter((l) => l.level === 'error')).toEqual([]);
  });
});
