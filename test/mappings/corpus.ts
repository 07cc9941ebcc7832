import { silentLog } from '../../core/log.ts';
import { createMappingLibrary, type MappingEntry, type MappingLibrary } from '../../core/mapping/library.ts';
import { fileSource } from '../../gateway/mapping-files.ts';
import { HUB_MESSAGES, type HubMessageName } from '../../model/index.ts';
import { createValidators, isVersion, type Validators, type Version } from '../../protocols/ocpp/index.ts';
import { type JsonSchema, readSchemas } from '../../protocols/ocpp/schemas.ts';

export const MAPPINGS = new URL('../../mappings', import.meta.url).pathname;

export const openLibrary = (): MappingLibrary =>
  createMappingLibrary({ roots: [MAPPINGS], files: fileSource(), log: silentLog });

const validators = new Map<Version, Validators>();
const schemas = new Map<Version, ReturnType<typeof readSchemas>>();

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

/** Names of the members of a message, or of the object at a dotted path inside it; undefined when there is none. */
export function membersOf(topic: string, path = ''): readonly string[] | undefined {
  const [language = '', name = ''] = topic.split('/');
  if (language === 'hub') return isHubMessage(name) ? HUB_MESSAGES[name].fields.map((f) => f.name) : undefined;
  if (!isVersion(language)) return undefined;
  const all = schemas.get(language) ?? readSchemas(language);
  schemas.set(language, all);
  const root = all.find((s) => s.action === name.replace(/Request$/, '') && s.part === 'request')?.schema;
  const inner = path
    .split('.')
    .reduce<JsonSchema | undefined>((s, key) => (key === '' ? s : child(root, s, key)), root);
  return inner && Object.keys(inner.properties ?? {});
}

function child(root: JsonSchema | undefined, schema: JsonSchema | undefined, key: string): JsonSchema | undefined {
  const found = schema?.properties?.[key];
  const definition = found?.$ref?.replace('#/definitions/', '');
  return definition === undefined ? found : root?.definitions?.[definition];
}

/** The messages that a run of a mapping made. */
export function messagesOf(entry: MappingEntry, result: unknown): { topic: string; payload: unknown }[] {
  if (typeof result === 'object' && result !== null && 'messages' in result) {
    return result.messages as { topic: string; payload: unknown }[];
  }
  return [{ topic: entry.to[0] ?? '', payload: result }];
}

/** The text of a mapping without its header and comments. */
export const bodyOf = (entry: MappingEntry): string => entry.mapping.source.replace(/\/\*[\s\S]*?\*\//g, '');
