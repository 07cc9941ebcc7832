import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { runInNewContext } from 'node:vm';
import { describe, expect, it } from 'vitest';
import { CATEGORY, COLOURS, NODES, type NodeEntry } from '../../nodes/registry.ts';
import { collectExamples } from '../../tools/examples.ts';
import { catalogueOf, editorHtml, generatedFiles, nodeRedSection, outdated, shim } from '../../tools/generate-nodes.ts';

const ROOT = join(import.meta.dirname, '../..');
const NODES_DIR = join(ROOT, 'nodes');
const LANGUAGES = ['en-US', 'de'] as const;

interface EditorDefault {
  readonly value: unknown;
  readonly type?: string;
  readonly required?: boolean;
  readonly label?: string;
  readonly validate?: (this: Record<string, unknown>, value: unknown, options: object) => unknown;
}

interface EditorPart {
  readonly category: string;
  readonly color?: string;
  readonly defaults: Record<string, EditorDefault>;
  readonly credentials?: unknown;
  readonly inputs?: number;
  readonly outputs?: number;
  readonly inputLabels?: (this: object, index: number) => string;
  readonly outputLabels?: (this: object, index: number) => string;
  readonly icon?: string;
  readonly paletteLabel?: string;
  readonly button?: { readonly onclick: () => void };
  readonly label: (this: Record<string, unknown>) => string;
  _(key: string): string;
}

const read = (entry: NodeEntry, file: string): string => readFileSync(join(NODES_DIR, entry.folder, file), 'utf8');

/** The text behind a key; the key itself where there is none, as in the editor. */
function textOf(entry: NodeEntry, language: string, key: string): string {
  let at: unknown = catalogueOf(ROOT, entry, language);
  for (const part of key.split('.')) at = typeof at === 'object' && at !== null ? Reflect.get(at, part) : undefined;
  return typeof at === 'string' ? at : key;
}

/** What the script of the editor part registers, in a language. */
function editorPart(entry: NodeEntry, language = 'en-US'): EditorPart {
  const script = /<script type="text\/javascript">([\s\S]*?)<\/script>/.exec(editorHtml(ROOT, entry))?.[1] ?? '';
  const registered: [string, EditorPart][] = [];
  const registerType = (type: string, part: EditorPart): void => {
    part._ = (key) => textOf(entry, language, key);
    registered.push([type, part]);
  };
  runInNewContext(script, { RED: { nodes: { registerType } }, $: {} });
  expect(registered.map(([type]) => type)).toEqual([entry.type]);
  const part = registered[0]?.[1];
  if (!part) throw new Error(`${entry.type} registers nothing`);
  return part;
}

/** Relative luminance of WCAG 2. */
function luminance(colour: string, shade = 1): number {
  const [r = 0, g = 0, b = 0] = [1, 3, 5].map((i) => {
    const c = Number.parseInt(colour.slice(i, i + 2), 16) / 255;
    return c <= 0.03928 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4;
  });
  return shade * (0.2126 * r + 0.7152 * g + 0.0722 * b);
}
const contrast = (a: number, b: number): number => (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05);

const keysOf = (value: unknown, path = ''): string[] =>
  typeof value === 'object' && value !== null
    ? Object.entries(value).flatMap(([key, below]) => keysOf(below, `${path}.${key}`))
    : [path];

describe('registry of nodes', () => {
  it('what is generated from it is up to date (else run: npx node tools/generate-nodes.ts)', async () => {
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
    const generated = Object.keys(generatedFiles(ROOT));
    expect(generated).toHaveLength(1 + 2 * NODES.length + collectExamples(ROOT).length);
  });

  it('colours leave the white icon and the dark label readable, and are one for each family', () => {
    for (const colour of Object.values(COLOURS)) {
      expect(contrast(luminance(colour), luminance('#333333'))).toBeGreaterThanOrEqual(4.5);
      // The editor darkens the field of the icon a little.
      expect(contrast(luminance(colour, 0.9), 1)).toBeGreaterThanOrEqual(3);
    }
    expect(new Set(Object.values(COLOURS)).size).toBe(Object.keys(COLOURS).length);
  });
});

