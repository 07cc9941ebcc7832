import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { NODES, type NodeEntry } from '../../nodes/registry.ts';
import { cell, ROOT } from './markdown.ts';

/** The palette: every node with its wires, its settings and the first sentence of its help. */
export function nodesPage(): string {
  const palette = NODES.filter((n) => n.kind === 'node');
  const config = NODES.filter((n) => n.kind === 'config');
  return [
    '# Nodes',
    '',
    'The help of each node stands in the editor, beside the flow.',
    '',
    '## Palette',
    '',
    '| Node | Type | What it does | Input | Outputs | Settings |',
    '|---|---|---|---|---|---|',
    ...palette.map(
      (n) =>
        `| ${n.label} | \`${n.type}\` | ${summary(n)} | ${cell(n.input ?? '–')} | ${outputs(n)} | ${settings(n)} |`,
    ),
    '',
    '## Configuration nodes',
    '',
    '| Node | Type | What it does | Settings |',
    '|---|---|---|---|',
    ...config.map((n) => `| ${n.label} | \`${n.type}\` | ${summary(n)} | ${settings(n)} |`),
    '',
  ].join('\n');
}

function outputs(node: NodeEntry): string {
  return node.outputs.length === 0
    ? '–'
    : node.outputs.map((o, i) => cell(node.outputs.length > 1 ? `${i + 1}: ${o}` : o)).join('<br>');
}

function settings(node: NodeEntry): string {
  const names = Object.keys(node.defaults).filter((k) => k !== 'version' && k !== 'name');
  return names.length === 0 ? '–' : names.map((n) => `\`${n}\``).join(', ');
}

/** The first paragraph of the help text. */
function summary(node: NodeEntry): string {
  const path = join(ROOT, 'nodes', node.folder, `${node.folder}.html`);
  if (!existsSync(path)) return '';
  const help = /data-help-name="[^"]*"[^>]*>([\s\S]*?)<\/script>/.exec(readFileSync(path, 'utf8'))?.[1] ?? '';
  return cell((/<p>([\s\S]*?)<\/p>/.exec(help)?.[1] ?? '').replace(/<[^>]+>/g, '').trim());
}
