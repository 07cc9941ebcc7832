import { Script } from 'node:vm';
import { SETTINGS } from '../../gateway/settings.ts';
import { HUB_MESSAGES, HUB_PARTS, SiteFile } from '../../model/index.ts';
import { NODES } from '../../nodes/registry.ts';
import { Act } from '../../simulators/fo/scenario-file.ts';
import { Control } from '../../simulators/stations/index.ts';
import { type Block, blocksOf } from './guides.ts';
import { readText } from './rules/source.ts';

/** Why a block is not run. There are no other reasons. */
export const REASONS = [
  'asks for a password',
  'needs a container engine',
  'needs a peer of your own',
  'opens a network address',
  'takes minutes: these are the checks themselves',
] as const;

/** Pages whose every block one test runs or validates. */
export const OWN_TEST: Readonly<Record<string, string>> = {
  'docs/mappings.md': 'test/gateway/mappings-guide.test.ts',
  'docs/operators.md': 'test/repo/guides.test.ts',
  'core/mapping/README.md': 'test/core-mapping/readme.test.ts',
};

/** Marks of JSON that test/repo/guides.test.ts validates, each on its page. */
const VALIDATED = ['secrets', 'station'];

/** What is wrong with a block of a page: nobody holds it true, or it is not true; undefined when all is well. */
export async function blockComplaint(block: Block, files: ReadonlySet<string>): Promise<string | undefined> {
  const { language, mark = '', text } = block;
  const [kind = '', value = ''] = mark.split(/: (.*)/s);
  switch (`${language} ${kind}`) {
    case 'sh run':
      return files.has(value) ? undefined : `there is no test ${value}`;
    case 'sh not run':
      return REASONS.some((r) => r === value) ? undefined : `“${value}” is no reason that counts`;
    case 'js function':
      return runFunction(text, value);
    case 'js settings.js':
      return unknownSettings(text);
    case 'json hub':
      return MESSAGES.get(value) ? said(MESSAGES.get(value)?.check(JSON.parse(text))) : `there is no hub/${value}`;
    case 'json site part':
      return said(SiteFile.check(withPart(yard(), JSON.parse(text))));
    case 'json fleet order':
      return said(Control.check(JSON.parse(text)));
    case 'json fo order':
      return said(Act.check({ atS: 0, ...Object(JSON.parse(text)) }));
    case 'json evidence question':
      return evidenceComplaint(Object(JSON.parse(text)));
    case 'text picture':
    case 'text output':
      return undefined;
    default:
      return language === 'json' && VALIDATED.includes(mark) ? undefined : `nobody runs or checks it (mark “${mark}”)`;
  }
}

/** The shell blocks of a page that a test runs. */
export const blocksFor = (page: string, test: string): Block[] =>
  blocksOf(readText(page)).filter((b) => b.mark === `run: ${test}`);

/** The site file of the README. */
export const yard = (): object => JSON.parse(readText('docs/yard.json'));

/** A site file with a part of a page in it; a station takes the place of that of the same identity. */
export function withPart(site: object, part: object): object {
  const identity = (s: unknown): unknown => Reflect.get(Object(s), 'identity');
  const given: readonly unknown[] = Reflect.get(part, 'stations') ?? [];
  const others: readonly unknown[] = Reflect.get(site, 'stations') ?? [];
  const kept = others.filter((s) => !given.some((g) => identity(g) === identity(s)));
  return { ...site, ...part, stations: [...given, ...kept] };
}

const said = (issues: readonly Issue[] = []): string | undefined =>
  issues.length === 0 ? undefined : issues.map((i) => `${i.path}: ${i.message}`).join('; ');

/** What a node may send or get, by name. */
const MESSAGES: ReadonlyMap<string, Checked> = new Map<string, Checked>(
  Object.entries({ ...HUB_PARTS, ...HUB_MESSAGES }),
); // bounded by: the messages of the model

interface Checked {
  readonly example: unknown;
  check(value: unknown): readonly Issue[];
}

interface Issue {
  readonly path: string;
  readonly message: string;
}

/** Runs the text of a function node on the example of a message; it must return messages of Node-RED, or nothing. */
async function runFunction(text: string, topic: string): Promise<string | undefined> {
  const message = MESSAGES.get(topic.replace(/^hub\//, ''));
  if (topic !== 'any' && message === undefined) return `there is no ${topic}`;
  const kept = new Map<string, unknown>(); // bounded by: one call
  const context = { get: (key: string) => kept.get(key), set: (key: string, v: unknown) => void kept.set(key, v) };
  const msg = { topic, payload: Object(structuredClone(message?.example ?? {})), v2gate: { id: 'x', replyTo: 'y' } };
  const made: unknown = new Script(`((msg, context) => {${text}\n})`).runInThisContext()(msg, context);
  const messages = [made].flat().filter((m) => m !== null && m !== undefined);
  const bad = messages.find((m) => typeof m !== 'object' || !('payload' in Object(m)));
  if (bad !== undefined) return 'it returns something that is no message';
  const [first] = messages;
  const passedOn = first === msg && typeof msg.payload === 'object' && !('status' in msg.payload);
  return passedOn ? said(message?.check(msg.payload)) : undefined;
}

function unknownSettings(text: string): string | undefined {
  const given: unknown = new Script(`({${text}}).v2gate`).runInThisContext();
  const unknown = Object.keys(Object(given)).filter((name) => !Object.hasOwn(SETTINGS, name));
  return unknown.length === 0 ? undefined : `no settings: ${unknown.join(', ')}`;
}

function evidenceComplaint(question: Readonly<Record<string, unknown>>): string | undefined {
  const fields = NODES.find((n) => n.type === 'v2gate-evidence')?.fields ?? [];
  const unknown = Object.keys(question).filter((k) => k !== 'id' && !fields.some((f) => f.name === k));
  const asks: readonly string[] = fields.find((f) => f.name === 'ask')?.options ?? [];
  if (unknown.length > 0) return `no fields: ${unknown.join(', ')}`;
  return asks.includes(String(question.ask)) ? undefined : `${question.ask} cannot be asked for`;
}
