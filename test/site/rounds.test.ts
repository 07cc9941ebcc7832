import { expect, it } from 'vitest';
import { manualClock } from '../../core/clock.ts';
import { Rounds } from '../../hub/site/rounds.ts';

it('the first cause gets its round at once, many that follow share one', async () => {
  const clock = manualClock();
  const seen: string[] = [];
  const rounds = new Rounds({ clock, size: () => 1000, round: (reason) => seen.push(reason) });
  for (let i = 0; i < 1000; i++) rounds.cause(`c${i}`);
  expect(seen).toEqual(['c0']);
  await clock.advance(130);
  expect(seen).toEqual(['c0', 'c999']);
  await clock.advance(1000);
  rounds.cause('later');
  expect(seen).toHaveLength(3);
});

it('a clock that is set back holds no round up, and nothing comes after the end', async () => {
  const clock = manualClock();
  const seen: string[] = [];
  const rounds = new Rounds({ clock, size: () => 10, round: (reason) => seen.push(reason) });
  rounds.cause('a');
  clock.set(clock.now() - 3_600_000);
  rounds.cause('b');
  expect(seen).toEqual(['a', 'b']);
  rounds.cause('c');
  rounds.close();
  rounds.cause('d');
  await clock.advance(10_000);
  expect(seen).toEqual(['a', 'b']);
  expect(clock.pending).toBe(0);
});
