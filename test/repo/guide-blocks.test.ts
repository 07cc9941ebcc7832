import { describe, expect, it } from 'vitest';
import { blockComplaint, blocksFor, OWN_TEST, REASONS } from './guide-blocks.ts';
import { blocksOf } from './guides.ts';
import { listFiles, readText } from './rules/source.ts';

const files = listFiles();
const there = new Set(files); // bounded by: the files
const pages = files.filter((f) => /\.md$/.test(f) && !f.startsWith('docs/reference/') && !isGenerated(f));

/** Written by a tool, whose test holds it. */
function isGenerated(path: string): boolean {
  return /^(<!-- Generated|# Performance\n\nWritten) by /.test(readText(path));
}

const complaintOf = (page: string): Promise<string | undefined>[] =>
  blocksOf(page).map((block) => blockComplaint(block, there));

describe('the code blocks of every page', () => {
  it.each(pages)('of %s are run, validated, or say why not', async (path) => {
    const text = readText(path);
    const fences = [...text.matchAll(/^ *```\w/gm)].length;
    const blocks = blocksOf(text);
    expect(blocks.length).toBe(fences);
    if (Object.hasOwn(OWN_TEST, path)) return expect(there.has(OWN_TEST[path] ?? '')).toBe(true);
    const found = await Promise.all(
      blocks.map(async (b) => ({ line: b.line, complaint: await blockComplaint(b, there) })),
    );
    expect(found.filter((f) => f.complaint !== undefined)).toEqual([]);
  });

  it('are run by the test that they name', () => {
    const test = 'test/system/guides.test.ts';
    expect(pages.flatMap((p) => blocksFor(p, test)).length).toBeGreaterThan(8);
    expect(readText(test)).toContain('blocksFor(');
  });
});

describe('a block that nobody holds true is found', () => {
  const json = (mark: string, body: string): string => `<!-- ${mark} -->\n\`\`\`json\n${body}\n\`\`\`\n`;
  const js = (mark: string, body: string): string => `<!-- ${mark} -->\n\`\`\`js\n${body}\n\`\`\`\n`;

  it.each([
    '```sh\nnpm start\n```\n',
    '<!-- not run: no time -->\n```sh\nnpm start\n```\n',
    '<!-- run: test/repo/none.test.ts -->\n```sh\nnpm start\n```\n',
    '```json\n{}\n```\n',
    '```text\nx\n```\n',
    json('hub: Nothing', '{}'),
    json('hub: ServiceTarget', '{"fsrId": 1}'),
    json('site part', '{"stations": [{"identity": "A"}]}'),
    json('fleet order', '{"station": "A", "fault": "sleep"}'),
    json('fo order', '{"do": "dance"}'),
    json('evidence question', '{"ask": "everything"}'),
    js('function: hub/ServiceTarget', 'msg.payload.targetW = "much"; return msg;'),
    js('function: any', 'return 7;'),
    js('settings.js', 'v2gate: { hots: 1 }'),
  ])('%s', async (page) => {
    const [complaint] = await Promise.all(complaintOf(page));
    expect(complaint).toEqual(expect.any(String));
  });

  it.each(REASONS)('a block may not be run because it %s', async (reason) => {
    expect(await Promise.all(complaintOf(`<!-- not run: ${reason} -->\n\`\`\`sh\nx\n\`\`\`\n`))).toEqual([undefined]);
  });
});
