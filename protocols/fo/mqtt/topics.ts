import { isId } from '../../../core/ids.ts';
import type { FoVia } from '../types.ts';

/** Which side of a pair: the gateway writes `up`, the operator writes `dn` (fo 9.1). */
export type PairSide = 'up' | 'dn';

const PREFIX = 'v2gfo/1';
const TOKEN = /^[A-Za-z0-9._:-]{1,64}$/;

/** All topics of one FO and one gateway (fo 9.1). */
export interface PairTopics {
  /** What this side writes. */
  readonly own: Branch;
  /** What the other side writes. */
  readonly other: Branch;
}

export interface Branch {
  readonly ctl: string;
  readonly fast: string;
  readonly tel: string;
  readonly link: string;
  /** Ends in `/`; an evcsId follows. */
  readonly res: string;
  /** Ends in `/`; a token follows. */
  readonly rsp: string;
}

/** `v2gfo/1/{foId}/{gwId}`: ids have no character that means something in a topic. */
export const pairRoot = (foId: string, gwId: string): string => `${PREFIX}/${foId}/${gwId}`;

export function pairTopics(side: PairSide, foId: string, gwId: string): PairTopics {
  const root = pairRoot(foId, gwId);
  const other = side === 'up' ? 'dn' : 'up';
  return { own: branch(`${root}/${side}`), other: branch(`${root}/${other}`) };
}

function branch(at: string): Branch {
  return {
    ctl: `${at}/ctl`,
    fast: `${at}/fast`,
    tel: `${at}/tel`,
    link: `${at}/link`,
    res: `${at}/res/`,
    rsp: `${at}/rsp/`,
  };
}

/** The channel of a message of the other side; undefined for what is no topic of the pair. */
export function channelOf(topic: string, other: Branch): FoVia['channel'] | 'link' | 'res' | undefined {
  if (topic === other.fast) return 'fast';
  if (topic === other.ctl) return 'ctl';
  if (topic === other.tel) return 'tel';
  if (topic === other.link) return 'link';
  if (topic.startsWith(other.rsp)) return 'rsp';
  return topic.startsWith(other.res) ? 'res' : undefined;
}

/** True for a response topic on which `own` may answer: in its `rsp` branch of the same pair, one level, no wildcard. */
export const mayAnswerAt = (topic: string, own: Branch): boolean =>
  topic.startsWith(own.rsp) && TOKEN.test(topic.slice(own.rsp.length));

/** One topic or filter taken apart. */
export interface TopicParts {
  readonly foId: string;
  readonly gwId: string;
  readonly side: string;
  /** `ctl`, `link`, `res/{evcsId}`, … */
  readonly rest: string;
}

/** Undefined for everything that does not lie in a pair. Wildcards are returned as they are. */
export function partsOf(topic: string): TopicParts | undefined {
  const [prefix, version, foId = '', gwId = '', side = '', ...rest] = topic.split('/');
  if (`${prefix}/${version}` !== PREFIX || !isId(foId) || !isId(gwId)) return undefined;
  return { foId, gwId, side, rest: rest.join('/') };
}
