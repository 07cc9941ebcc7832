import {
  createValidators,
  isVersion,
  type JsonSchema,
  type Part,
  readSchemas,
  type Validators,
  VERSIONS,
  type Version,
} from '../../protocols/ocpp/index.ts';

/** Schemas of OCPP messages by topic, for checks of mappings. */
export interface OcppSchemas {
  /** The schema of e.g. `ocpp2.1/MeterValuesRequest`; undefined for other topics. */
  message(topic: string): JsonSchema | undefined;
  /** What is wrong with a payload that we would send, as `<JSON pointer> <sentence>`. Compiles the schema when first asked. */
  fault(topic: string, payload: unknown): string | undefined;
  /** All topics of all versions; reads about 2 MB of schemas. */
  topics(): readonly string[];
}

const ENDING: Readonly<Record<Part, string>> = { request: 'Request', response: 'Response', send: '' };

/** Reads the schemas of a version when they are first asked for. */
export function createOcppSchemas(): OcppSchemas {
  // bounded by: the versions of OCPP
  const read = new Map<Version, ReadonlyMap<string, JsonSchema>>();
  // bounded by: the versions of OCPP
  const validators = new Map<Version, Validators>();
  const of = (version: Version): ReadonlyMap<string, JsonSchema> => {
    const known = read.get(version);
    if (known) return known;
    const all = readSchemas(version).map(({ action, part, schema }) => [`${action}${ENDING[part]}`, schema] as const);
    // bounded by: the messages of a version
    const made = new Map(all);
    read.set(version, made);
    return made;
  };
  return {
    message(topic) {
      const [language = '', name = ''] = topic.split('/');
      return isVersion(language) ? of(language).get(name) : undefined;
    },
    fault(topic, payload) {
      const [language = '', name = ''] = topic.split('/');
      if (!isVersion(language) || !of(language).has(name)) return undefined;
      const known = validators.get(language) ?? createValidators(language);
      validators.set(language, known);
      const part = name.endsWith('Request') ? 'request' : name.endsWith('Response') ? 'response' : 'send';
      const violation = known.action(name.replace(/(Request|Response)$/, ''))?.check(part, payload);
      return violation && `${violation.path} ${violation.message}`;
    },
    topics: () =>
      Object.values(VERSIONS).flatMap(({ version }) => [...of(version).keys()].map((name) => `${version}/${name}`)),
  };
}
