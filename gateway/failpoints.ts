import { writeSync } from 'node:fs';
import type { Issue } from '../core/errors.ts';
import { FAIL_POINTS, type FailPoint, failChannel } from '../core/failpoint.ts';
import type { Log } from '../core/log.ts';
import type { Form } from './settings-forms.ts';

/** The point at which the process ends itself, and at which passage of it. */
export interface ArmedPoint {
  readonly point: FailPoint;
  /** 1: the first time. */
  readonly hit: number;
}

const MAX_HIT = 100_000;
const STDERR = 2;

export const failPointForm: Form<ArmedPoint> = {
  allowed: '`<name>` or `<name>:<n>`, with a name of the table of fail points',
  parse(text) {
    const [, name = '', n = '1'] = /^([a-z.]{1,64})(?::(\d{1,6}))?$/.exec(text) ?? [];
    const hit = Number(n);
    return isPoint(name) && hit >= 1 && hit <= MAX_HIT ? { point: name, hit } : undefined;
  },
};

const isPoint = (name: string): name is FailPoint => Object.hasOwn(FAIL_POINTS, name);

/** A process that ends itself is wanted by tests alone. */
export function failPointIssues(o: { readonly failPoint: ArmedPoint | undefined; readonly test: boolean }): Issue[] {
  if (o.failPoint === undefined || o.test) return [];
  const message = 'V2GATE_FAIL_POINT ends the gateway without warning and is for tests; it needs V2GATE_TEST=1 too.';
  return [{ path: 'V2GATE_FAIL_POINT', code: 'settings.invalid', message }];
}

/** Kills the process, as a power cut would, when it passes the point for the n-th time. */
export function armFailPoint({ point, hit }: ArmedPoint, log: Log): void {
  let left = hit;
  log.error('failpoint.armed', { point, hit, text: 'this gateway is going to kill itself; V2GATE_FAIL_POINT is set' });
  failChannel(point).subscribe(() => {
    if (--left > 0) return;
    writeSync(STDERR, `fail point ${point}:${hit} reached\n`);
    process.kill(process.pid, 'SIGKILL');
    // The signal arrives before kill() comes back; should it not, nothing may go on from here.
    for (;;) Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0);
  });
}
