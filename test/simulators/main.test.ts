import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { afterEach, describe, expect, it } from 'vitest';
import { realClock } from '../../core/clock.ts';
import type { StationEvent } from '../../simulators/stations/index.ts';
import { World } from './world.ts';

let world: World | undefined;
let child: ChildProcess | undefined;
afterEach(async () => {
  child?.kill('SIGKILL');
  await world?.close();
});

/** Starts the program; `until` waits for an event, `ended` gives the exit code. */
function start(...args: string[]) {
  const running = spawn(process.execPath, ['simulators/stations/main.ts', ...args], {
    stdio: ['pipe', 'pipe', 'pipe'],
  });
  child = running;
  const lines = createInterface({ input: running.stdout })[Symbol.asyncIterator]();
  return {
    stdin: running.stdin,
    kill: () => running.kill('SIGTERM'),
    ended: once(running, 'exit').then(([code]) => code as unknown),
    async until(condition: (e: StationEvent) => boolean): Promise<StationEvent> {
      for (;;) {
        const { value, done } = await lines.next();
        if (done) throw new Error('the program ended');
        const event = JSON.parse(value) as StationEvent;
        if (condition(event)) return event;
      }
    },
  };
}

describe('the station program', () => {
  it('connects its fleet, takes control messages and ends cleanly on SIGTERM', async () => {
    world = new World(realClock());
    await world.listen();
    const program = start('--url', world.url, '--seed', '3', '--fault', 'DEMO-AC-4=disconnect');
    const booted = new Set<string>();
    await program.until((e) => e.event === 'boot' && booted.add(e.station).size === 7);
    program.stdin.write('nonsense\n');
    expect(await program.until((e) => e.event === 'controlFailed')).toMatchObject({ code: 'json.malformed' });
    program.stdin.write('{"station":"DEMO-AC-4","fault":"none"}\n');
    await program.until((e) => e.event === 'boot' && e.station === 'DEMO-AC-4');
    program.kill();
    expect(await program.ended).toBe(0);
  });

  it('ends when its parent is gone', async () => {
    const program = start('--url', 'ws://127.0.0.1:9/ocpp');
    await program.until((e) => e.event === 'connectFailed');
    program.stdin.end();
    expect(await program.ended).toBe(0);
  });

  it('says what is wrong with its options', async () => {
    expect(await start('--speed', '0').ended).toBe(2);
  });
});
