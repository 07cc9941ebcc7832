import { mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { manualClock } from '../../core/clock.ts';
import { codeOf, describeError } from '../../core/errors.ts';
import { silentLog } from '../../core/log.ts';
import { checkFlowFile, keptSecret, seedFlowFile } from '../../gateway/flow-file.ts';
import { readSecrets, secretVariable, takeEnvironment, watchSecrets } from '../../gateway/secrets.ts';

let dir = '';
beforeEach(async () => {
  dir = await mkdtemp(join(tmpdir(), 'v2gate-files-'));
});
afterEach(() => rm(dir, { recursive: true }));

describe('flow file', () => {
  it('the example is copied once and never over a flow of the user', async () => {
    const example = join(dir, 'example.json');
    const flows = join(dir, 'data', 'flows.json');
    await writeFile(example, '[]');
    expect(await seedFlowFile(flows, example)).toBe(true);
    await writeFile(flows, '[{"id":"mine","type":"tab"}]');
    expect(await seedFlowFile(flows, example)).toBe(false);
    expect(await readFile(flows, 'utf8')).toContain('mine');
  });

  it('a missing, an empty and a good file are fine', async () => {
    const file = join(dir, 'flows.json');
    expect(await checkFlowFile(file)).toBeUndefined();
    await writeFile(file, '\n');
    expect(await checkFlowFile(file)).toBeUndefined();
    await writeFile(file, '\uFEFF[{"id":"a","type":"tab"}]');
    expect(await checkFlowFile(file)).toBeUndefined();
  });

  it.each([
    ['[{"id":"a",', /not JSON/],
    ['{"id":"a","type":"tab"}', /not a list/],
    ['[{"id":"a","type":"tab"},{"id":"b"}]', /entry 1 is not a node/],
  ])('a broken file is told and kept: %s', async (text, reason) => {
    const file = join(dir, 'flows.json');
    await writeFile(file, text);
    const problem = describeError(await checkFlowFile(file));
    expect(problem.code).toBe('flows.broken');
    expect(problem.what).toMatch(reason);
    expect(problem.remedy).toContain('flows.json.broken');
    expect(await readFile(`${file}.broken`, 'utf8')).toBe(text);
  });
});

describe('secrets', () => {
  it('the key of the credentials is made once, for its owner only', async () => {
    const file = join(dir, 'sub', 'credential-secret');
    const made = await keptSecret(file);
    expect(made).toMatch(/^[0-9a-f]{64}$/);
    expect(await keptSecret(file)).toBe(made);
    expect((await stat(file)).mode & 0o777).toBe(0o600);
  });

  it('a secret comes from the file, and from the environment first', async () => {
    const file = join(dir, 'secrets.json');
    await writeFile(file, '{"fo:north":"from file","cs-1":"kept"}', { mode: 0o600 });
    const secret = await readSecrets(file, { [secretVariable('fo:north')]: 'from environment' }, silentLog);
    expect(secretVariable('fo:north')).toBe('V2GATE_SECRET_FO_NORTH');
    expect(secret('fo:north')).toBe('from environment');
    expect(secret('cs-1')).toBe('kept');
    expect(secret('nobody')).toBeUndefined();
    expect(secret('__proto__')).toBeUndefined();
  });

  it('the process forgets the secrets of its environment, so that flows and children cannot read them', () => {
    const env: NodeJS.ProcessEnv = {
      PATH: '/bin',
      V2GATE_SECRET_A: 's',
      V2GATE_CREDENTIAL_SECRET: 't',
      V2GATE_HOST: 'h',
    };
    const taken = takeEnvironment(env);
    expect(env).toEqual({ PATH: '/bin', V2GATE_HOST: 'h' });
    expect(taken).toMatchObject({ V2GATE_SECRET_A: 's', V2GATE_CREDENTIAL_SECRET: 't' });
  });

  it('a changed file is read again; a broken one is told and changes nothing', async () => {
    const file = join(dir, 'secrets.json');
    const clock = manualClock();
    const told: unknown[] = [];
    await writeFile(file, '{"a":"old"}', { mode: 0o600 });
    const around = { clock, log: silentLog, onReload: (e?: unknown) => void told.push(codeOf(e) ?? 'ok') };
    const secrets = await watchSecrets(file, {}, around);
    const look = async (text: string) => {
      await new Promise((r) => setImmediate(r));
      await writeFile(file, text, { mode: 0o600 });
      const before = told.length;
      await expect
        .poll(async () => {
          await clock.advance(1_000);
          return told.length;
        })
        .toBeGreaterThan(before);
    };
    await look('{"a":"new","b":"more"}');
    expect([secrets.secret('a'), secrets.secret('b')]).toEqual(['new', 'more']);
    await look('{"a":');
    expect(secrets.secret('a')).toBe('new');
    await look('{"a":"newest"}');
    expect([secrets.secret('a'), told]).toEqual(['newest', ['ok', 'secrets.broken', 'ok']]);
    secrets.close();
  });

  it('a missing file holds no secrets', async () => {
    expect((await readSecrets(join(dir, 'none.json'), {}, silentLog))('x')).toBeUndefined();
  });

  it('a broken file is an error that shows nothing of it', async () => {
    const file = join(dir, 'secrets.json');
    for (const text of ['{"a": "hunter2"', '["hunter2"]', '{"a": {"b": "hunter2"}}']) {
      await writeFile(file, text, { mode: 0o600 });
      const error: unknown = await readSecrets(file, {}, silentLog).catch((e: unknown) => e);
      expect(codeOf(error)).toBe('secrets.broken');
      expect(JSON.stringify(describeError(error))).not.toContain('hunter2');
    }
  });
});
