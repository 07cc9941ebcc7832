import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { manualClock } from '../../core/clock.ts';
import { silentLog } from '../../core/log.ts';
import { commandOf } from '../../gateway/programs.ts';
import type { SimulatorProgram } from '../../hub/ports.ts';
import { NODES } from '../../nodes/registry.ts';

const ROOT = join(import.meta.dirname, '../..');
const options = { root: ROOT, clock: manualClock(), log: silentLog, gateway: () => 'http://127.0.0.1:3' };
const fleet = { kind: 'fleet', url: 'ws://127.0.0.1:1/ocpp', scenario: 'demo' } as const;
const operator = {
  kind: 'operator',
  url: 'ws://127.0.0.1:2/fo',
  scenario: 'setpoints',
  partyId: 'fo:north',
  to: 'cso:harbour',
  contractId: 'C-9',
  groupId: 'g:depot',
} as const;

const scenarios = (folder: string): readonly string[] =>
  NODES.find((n) => n.folder === folder)?.fields.find((f) => f.name === 'scenario')?.options ?? [];

describe('simulators as programs', () => {
  it.each([
    ...scenarios('virtual-fleet').map((scenario): SimulatorProgram => ({ ...fleet, scenario, file: '/f.json' })),
    ...scenarios('virtual-fo').map((scenario): SimulatorProgram => ({ ...operator, scenario, file: '/f.json' })),
  ])('$kind $scenario: its script and its files are there', (program) => {
    const { script, args } = commandOf(options, program);
    expect(existsSync(script), script).toBe(true);
    expect(args).toContain(program.url);
    const files = args.filter((a) => a.endsWith('.json'));
    for (const file of files) expect(file === '/f.json' || existsSync(file), file).toBe(true);
    expect(files.includes('/f.json')).toBe(program.scenario === 'file');
  });

  it('every scenario but the first of each kind leads to other arguments', () => {
    const all = [
      ...scenarios('virtual-fleet').map((scenario) => commandOf(options, { ...fleet, scenario, file: 'f' })),
      ...scenarios('virtual-fo').map((scenario) => commandOf(options, { ...operator, scenario, file: 'f' })),
    ].map(({ script, args }) => [script, ...args].join(' '));
    expect(new Set(all).size).toBe(all.length);
  });

  it('secrets go by the environment and never by arguments, which everybody on the machine can read', () => {
    const secret = 'only-they-know';
    const programs = [
      commandOf(options, { ...fleet, password: secret }),
      commandOf({ ...options, meterToken: secret }, { ...fleet, scenario: 'depot' }),
      commandOf(options, { ...operator, token: secret }),
    ];
    for (const { args, env } of programs) {
      expect(args.join(' ')).not.toContain(secret);
      expect(Object.values(env ?? {})).toContain(secret);
    }
  });

  it('many stations are as many as asked for, of the version asked for, and quiet when there are too many to hear', () => {
    const args = (more: object) => commandOf(options, { ...fleet, scenario: 'many', ...more }).args.join(' ');
    expect(args({ count: 3, versions: 'ocpp2.1' })).toMatch(/--count 3 .*--versions ocpp2\.1$/);
    expect(args({ count: 3, versions: 'all' })).not.toMatch(/--versions|--quiet/);
    expect(args({ count: 500 })).toMatch(/--count 500 .*--quiet/);
  });
});
