import { settingsMarkdown } from '../../gateway/settings.ts';

/** Every environment variable of the gateway. */
export function settingsPage(): string {
  return [
    '# Settings',
    '',
    'The gateway reads its settings from environment variables when it starts.',
    '',
    settingsMarkdown(),
  ].join('\n');
}
