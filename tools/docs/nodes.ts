import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { type Field, NODES, type NodeEntry } from '../../nodes/registry.ts';
import { catalogueOf } from '../generate-nodes.ts';
import { type Catalogue, optionKey } from '../nodes/editor-part.ts';
import { cell, ROOT } from './markdown.ts';

/** The palette: every node with its wires, its settings and the first sentence of its help. */
export function nodesPage(): string {
  const palette = NODES.filter((n) => n.kind === 'node');
  const config = NODES.filter((n) => n.kind === 'config');
  return [
    '# Nodes',
    '',
    'The help of each node stands in the editor, beside the flow, in English and German; an example of each in *Import →',
    'Examples*.',
    '',
    '## Palette',
    '',
    '| Node | Type | What it does | Input | Outputs |',
    '|---|---|---|---|---|',
    ...palette.map((n) => `| ${n.label} | \`${n.type}\` | ${summary(n)} | ${input(n)} | ${outputs(n)} |`),
    '',
    '## Configuration nodes',
    '',
    '| Node | Type | What it does |',
    '|---|---|---|',
    ...config.map((n) => `| ${n.label} | \`${n.type}\` | ${summary(n)} |`),
    '',
    '## Settings',
    '',
    'As they stand in a flow file, with the value of a fresh node. Every node has `name`, too.',
    '',
    '| Node | Setting | In the dialog | Value | Values |',
    '|---|---|---|---|---|',
    ...NODES.flatMap((n) => n.fields.map((f) => settingRow(n, f))),
    '',
  ].join('\n');
}

const texts = (node: NodeEntry): Catalogue => catalogueOf(ROOT, node);

const input = (node: NodeEntry): string => (node.input ? cell(texts(node).input ?? '') : '–');

function outputs(node: NodeEntry): string {
  const words = Object.values(texts(node).output ?? {});
  return words.length === 0 ? '–' : words.map((o, i) => cell(words.length > 1 ? `${i + 1}: ${o}` : o)).join('<br>');
}

function settingRow(node: NodeEntry, field: Field): string {
  const { field: labels, option = {}, why = {} } = texts(node);
  const { name, value, options, config, rule, list, required } = field;
  const words = options
    ? options.map((o) => `\`${o}\`: ${option[name]?.[optionKey(o)] ?? o}`).join('<br>')
    : config
      ? `a node \`${config}\``
      : rule
        ? (why[name] ?? '')
        : list
          ? `one of the ${list} of the site`
          : 'a text';
  const needed = required ? ', required' : '';
  return `| ${node.label} | \`${name}\` | ${cell(labels[name] ?? '')} | ${value === '' ? '–' : `\`${value}\``} | ${cell(words)}${needed} |`;
}

/** The first paragraph of the help text. */
function summary({ folder }: NodeEntry): string {
  const help = readFileSync(join(ROOT, 'nodes', folder, 'locales', 'en-US', `${folder}.html`), 'utf8');
  return cell((/<p>([\s\S]*?)<\/p>/.exec(help)?.[1] ?? '').replace(/<[^>]+>/g, '').trim());
}
