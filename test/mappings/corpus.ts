import { silentLog } from '../../core/log.ts';
import { createMappingLibrary, type MappingEntry, type MappingLibrary } from '../../core/mapping/library.ts';
import { fileSource } from '../../gateway/mapping-files.ts';
import { HUB_MESSAGES, type HubMessageName } from '../../model/index.ts';
import { createValidators, isVersion, type Validators, type Version } from '../../protocols/ocpp/index.ts';

export const MAPPINGS = new URL('../../mappings', import.meta.url).pathname;

export const openLibrary = (): MappingLibrary =>
  createMappingLibrary({ roots: [MAPPINGS], files: fileSource(), log: silentLog });

const validators = new Map<Version, Validators>();

/** What is wrong with a payload of that topic; undefined when it fits its schema. */
export function fault(topic: string, payload: unknown): string | undefined {
  const [language = '', name = ''] = topic.split('/');
  if (language === 'hub') {
    if (!isHubMessage(name)) return `${topic} is no hub message`;
    const [first] = HUB_MESSAGES[name].check(payload);
    return first && `${first.path} ${first.message}`;
  }
  if (!isVersion(language)) return `${language} is no language of this test`;
  const known = validators.get(language) ?? createValidators(language);
  validators.set(language, known);
  const violation = known.action(name.replace(/Request$/, ''))?.check('request', payload);
  return violation && `${violation.path} ${violation.message}`;
}

const isHubMessage = (name: string): name is HubMessageName => Object.hasOwn(HUB_MESSAGES, name);

/** The messages that a run of a mapping made. */
export function messagesOf(entry: MappingEntry, result: unknown): { topic: string; payload: unknown }[] {
  if (typeof result === 'object' && result !== null && 'messages' in result) {
    return result.messages as { topic: string; payload: unknown }[];
  }
  return [{ topic: entry.to[0] ?? '', payload: result }];
}
