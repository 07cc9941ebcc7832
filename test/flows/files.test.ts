import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { DEMOS } from '../../gateway/demo.ts';
import { SiteFile } from '../../model/index.ts';
import { NODES } from '../../nodes/registry.ts';
import { SiteScenario } from '../../simulators/site/index.ts';
import { flowFolder, wiresOf } from './depot.ts';

const ROOT = join(import.meta.dirname, '../..');
const folders = readdirSync(join(ROOT, 'flows'));
const PLACE = ['id', 'type', 'z', 'g', 'x', 'y', 'wires'];

describe.each(folders)('the flow %s', (folder) => {
  const { flow, site } = flowFolder(folder);
  const byId = new Map(flow.map((n) => [n.id, n]));
  const placed = flow.filter((n) => typeof n.x === 'number' && n.type !== 'group');

  it('can be imported: ids are unique, everything that is named is there, and nothing is secret', () => {
    expect(byId.size).toBe(flow.length);
    for (const { from, to } of wiresOf(flow)) expect(byId.has(to), `${from} → ${to}`).toBe(true);
    for (const n of flow) for (const id of (n.links as string[] | undefined) ?? []) expect(byId.has(id)).toBe(true);
    for (const g of flow.filter((n) => n.type === 'group'))
      for (const id of g.nodes as string[]) expect(byId.get(id)?.g).toBe(g.id);
    expect(JSON.stringify(flow)).not.toMatch(/"(credentials|password|token)" *:|PasswordRef": *"[^"]/i);
  });

  it('has each node of ours with the fields of a fresh one', () => {
    for (const n of flow) {
      const entry = NODES.find((e) => e.type === n.type);
      if (!entry) continue;
      const fields = Object.keys(n).filter((k) => !PLACE.includes(k));
      expect(fields.sort(), n.id).toEqual(Object.keys(entry.defaults).sort());
    }
  });

  it('teaches: it begins with a comment, each group has a name and a comment that says something', () => {
    const comments = flow.filter((n) => n.type === 'comment');
    expect(comments[0]?.name).toMatch(/^Start here/);
    for (const c of comments) expect(String(c.info).length, c.id).toBeGreaterThan(150);
    const groups = flow.filter((n) => n.type === 'group');
    for (const g of groups) {
      expect(g.name).toMatch(/^\d\. /);
      expect(comments.some((c) => c.g === g.id)).toBe(true);
    }
    expect(placed.filter((n) => n.g === undefined).map((n) => n.id)).toEqual([comments[0]?.id]);
  });

  it('reads from left to right', () => {
    const x = (id: string) => Number(byId.get(id)?.x);
    for (const { from, to } of wiresOf(flow)) expect(x(to), `${from} → ${to}`).toBeGreaterThan(x(from));
    const spots = placed.map((n) => `${n.x}/${n.y}`);
    expect(new Set(spots).size).toBe(spots.length);
  });

  it('has a valid site file and a README that names how to start it', () => {
    expect(SiteFile.check(site)).toEqual([]);
    const [name] = Object.entries(DEMOS).find(([, d]) => d.siteFile.includes(folder)) ?? [];
    const readme = readFileSync(join(ROOT, 'flows', folder, 'README.md'), 'utf8');
    expect(readme).toContain(name === 'uc-2.1' ? 'npm start' : `V2GATE_FLOW=${name} npm start`);
    expect(readme.split('\n').length).toBeLessThanOrEqual(45);
    for (const [, image = ''] of readme.matchAll(/\]\(([^)]+)\)/g))
      expect(existsSync(join(ROOT, 'flows', folder, image)), image).toBe(true);
  });
});

describe('the demos', () => {
  it.each(Object.entries(DEMOS))(
    '%s has a flow with virtual stations and operators that start in the demo; “empty” leaves them to the reader',
    (name, demo) => {
      const nodes = JSON.parse(readFileSync(demo.flow, 'utf8')) as { readonly type: string; readonly start?: string }[];
      const virtual = nodes.filter((n) => n.type.startsWith('v2gate-virtual-'));
      expect(existsSync(demo.siteFile)).toBe(true);
      expect(new Set(virtual.map((n) => n.type)).size).toBe(name === 'empty' ? 0 : 2);
      for (const n of virtual) expect(n.start).toBe('demo');
    },
  );

  it('the meters that the site simulator plays are those of the site file', () => {
    const text = readFileSync(join(ROOT, 'simulators/scenarios/uc-2.7-site.json'), 'utf8');
    const played = SiteScenario.parse(JSON.parse(text));
    const ids = [played.poc, ...(played.circuits ?? [])].map((m) => m.meterId);
    expect(flowFolder('uc-2.7-congestion-management').site.meters?.map((m) => m.meterId)).toEqual(ids);
  });
});
