import { afterEach, describe, expect, it } from 'vitest';
import { realClock } from '../../core/clock.ts';
import { start, stopPrograms } from './program.ts';
import { World } from './world.ts';

let world: World | undefined;
afterEach(async () => {
  stopPrograms();
  await world?.close();
});

describe('the station program', () => {
  it('connects its fleet, takes control messages and ends cleanly on SIGTERM', async () => {
    world = new World(realClock());
    await world.listen();
    const program = start('stations', '--url', world.url, '--seed', '3', '--fault', 'DEMO-AC-4=disconnect');
    const booted = new Set<string>();
    await program.until((e) => e.event === 'boot' && booted.add(e.station).size === 7);
    program.stdin.write('nonsense\n');
    expect(await program.until((e) => e.event === 'controlFailed')).toMatchObject({ code: 'json.malformed' });
    program.stdin.write('{"station":"DEMO-AC-4","fault":"none"}\n');
    await program.until((e) => e.event === 'boot' && e.station === 'DEMO-AC-4');
    program.kill();
    expect(await program.ended).toBe(0);
  });

  it('plays many stations of all versions, and reports quietly', async () => {
    world = new World(realClock());
    await world.listen();
    const program = start('stations', '--url', world.url, '--count', '12', '--connect-within', '0.2', '--quiet');
    expect(await program.until(() => true)).toMatchObject({ event: 'allAccepted', stations: 12 });
    program.stdin.write('{"station":"*","mark":true}\n');
    const cleared = await world.peer('ocpp2.0.1', 'SIM201-1').call('ClearChargingProfile', { chargingProfileId: 1 });
    expect(cleared.status).toBe('Unknown');
    program.stdin.write('{"station":"*","report":true}\n');
    const report = await program.until(() => true);
    expect(report).toMatchObject({ event: 'commands', commands: 1, times: { 'SIM201-1': [expect.any(Number)] } });
    expect(Math.abs(Number(report.firstMs) - Date.now())).toBeLessThan(5000);
    program.kill();
    expect(await program.ended).toBe(0);
  });

  it('ends when its parent is gone', async () => {
    const program = start('stations', '--url', 'ws://127.0.0.1:9/ocpp');
    await program.until((e) => e.event === 'connectFailed');
    program.stdin.end();
    expect(await program.ended).toBe(0);
  });

  it('says what is wrong with its options', async () => {
    expect(await start('stations', '--speed', '0').ended).toBe(2);
  });
});
