import type { NodeMessage } from 'node-red';
import type { Site } from '../../hub/site/types.ts';
import { ChainStatus, EventPage, QueryEvents, QueryRecords, RecordPage } from '../../model/index.ts';
import { textOf, wordOf } from '../base/config.ts';
import { NODE_ERRORS } from '../base/errors.ts';
import type { NodeController, NodeHost } from '../base/host.ts';
import type { SavedConfig } from '../base/migrate.ts';
import { siteOf } from '../base/site-holder.ts';
import { useSite } from '../base/site-nodes.ts';
import { following, fromWire, metaOf } from '../base/wire.ts';
import { chainStatus, documentsOf, eventsOf, type Question } from './answers.ts';

const ASKS = ['chains', 'events', 'records', 'proofs'] as const;
const MAX_LIMIT = 1_000;

interface Answer {
  readonly topic: string;
  readonly payload: object;
  /** For the status of the node. */
  readonly words: string;
}

/**
 * Asks the evidence of the site (fo 9.4): event logs and whether their chains hold, service records, proofs. What the
 * dialog says, values of the payload in its place; or a hub/QueryEvents, hub/QueryRecords for one operator.
 */
export function createEvidence(host: NodeHost, config: SavedConfig): NodeController {
  const holder = siteOf(host, config.site);
  const { clock } = host.runtime;
  const operator = textOf(config, 'operator');
  const usual: Question = {
    ask: wordOf(config, 'ask', ASKS),
    limit: limitOf(config.limit ?? '100'),
    ...(operator === undefined ? {} : { operator }),
  };
  const close = useSite(host, holder, () => []);
  return {
    async input(message, send) {
      const site = holder.require();
      const { topic, payload, words } =
        (await asParty(site, message, operator)) ?? (await answer(site, usual, message));
      const v2gate = following(metaOf(message, clock), clock, site.siteId);
      send(fromWire({ topic, payload, v2gate }, message));
      host.status('good', words);
    },
    close,
  };
}

/** A query of the FO interface, answered as the operator itself would be answered. */
async function asParty(site: Site, { topic, payload }: NodeMessage, operator?: string): Promise<Answer | undefined> {
  if (topic !== `hub/${QueryEvents.name}` && topic !== `hub/${QueryRecords.name}`) return undefined;
  if (operator === undefined) throw NODE_ERRORS.fail('nodes.config', `Name the operator that ${topic} is asked for.`);
  const { evidence } = site;
  const ofEvents = topic === `hub/${QueryEvents.name}`;
  const { data, code, message } = ofEvents
    ? await evidence.queryEvents(operator, QueryEvents.parse(payload))
    : await evidence.queryRecords(operator, QueryRecords.parse(payload));
  if (data === undefined) throw NODE_ERRORS.fail('nodes.message', message ?? `The query was refused: ${code}.`);
  return { topic: `hub/${ofEvents ? EventPage.name : RecordPage.name}`, payload: data, words: `${operator} asked` };
}

async function answer(site: Site, usual: Question, message: NodeMessage): Promise<Answer> {
  const question = { ...usual, ...askedFor(message) };
  switch (question.ask) {
    case 'chains': {
      const payload = await chainStatus(site.evidence, question);
      const broken = payload.chains.filter((c) => !c.ok).length;
      const words = broken === 0 ? `${payload.chains.length} logs unbroken` : `${broken} logs broken`;
      return { topic: `hub/${ChainStatus.name}`, payload, words };
    }
    case 'events': {
      const payload = await eventsOf(site.evidence, question);
      return { topic: `hub/${EventPage.name}`, payload, words: `${payload.entries.length} events` };
    }
    default: {
      const payload = await documentsOf(site.evidence, question);
      const n = payload.records.length + payload.proofs.length;
      return { topic: `hub/${RecordPage.name}`, payload, words: `${n} ${question.ask}` };
    }
  }
}

/** Values of a payload that take the place of the dialog's. */
function askedFor({ payload }: NodeMessage): Partial<Question> {
  if (typeof payload !== 'object' || payload === null) return {};
  const read = (key: string): unknown => Reflect.get(payload, key);
  const text = (key: string): string | undefined => {
    const value = read(key);
    if (value === undefined || (typeof value === 'string' && value.length <= 64)) return value;
    throw NODE_ERRORS.fail('nodes.message', `“${key}” must be a text of at most 64 characters.`);
  };
  const word = text('ask');
  const ask = ASKS.find((a) => a === word);
  if (word !== undefined && ask === undefined)
    throw NODE_ERRORS.fail('nodes.message', `“ask” must be one of ${ASKS.join(', ')}; it is “${word}”.`);
  const operator = text('operator');
  const id = text('id');
  const from = read('from');
  if (from !== undefined && !(Number.isSafeInteger(from) && Number(from) >= 1))
    throw NODE_ERRORS.fail('nodes.message', '“from” must be the logSeq to begin with, from 1.');
  return {
    ...(ask === undefined ? {} : { ask }),
    ...(operator === undefined ? {} : { operator }),
    ...(id === undefined ? {} : { id }),
    ...(from === undefined ? {} : { from: Number(from) }),
    ...(read('limit') === undefined ? {} : { limit: limitOf(read('limit')) }),
  };
}

function limitOf(value: unknown): number {
  const limit = value === '' ? 100 : Number(value);
  if (Number.isInteger(limit) && limit >= 1 && limit <= MAX_LIMIT) return limit;
  throw NODE_ERRORS.fail('nodes.message', `“limit” must be a whole number from 1 to ${MAX_LIMIT}.`);
}
