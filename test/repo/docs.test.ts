import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { errorTable } from '../../core/errors.ts';
import { SETTINGS } from '../../gateway/settings.ts';
import { HUB_MESSAGES } from '../../model/index.ts';
import { NODES } from '../../nodes/registry.ts';
import { errorModules, errorRows, errorTables } from '../../tools/docs/errors.ts';
import { ROOT } from '../../tools/docs/markdown.ts';
import { boundFamilies, metricRows } from '../../tools/docs/metrics.ts';
import { generatedPages, outdatedPages } from '../../tools/generate-docs.ts';
import { listFiles, loadSources } from './rules/source.ts';

describe('the generated reference', () => {
  it('is up to date (else run: npx node tools/generate-docs.ts)', async () => {
    expect(await outdatedPages()).toEqual([]);
  });

  it('shows every error table, message, setting and node', async () => {
    const pages = await generatedPages();
    const tables = await errorTables();
    const declared = errorModules().flatMap((path) => readFileSync(path, 'utf8').match(/\berrorTable\(['"]/g) ?? []);
    expect(tables).toHaveLength(declared.length);
    for (const { code } of errorRows(tables)) expect(pages['docs/reference/errors.md']).toContain(`| \`${code}\` |`);
    for (const name of Object.keys(HUB_MESSAGES))
      expect(pages['docs/reference/messages.md']).toContain(`### ${name}\n`);
    for (const { variable } of Object.values(SETTINGS))
      expect(pages['docs/reference/settings.md']).toContain(`\`${variable}\``);
    for (const { type } of NODES) expect(pages['docs/reference/nodes.md']).toContain(`\`${type}\``);
  });
});

describe('the metrics of the reference', () => {
  it('are all that the code declares, with a name of ours and a meaning', async () => {
    const rooms = loadSources(listFiles().filter((f) => /^(hub|protocols|bridges|nodes|gateway)\/.*\.ts$/.test(f)));
    const calls = rooms.flatMap((s) => s.text.match(/\b[mM]etrics\??\.(counter|gauge|histogram|collect)\(/g) ?? []);
    const collected = rooms.flatMap((s) => s.text.match(/\.collect\('\w+'/g) ?? []);
    expect(metricRows().length + collected.length).toBe(calls.length);
    expect(boundFamilies().length).toBeGreaterThan(3);
    const page = (await generatedPages())['docs/reference/metrics.md'];
    for (const { name, help } of metricRows()) {
      expect(name).toMatch(/^v2gate_[a-z_]+$/);
      expect(help.length, name).toBeGreaterThan(8);
      expect(page).toContain(`| \`${name}\` |`);
    }
  });
});

describe('error codes', () => {
  it('are declared by one area each (others take its rows over: ...X_ERRORS.kinds)', async () => {
    const rows = errorRows(await errorTables());
    expect(rows.length).toBeGreaterThan(50);
    expect(rows.filter((r) => r.areas.length > 1).map((r) => `${r.code}: ${r.areas.join(', ')}`)).toEqual([]);
  });

  it('declared twice are found, rows taken over are not', () => {
    const row = { what: 'It broke.', remedy: 'Mend it.', retry: 'no' } as const;
    const one = errorTable('one', { 'a.b': row });
    const two = errorTable('two', { ...one.kinds, 'c.d': row });
    expect(errorRows([one, two]).map((r) => r.areas)).toEqual([['one'], ['two']]);
    expect(errorRows([one, errorTable('three', { 'a.b': { ...row } })])[0]?.areas).toEqual(['one', 'three']);
  });
});

describe('docs/dependencies.md', () => {
  it('has one row for each dependency of package.json, with its version, and no other', () => {
    const manifest = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8'));
    const wanted = { ...manifest.dependencies, ...manifest.optionalDependencies, ...manifest.devDependencies };
    const rows = [
      ...readFileSync(join(ROOT, 'docs/dependencies.md'), 'utf8').matchAll(
        /^\| `([^`]+)` \| ([^|]+) \| ([^|]+) \| ([^|]+) \|$/gm,
      ),
    ];
    expect(Object.fromEntries(rows.map(([, name, version]) => [name, version?.trim()]))).toEqual(wanted);
    for (const [, , , why = '', others = ''] of rows) expect(Math.min(why.length, others.length)).toBeGreaterThan(10);
  });

  it('versions are exact', () => {
    const manifest = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8'));
    const all: Record<string, string> = {
      ...manifest.dependencies,
      ...manifest.optionalDependencies,
      ...manifest.devDependencies,
    };
    expect(Object.entries(all).filter(([, v]) => !/^\d+\.\d+\.\d+$/.test(v))).toEqual([]);
  });
});
