import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { runInNewContext } from 'node:vm';
import { describe, expect, it } from 'vitest';
import { CATEGORY, COLOURS, NODES, type NodeEntry } from '../../nodes/registry.ts';
import { generatedFiles, nodeRedSection, outdated, shim } from '../../tools/generate-nodes.ts';

const ROOT = join(import.meta.dirname, '../..');
const NODES_DIR = join(ROOT, 'nodes');

interface EditorDefault {
  readonly value: unknown;
  readonly type?: string;
  readonly required?: boolean;
  readonly validate?: (this: Record<string, unknown>, value: unknown) => unknown;
}

interface EditorPart {
  readonly category: string;
  readonly color?: string;
  readonly defaults: Record<string, EditorDefault>;
  readonly credentials?: unknown;
  readonly inputs?: number;
  readonly outputs?: number;
  readonly inputLabels?: string;
  readonly outputLabels?: readonly string[];
  readonly icon?: string;
  readonly paletteLabel?: string;
  readonly label: (this: Record<string, unknown>) => string;
}

const read = (entry: NodeEntry, ending: string): string =>
  readFileSync(join(NODES_DIR, entry.folder, `${entry.folder}${ending}`), 'utf8');

/** What the script of the editor part registers. */
function editorPart(entry: NodeEntry): EditorPart {
  const script = /<script type="text\/javascript">([\s\S]*?)<\/script>/.exec(read(entry, '.html'))?.[1] ?? '';
  const registered: [string, EditorPart][] = [];
  const RED = { nodes: { registerType: (type: string, part: EditorPart) => void registered.push([type, part]) } };
  runInNewContext(script, { RED });
  expect(registered.map(([type]) => type)).toEqual([entry.type]);
  const part = registered[0]?.[1];
  if (!part) throw new Error(`${entry.type} registers nothing`);
  return part;
}

describe('registry of nodes', () => {
  it('what is generated from it is checked in', async () => {
    expect(await outdated(ROOT)).toEqual([]);
  });

  it('every folder with a node is in it, and every entry has a folder', () => {
    const folders = readdirSync(NODES_DIR, { withFileTypes: true }).filter(
      (d) => d.isDirectory() && existsSync(join(NODES_DIR, d.name, `${d.name}.ts`)),
    );
    expect(folders.map((d) => d.name).sort()).toEqual(NODES.map((n) => n.folder).sort());
  });

  it('a package manifest lists the same nodes below its own folder', () => {
    const section = nodeRedSection(NODES, 'dist/nodes/') as { nodes: Record<string, string> };
    expect(section.nodes['fo-in']).toBe('dist/nodes/fo-in/fo-in.js');
    expect(Object.keys(section.nodes)).toHaveLength(NODES.length);
    expect(Object.keys(generatedFiles())).toHaveLength(NODES.length + 1);
  });
});

describe.each(NODES.map((n) => [n.type, n] as const))('%s', (type, entry) => {
  it('is named after its folder', () => {
    expect(type).toBe(`v2gate-${entry.folder}`);
    expect(entry.label.replaceAll(' ', '-')).toBe(entry.folder);
  });

  it('has a shim, a thin constructor and a controller', () => {
    expect(read(entry, '.js')).toBe(shim(entry));
    expect(read(entry, '.ts').split('\n').length).toBeLessThanOrEqual(30);
    expect(existsSync(join(NODES_DIR, entry.folder, 'controller.ts'))).toBe(true);
  });

  it('its editor part says what the registry says', () => {
    const part = editorPart(entry);
    expect(part.category).toBe(entry.kind === 'config' ? 'config' : CATEGORY);
    expect(Object.fromEntries(Object.entries(part.defaults).map(([k, d]) => [k, d.value]))).toEqual(entry.defaults);
    expect(part.credentials).toEqual(entry.credentials);
    if (entry.kind === 'config') return;
    expect(part.color).toBe(COLOURS[entry.family]);
    expect(part.inputs).toBe(entry.input === undefined ? 0 : 1);
    expect(part.inputLabels).toBe(entry.input);
    expect(part.outputs).toBe(entry.outputs.length);
    expect([...(part.outputLabels ?? [])]).toEqual(entry.outputs);
    expect(part.icon).toBe(entry.icon);
    expect(part.paletteLabel).toBe(entry.label);
  });

  it('has an icon in the palette and a label in words', () => {
    if (entry.kind === 'node') expect(entry.icon).toMatch(/^(font-awesome\/fa-[a-z-]+|[a-z-]+\.svg)$/);
    const part = editorPart(entry);
    const values = Object.fromEntries(Object.entries(entry.defaults));
    expect(part.label.call({ ...values, name: '' }).trim()).toBe(entry.label);
    expect(part.label.call({ ...values, name: 'Depot' })).toBe('Depot');
  });

  it('every value but the version has a field in its dialog', () => {
    const html = read(entry, '.html');
    const prefix = entry.kind === 'config' ? 'node-config-input' : 'node-input';
    expect(html).toContain(`data-template-name="${type}"`);
    for (const key of Object.keys(entry.defaults)) {
      if (key !== 'version') expect(html).toContain(`id="${prefix}-${key}"`);
    }
  });

  it('has help with a sentence, its ports and details', () => {
    const help = new RegExp(`data-help-name="${type}">([\\s\\S]*?)</script>`).exec(read(entry, '.html'))?.[1] ?? '';
    expect(help).toMatch(/<p>[A-Z][^<]+\./);
    expect(help).toContain('<h3>Details</h3>');
    if (entry.input !== undefined) expect(help).toContain('<h3>Input</h3>');
    if (entry.outputs.length === 1) expect(help).toContain('<h3>Output</h3>');
    if (entry.outputs.length > 1) expect(help.match(/<li>/g)).toHaveLength(entry.outputs.length);
  });

  it('what it needs is required, and validators say why', () => {
    const { defaults } = editorPart(entry);
    for (const [key, { type: configType, required, validate }] of Object.entries(defaults)) {
      if (configType !== undefined) {
        expect(required).toBe(true);
        expect(NODES.some((n) => n.type === configType && n.kind === 'config')).toBe(true);
      }
      if (!validate) continue;
      const bad = validate.call({ source: key === 'text' ? 'text' : 'pack' }, key === 'text' ? ' ' : '¿');
      expect(typeof bad).toBe('string');
    }
  });
});
