import { docTable } from '../../core/schema.ts';
import { HUB_MESSAGES, HUB_PARTS } from '../../model/index.ts';

/** The hub language: what may stand on a wire, and the parts of which it is made. */
export function messagesPage(): string {
  const sections = (messages: Readonly<Record<string, Parameters<typeof docTable>[0]>>): string[] =>
    Object.entries(messages)
      .sort(([a], [b]) => (a < b ? -1 : 1))
      .map(([, message]) => docTable(message));
  return [
    '# Messages of the hub language',
    '',
    'Units stand in the names of fields: W, Wh, V, A, s. Powers are positive for charging (import) and negative for',
    'discharging (export); limits have no sign and a direction in their name. Times are UTC.',
    '',
    '## Messages on wires',
    '',
    '`msg.topic` is `hub/<name>`, `msg.payload` has the fields below.',
    '',
    ...sections(HUB_MESSAGES),
    '## Parts',
    '',
    ...sections(HUB_PARTS),
  ].join('\n');
}
