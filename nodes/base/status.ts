import type { NodeStatus } from 'node-red';

/** How a node feels, in the colours of the editor. */
export type Mood = 'good' | 'waiting' | 'attention' | 'bad';

const LOOKS = {
  good: { fill: 'green', shape: 'dot' },
  waiting: { fill: 'grey', shape: 'ring' },
  attention: { fill: 'yellow', shape: 'ring' },
  bad: { fill: 'red', shape: 'ring' },
} as const;

const MAX_WORDS = 60;

/** A status always says something in words; the colour only repeats it. */
export function statusOf(mood: Mood, words: string): NodeStatus {
  const text = words.length > MAX_WORDS ? `${words.slice(0, MAX_WORDS - 1)}…` : words;
  return { ...LOOKS[mood], text };
}
