import { type ChildProcessByStdio, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import type { Readable, Writable } from 'node:stream';
import type { StationEvent } from '../../simulators/stations/index.ts';

const children: ChildProcessByStdio<Writable, Readable, Readable>[] = [];

/** Ends what {@link start} began. */
export function stopPrograms(): void {
  for (const child of children.splice(0)) child.kill('SIGKILL');
}

/** Starts a simulator program; `until` waits for an event, `ended` gives the exit code. */
export function start(program: 'stations' | 'site', ...args: string[]) {
  const child = spawn(process.execPath, [`simulators/${program}/main.ts`, ...args], {
    stdio: ['pipe', 'pipe', 'pipe'],
  });
  children.push(child);
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  return {
    stdin: child.stdin,
    kill: () => child.kill('SIGTERM'),
    ended: once(child, 'exit').then(([code]) => code as unknown),
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
