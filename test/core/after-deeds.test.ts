import { describe, expect, it } from 'vitest';
import { AfterDeeds } from '../../core/after-deeds.ts';
import { manualClock } from '../../core/clock.ts';

function rig() {
  const clock = manualClock();
  const said: string[] = [];
  const after = new AfterDeeds(clock, (e) => said.push(`failed: ${e instanceof Error ? e.message : ''}`));
  const step = (word: string) => after.later(() => void said.push(word));
  return { clock, said, after, step };
}

describe('what may follow the commands', () => {
  it('is done a moment later, together and in order', async () => {
    const { clock, said, step } = rig();
    step('a');
    await clock.advance(1);
    step('b');
    expect(said).toEqual([]);
    await clock.advance(1);
    expect([said, clock.pending]).toEqual([['a', 'b'], 0]);
    step('c');
    await clock.advance(2);
    expect(said).toEqual(['a', 'b', 'c']);
  });

  it('is done at once when it is asked for, and not again', async () => {
    const { clock, said, after, step } = rig();
    step('a');
    after.flush();
    expect([said, clock.pending]).toEqual([['a'], 0]);
    await clock.advance(10);
    expect(said).toEqual(['a']);
  });

  it('goes on after a step that fails, which is told', async () => {
    const { clock, said, after, step } = rig();
    after.later(() => {
      throw new Error('no');
    });
    step('b');
    await clock.advance(2);
    expect(said).toEqual(['failed: no', 'b']);
  });

  it('does not grow for ever: the oldest go first, and nothing is lost', async () => {
    const { clock, said, step } = rig();
    const words = Array.from({ length: 600 }, (_, i) => `${i}`);
    for (const word of words) step(word);
    expect(said.length).toBeGreaterThan(0);
    await clock.advance(2);
    expect(said).toEqual(words);
  });
});
