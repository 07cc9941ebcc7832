import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { Readable } from 'node:stream';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { compile } from '../../core/mapping/index.ts';
import { mappings } from '../../gateway/cli/mappings.ts';

const GUIDE = readFileSync(new URL('../../docs/mappings.md', import.meta.url), 'utf8');

/** A code block of the guide, with the comment before it: `file: <path>` or `run: <message>`. */
interface Block {
  readonly language: string;
  readonly text: string;
  readonly file?: string;
  readonly run?: string;
  readonly line: number;
}

const blocks: Block[] = [...GUIDE.matchAll(/(?:<!-- (file|run): (.*) -->\n)?```(\w+)\n([\s\S]*?)```/g)].map((m) => ({
  language: m[3] ?? '',
  text: (m[4] ?? '').trimEnd(),
  line: GUIDE.slice(0, m.index).split('\n').length,
  ...(m[1] === 'file' && m[2] !== undefined ? { file: m[2] } : {}),
  ...(m[1] === 'run' && m[2] !== undefined ? { run: m[2] } : {}),
}));

let dir = '';
beforeAll(() => {
  dir = mkdtempSync(join(tmpdir(), 'v2gate-guide-'));
});
afterAll(() => rmSync(dir, { recursive: true }));

/** Paths of the guide are below the folder of this run. */
const inside = (arg: string): string => (/^(my-mappings|wrong|suspended\.json)/.test(arg) ? join(dir, arg) : arg);

async function shell(line: string): Promise<string> {
  const [npx, v2gate, command, ...args] = line.split(' ');
  expect([npx, v2gate, command]).toEqual(['npx', 'v2gate', 'mappings']);
  const said: string[] = [];
  const say = (text: string): void => {
    said.push(text.replaceAll(`${dir}/`, ''));
  };
  await mappings(args.map(inside), { out: say, err: say, stdin: Readable.from([]) });
  return said.join('\n');
}

/** `…` stands for anything; spaces at the end of lines do not count. */
function shows(expected: string, got: string): void {
  const pattern = expected
    .split('…')
    .map((part) => part.trim().replace(/[.*+?^${}()|[\]\\]/g, '\\$&'))
    .join('[\\s\\S]*');
  expect(got).toMatch(new RegExp(pattern));
}

describe('docs/mappings.md', () => {
  it('has examples', () => {
    expect(blocks.length).toBeGreaterThan(15);
    expect(blocks.filter((b) => b.language === 'sh').length).toBeGreaterThan(5);
  });

  it.each(blocks.map((b, i) => [b.line, b.language, b, blocks[i + 1]] as const))(
    'line %i: %s',
    async (_line, _lang, block, next) => {
      if (block.file !== undefined) {
        const file = join(dir, block.file);
        mkdirSync(dirname(file), { recursive: true });
        writeFileSync(file, block.text);
        if (block.language === 'json') expect(() => JSON.parse(block.text) as unknown).not.toThrow();
      } else if (block.language === 'sh') {
        expect(next).toBeDefined();
        shows(next?.text ?? '', await shell(block.text));
      } else if (block.run !== undefined) {
        const { mapping, diagnostics } = compile(block.text);
        expect(diagnostics).toEqual([]);
        expect(mapping?.run(JSON.parse(block.run), {})).toEqual(JSON.parse(next?.text ?? ''));
      } else {
        // What a command or an example before it shows; nothing stands alone.
        const before = blocks[blocks.indexOf(block) - 1];
        expect(before?.language === 'sh' || before?.run !== undefined).toBe(true);
      }
    },
  );
});
