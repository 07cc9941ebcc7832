import { dirname, join, normalize } from 'node:path';
import { readText } from './rules/source.ts';

/** A fenced block of a page, with the comment before it, e.g. `<!-- body: Hello -->`. */
export interface Block {
  readonly language: string;
  readonly text: string;
  readonly mark?: string;
  /** From 1. */
  readonly line: number;
}

/** The blocks of a page, indented ones included. */
export function blocksOf(page: string): Block[] {
  const found = page.matchAll(/(?:^ *<!-- (.*) -->\n)?^( *)```(\w+)\n([\s\S]*?)^ *```$/gm);
  return [...found].map(([, mark, indent = '', language = '', text = ''], i, all) => ({
    language,
    text: text.replaceAll(new RegExp(`^${indent}`, 'gm'), '').trimEnd(),
    line: page.slice(0, all[i]?.index ?? 0).split('\n').length,
    ...(mark === undefined ? {} : { mark }),
  }));
}

/** The JSON below a mark of the page; there must be one. */
export function jsonOf(page: string, mark: string): unknown {
  const block = blocksOf(page).find((b) => b.mark === mark);
  if (!block) throw new Error(`The page has no block “${mark}”.`);
  return JSON.parse(block.text);
}

/** The rows of the table below a mark, each as its cells, without head. */
export function tableOf(page: string, mark: string): string[][] {
  const [, table = ''] = page.split(`<!-- ${mark} -->\n`);
  const [rows = ''] = table.split('\n\n');
  return rows
    .split('\n')
    .slice(2)
    .map((row) =>
      row
        .split('|')
        .slice(1, -1)
        .map((cell) => cell.trim()),
    );
}

/** What stands in backticks outside of blocks. */
export const codesOf = (page: string): string[] =>
  [...page.replaceAll(/^ *```[\s\S]*?^ *```$/gm, '').matchAll(/`([^`\n]+)`/g)].map((m) => m[1] ?? '');

/** Links of a page that lead nowhere: to a file that is not there, or a heading that its page does not have. */
export function deadLinks(path: string, files: ReadonlySet<string>): string[] {
  const targets = [...readText(path).matchAll(/\]\(([^)\s]+)\)|<img src="([^"]+)"/g)].map((m) => m[1] ?? m[2] ?? '');
  return targets.filter((target) => {
    if (/^[a-z]+:/.test(target)) return false;
    const [file = '', anchor] = target.split('#');
    const there = file === '' ? path : normalize(join(dirname(path), file));
    if (!files.has(there) && ![...files].some((f) => f.startsWith(`${there}/`))) return true;
    return anchor !== undefined && !anchorsOf(readText(there)).includes(anchor);
  });
}

const anchorsOf = (page: string): string[] =>
  [...page.matchAll(/^#+ (.*)$/gm)].map((m) =>
    (m[1] ?? '')
      .toLowerCase()
      .replaceAll(/[^\p{L}\p{N} _-]/gu, '')
      .replaceAll(' ', '-'),
  );

/** A line of a shell block: what is set before the command, the words of the command, without comment. */
export function commandOf(line: string): { readonly variables: string[]; readonly words: string[] } {
  const all = [...line.replace(/\s+#.*$/, '').matchAll(/(?:'[^']*'|[^\s'])+/g)].map((m) => m[0]);
  const from = all.findIndex((word) => !/^[A-Z][A-Z0-9_]*=/.test(word));
  const words = from < 0 ? [] : all.slice(from);
  return { variables: all.slice(0, all.length - words.length).map((v) => v.split('=')[0] ?? ''), words };
}