describe.each(NODES.map((n) => [n.type, n] as const))('%s', (type, entry) => {
  const isNode = entry.kind === 'node';

  it('is named after its folder', () => {
    expect(type).toBe(`v2gate-${entry.folder}`);
    expect(entry.label.replaceAll(' ', '-')).toBe(entry.folder);
  });

  it('has a shim, a thin constructor and a controller', () => {
    expect(read(entry, `${entry.folder}.js`)).toBe(shim(entry));
    expect(read(entry, `${entry.folder}.ts`).split('\n').length).toBeLessThanOrEqual(30);
    expect(existsSync(join(NODES_DIR, entry.folder, 'controller.ts'))).toBe(true);
  });

  it('its editor part says what the registry says', () => {
    const part = editorPart(entry);
    expect(part.category).toBe(isNode ? CATEGORY : 'config');
    expect(Object.fromEntries(Object.entries(part.defaults).map(([k, d]) => [k, d.value]))).toEqual(entry.defaults);
    expect(part.credentials).toEqual(entry.credentials);
    if (!isNode) return;
    expect(part.color).toBe(COLOURS[entry.family]);
    expect(part.inputs).toBe(entry.input ? 1 : 0);
    expect(part.outputs).toBe(entry.outputs);
    expect(part.icon).toBe(entry.icon);
    expect(part.paletteLabel).toBe(entry.label);
    expect(part.button !== undefined).toBe(entry.button);
  });

  it('has an icon in the palette of its own: one white drawing of 40 × 60 without colours, scripts or references', () => {
    if (!isNode) return;
    const svg = read(entry, `icons/${entry.icon}`);
    expect(svg).toMatch(/^<svg xmlns="http:\/\/www\.w3\.org\/2000\/svg" width="40" height="60" viewBox="0 0 40 60"/);
    expect([...new Set(svg.match(/#[0-9a-f]{3,6}/gi))]).toEqual(['#fff']);
    expect(svg).not.toMatch(/<script|href|<image|url\(/);
    expect(svg.length).toBeLessThan(1200);
    const others = NODES.filter((n) => n !== entry && n.kind === 'node').map((n) => read(n, `icons/${n.icon}`));
    expect(others).not.toContain(svg);
  });

  it.each(LANGUAGES)('has all texts in %s', (language) => {
    const part = editorPart(entry, language);
    const html = editorHtml(ROOT, entry);
    const used = [...html.matchAll(/data-i18n="(?:\[[^\]]+\])?([^"]+)"/g)].map(([, key = '']) => key);
    const dialogKeys = Object.keys(part.defaults).flatMap((k) => (k === 'version' ? [] : [`field.${k}`]));
    const ownKeys = [...html.matchAll(/def\._\('([a-zA-Z.]+)'\)/g)].map(([, key = '']) => key);
    for (const key of [...used, ...dialogKeys, ...ownKeys])
      expect(textOf(entry, language, key), `${key} in ${language}`).not.toBe(key);
    if (entry.input) expect(part.inputLabels?.call({ _def: part }, 0)).not.toBe('input');
    for (let i = 0; i < entry.outputs; i++)
      expect(part.outputLabels?.call({ _def: part }, i), `output ${i + 1}`).not.toMatch(/^output\./);
    for (const [key, { label }] of Object.entries(part.defaults))
      if (key !== 'version') expect(label, key).toBe(textOf(entry, language, `field.${key}`));
  });

  it('the languages have the same keys, and none says the English sentence again', () => {
    const [english, german] = LANGUAGES.map((l) => catalogueOf(ROOT, entry, l));
    expect(keysOf(german)).toEqual(keysOf(english));
    const sentences = keysOf(english).filter((k) => textOf(entry, 'en-US', k.slice(1)).split(' ').length > 3);
    for (const key of sentences)
      expect(textOf(entry, 'de', key.slice(1)), key).not.toBe(textOf(entry, 'en-US', key.slice(1)));
  });

  it('its label is its name, or what it is and the values that tell it apart', () => {
    const part = editorPart(entry);
    const fresh = { ...entry.defaults, name: '' };
    expect(part.label.call(fresh)).toMatch(new RegExp(`^${entry.label}`));
    expect(part.label.call({ ...fresh, name: 'Depot' })).toBe('Depot');
    for (const field of entry.shows) expect(part.label.call({ ...fresh, [field]: 'X1' })).toContain('X1');
  });

  it('every value but the version has a field with a label in its dialog', () => {
    const html = editorHtml(ROOT, entry);
    const prefix = isNode ? 'node-input' : 'node-config-input';
    expect(html).toContain(`data-template-name="${type}"`);
    for (const key of Object.keys(entry.defaults)) {
      if (key === 'version') continue;
      expect(html).toContain(`id="${prefix}-${key}"`);
      const labelled = new RegExp(`for="${prefix}-${key}"|id="${prefix}-${key}" data-i18n="\\[aria-label\\]`);
      expect(html, `label of ${key}`).toMatch(labelled);
    }
  });

  it('what it needs is required, and validators say why', () => {
    const part = editorPart(entry);
    for (const [key, { type: configType, required, validate }] of Object.entries(part.defaults)) {
      const field = entry.fields.find((f) => f.name === key);
      if (configType !== undefined) {
        expect(required).toBe(true);
        expect(NODES.some((n) => n.type === configType && n.kind === 'config')).toBe(true);
      }
      expect(validate !== undefined, `validator of ${key}`).toBe(
        field?.rule !== undefined || (entry.ownDialog && validate !== undefined),
      );
      if (!validate) continue;
      // Node-RED takes a text for a reason only from validators with two parameters.
      expect(validate.length).toBe(2);
      const shown = Object.fromEntries(Object.entries(field?.when ?? {}).map(([k, [v]]) => [k, v]));
      const node = { ...entry.defaults, source: key === 'text' ? 'text' : 'pack', ...shown, _def: part };
      expect(validate.call(node, key === 'text' || field?.rule === 'needed' ? ' ' : '¿', {})).toBe(
        part._(`why.${key}`),
      );
      expect(part._(`why.${key}`)).not.toBe(`why.${key}`);
      if (field?.rule && field.rule !== 'needed') expect(validate.call(node, field.value, {})).toBe(true);
      if (field?.when) expect(validate.call({ ...node, ...emptied(shown) }, '¿', {})).toBe(true);
    }
  });

  it.each(LANGUAGES)('has help in %s: what it does, properties, ports, details, references', (language) => {
    const help = read(entry, `locales/${language}/${entry.folder}.html`);
    const english = language === 'en-US';
    expect(help).toMatch(
      new RegExp(`^<script type="text/html" data-help-name="${type}">\\n  <p>\\p{Lu}.{20,}\\.</p>`, 'u'),
    );
    const wanted = [
      english ? 'Properties' : 'Eigenschaften',
      ...(entry.input ? [english ? 'Input' : 'Eingang'] : []),
      ...(entry.outputs > 0
        ? [(english ? 'Output' : 'Ausg(?:a|ä)ng') + (entry.outputs > 1 ? (english ? 's' : 'e') : '')]
        : []),
      ...(isNode ? [] : ['Status']),
      'Details',
      english ? 'References' : 'Verweise',
    ];
    const sections = [...help.matchAll(/<h3>(.*?)<\/h3>/g)].map(([, title]) => title);
    expect(sections).toHaveLength(wanted.length);
    for (const [i, title] of wanted.entries()) expect(sections[i]).toMatch(new RegExp(`^${title}$`));
    if (entry.outputs > 1)
      expect(help.match(/<ol class="node-ports">[\s\S]*?<\/ol>/)?.[0].match(/<li>/g)).toHaveLength(entry.outputs);
    for (const [, page = ''] of help.matchAll(/<code>(docs\/[^<]+|simulators\/[^<]+|README\.md)<\/code>/g))
      expect(existsSync(join(ROOT, page)), page).toBe(true);
  });

  it('names every field of its dialog in its help', () => {
    if (entry.ownDialog) return;
    const words = read(entry, `locales/en-US/${entry.folder}.html`).toLowerCase();
    for (const { name } of entry.fields) {
      const label = textOf(entry, 'en-US', `field.${name}`).toLowerCase();
      expect(words.includes(label) || name === 'file' || name === 'count' || name === 'versions', label).toBe(true);
    }
  });

  it('has an example in the import menu; configuration nodes are in those of others', () => {
    if (!isNode) return;
    const own = collectExamples(ROOT).filter(({ file }) => file.includes(join('nodes', entry.folder, 'examples')));
    expect(own.length).toBeGreaterThanOrEqual(1);
    for (const { file } of own) expect(readFileSync(file, 'utf8')).toContain(`"${type}"`);
  });

  it('opens what was saved before: one migration step for each version, each with a test', () => {
    const steps = Number(entry.defaults.version) - 1;
    const migrations = join(NODES_DIR, entry.folder, 'migrations.ts');
    expect(existsSync(migrations)).toBe(steps > 0);
    if (steps === 0) return;
    expect(readFileSync(migrations, 'utf8').match(/MigrationStep = /g)).toHaveLength(steps);
    const test = readFileSync(join(ROOT, `test/nodes/migrations.test.ts`), 'utf8');
    for (let step = 1; step <= steps; step++) expect(test).toContain(`${type} ${step} → ${step + 1}`);
  });
});

const emptied = (values: Readonly<Record<string, unknown>>): Record<string, string> =>
  Object.fromEntries(Object.keys(values).map((k) => [k, '']));

describe('the import menu', () => {
  const examples = collectExamples(ROOT);

  it('has the use cases first and no title twice', () => {
    const paths = examples.map((e) => e.menuPath);
    expect(paths).toEqual([...new Set(paths)].sort());
    expect(paths.findLastIndex((p) => /use cases/i.test(p))).toBe(readdirSync(join(ROOT, 'flows')).length - 1);
  });

  it.each(examples.map((e) => [e.menuPath, e.file] as const))('%s', (_, file) => {
    const flow = JSON.parse(readFileSync(file, 'utf8')) as Record<string, unknown>[];
    const ids = new Set(flow.map((n) => n.id));
    expect(ids.size).toBe(flow.length);
    expect(flow.some((n) => n.type === 'comment' && String(n.info).length > 100)).toBe(true);
    expect(JSON.stringify(flow)).not.toMatch(/"(credentials|password|token)" *:|PasswordRef": *"[^"]/i);
    for (const n of flow) {
      const entry = NODES.find((e) => e.type === n.type);
      if (!entry) continue;
      const fields = Object.keys(n).filter((k) => !['id', 'type', 'z', 'g', 'x', 'y', 'wires'].includes(k));
      expect(fields.sort(), String(n.id)).toEqual(Object.keys(entry.defaults).sort());
    }
  });
});
