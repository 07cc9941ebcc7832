import { describe, expect, it } from 'vitest';
import { toggle } from '../../nodes/editor/browser/virtual.js';

const MARKUP = '<img src=x onerror="alert(1)">';

/** The editor puts a notice into the page as HTML. */
async function noticeOf(name: string, answer: { words: string } | undefined) {
  const told: string[] = [];
  const request = {
    done(then: (body: unknown) => void) {
      if (answer) then(answer);
      return request;
    },
    fail(then: (request: { status: number; responseJSON?: unknown }) => void) {
      if (!answer) then({ status: 400, responseJSON: { what: `wrong: ${MARKUP}` } });
      return request;
    },
  };
  const type = { category: 'v2gate', _: (key: string) => key };
  const RED = {
    nodes: { node: () => null, getType: () => type },
    notify: (text: string) => void told.push(text),
  };
  await toggle({ RED, $: { ajax: () => request }, node: { id: 'v', type: 'v2gate-virtual-fo', _def: type, name } });
  return told;
}

describe('notices of the editor', () => {
  it('show names of nodes and what programs say as text', async () => {
    expect(await noticeOf('Größe & <b>', { words: MARKUP })).toEqual([
      'Größe &#38; &#60;b&#62;: &#60;img src=x onerror=&#34;alert(1)&#34;&#62;',
    ]);
    expect((await noticeOf('x', undefined)).join()).not.toContain('<');
  });
});
