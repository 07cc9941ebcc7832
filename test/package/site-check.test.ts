import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import type { Terminal } from '../../gateway/cli/command.ts';
import { site } from '../../gateway/cli/site-check.ts';
import { siteFile } from '../support/site-file.ts';

describe('npx v2gate site check', () => {
  let folder: string;
  let said: string[];
  let terminal: Terminal;
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'v2gate-site-'));
    said = [];
    terminal = { out: (l) => void said.push(l), err: (l) => void said.push(l), stdin: process.stdin };
    vi.stubEnv('V2GATE_DATA', folder);
    vi.stubEnv('V2GATE_SITE', undefined);
  });
  afterEach(() => {
    vi.unstubAllEnvs();
    rmSync(folder, { recursive: true });
  });
  const put = (content: string): string => {
    const file = join(folder, 'site.json');
    writeFileSync(file, content);
    return file;
  };

  it('says what a good file holds', async () => {
    const file = put(JSON.stringify(siteFile()));
    expect(await site(['check', file], terminal)).toBe(0);
    expect(said[0]).toMatch(/is good: site:\S+, \d+ stations?, \d+ EVSEs?/);
  });

  it('takes the file of the data folder where none is named', async () => {
    put(JSON.stringify(siteFile()));
    expect(await site(['check'], terminal)).toBe(0);
  });

  it('names every field that is wrong, one a line', async () => {
    const file = put(JSON.stringify({ ...siteFile(), siteId: 7, stations: 'none', surplus: true }));
    expect(await site(['check', file], terminal)).toBe(1);
    for (const field of ['/siteId', '/stations', '/surplus'])
      expect(said.filter((l) => l.startsWith(`${file}: ${field}`))).toHaveLength(1);
    expect(said.at(-1)).toContain('would not take this file: 3 problems');
  });

  it('says where a file stops being JSON', async () => {
    expect(await site(['check', put('{ "siteId": ')], terminal)).toBe(1);
    expect(said.join('\n')).toContain('site.json');
  });

  it('names secrets that are missing, and where to put them', async () => {
    const given = siteFile();
    const stations = given.stations.map((s) => ({ ...s, passwordRef: 'stations' }));
    const file = put(JSON.stringify({ ...given, stations }));
    expect(await site(['check', file], terminal)).toBe(0);
    expect(said.join('\n')).toMatch(/The secret stations is missing.*V2GATE_SECRET_STATIONS/);
    writeFileSync(join(folder, 'secrets.json'), '{"stations":"0123456789abcdef"}', { mode: 0o600 });
    said.length = 0;
    await site(['check', file], terminal);
    expect(said.join('\n')).toContain('All 1 secrets');
    expect(said.join('\n')).not.toContain('0123456789abcdef');
  });

  it('says how it is called, and which file it cannot read', async () => {
    expect(await site([], terminal)).toBe(2);
    expect(await site(['check', join(folder, 'nothing.json')], terminal)).toBe(2);
    expect(said.at(-1)).toContain('ENOENT');
  });
});
