import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { afterAll, describe, it } from 'vitest';
import { obligingGateway } from './gateway.ts';

type Line = { readonly event: string; readonly [k: string]: unknown };

const cleanups: (() => void | Promise<void>)[] = [];

afterAll(async () => {
  for (const f of cleanups.splice(0).reverse()) await f();
});

function scenarioFile(scenario: unknown): string {
  const dir = mkdtempSync(join(tmpdir(), 'scenario-'));
  cleanups.push(() => rmSync(dir, { recursive: true }));
  const file = join(dir, 'scenario.json');
  writeFileSync(file, JSON.stringify(scenario));
  return file;
}

function program(...args: string[]) {
  const child: ChildProcess = spawn(process.execPath, ['simulators/fo/main.ts', ...args], {
    stdio: ['pipe', 'pipe', 'pipe'],
  });
  cleanups.push(() => void child.kill('SIGKILL'));
  const lines: Line[] = [];
  let errors = '';
  const waiting: { event: string; resolve: (line: Line) => void }[] = [];
  if (child.stdout) {
    createInterface({ input: child.stdout }).on('line', (text) => {
      const line: Line = JSON.parse(text);
      lines.push(line);
      for (const w of waiting.filter((x) => x.event === line.event)) w.resolve(line);
    });
  }
  child.stderr?.on('data', (d) => {
    errors += d;
  });
  const exit = new Promise<number | null>((resolve) => child.once('exit', resolve));
  const seen = (event: string): Promise<Line> =>
    new Promise((resolve) => {
      const known = lines.find((l) => l.event === event);
      if (known) resolve(known);
      else waiting.push({ event, resolve });
    });
  return { child, lines, exit, seen, errors: () => errors };
}

// Starting a program is slow: all run side by side.
describe.concurrent('the operator simulator as a program', () => {
  it('prints one JSON line per event and ends on SIGTERM', async ({ expect }) => {
    const { server } = await obligingGateway();
    cleanups.push(() => server.close());
    const p = program('--url', server.url);
    expect(await p.seen('applied')).toMatchObject({ appliedW: -8000 });
    p.child.kill('SIGTERM');
    expect(await p.exit).toBe(0);
    expect(p.lines.every((l) => typeof l.at === 'string')).toBe(true);
    expect(p.errors()).toBe('');
  });

  it('ends when its parent is gone', async ({ expect }) => {
    const p = program('--url', 'ws://127.0.0.1:1/fo');
    p.child.stdin?.end();
    expect(await p.exit).toBe(0);
  });

  it('says which setting is wrong', async ({ expect }) => {
    const p = program('--party', 'not an id');
    expect(await p.exit).toBe(2);
    expect(p.errors()).toContain('--party not an id');
  });

  it('says what is wrong with its scenario', async ({ expect }) => {
    const services = [{ type: 'setpoint', durationS: 3, minW: 9, maxW: 5, steps: [{ atS: 0, targetW: 7 }] }];
    const p = program('--scenario', scenarioFile({ services, pauseS: 0 }));
    expect(await p.exit).toBe(2);
    expect(p.errors()).toContain('minW 9 is above maxW 5');
  });
});
