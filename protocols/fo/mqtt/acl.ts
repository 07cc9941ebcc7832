import { partsOf } from './topics.ts';
import type { FoBrokerPrincipal } from './types.ts';

const LEAVES: Readonly<Record<'dn' | 'up', RegExp>> = {
  dn: /^(ctl|fast|link|rsp\/[A-Za-z0-9._:-]{1,64})$/,
  up: /^(ctl|tel|link|res\/[A-Za-z0-9._:-]{1,64}|rsp\/[A-Za-z0-9._:-]{1,64})$/,
};
const RETAINED = /^(link|res\/.*)$/;
const FILTERS: Readonly<Record<'dn' | 'up', RegExp>> = {
  dn: /^(#|\+|ctl|fast|link|rsp\/(\+|#|[A-Za-z0-9._:-]{1,64}))$/,
  up: /^(#|\+|ctl|tel|link|(res|rsp)\/(\+|#|[A-Za-z0-9._:-]{1,64}))$/,
};

/** Each party writes only its own branch, and retains only what fo 9.1 says is retained. */
export function mayPublish(who: FoBrokerPrincipal, topic: string, retain: boolean): boolean {
  const at = partsOf(topic);
  if (!at || at.side !== who.side || !LEAVES[who.side].test(at.rest)) return false;
  if (who.side === 'dn' ? at.foId !== who.foId : at.gwId !== who.gwId) return false;
  return !retain || RETAINED.test(at.rest);
}

/** Each party reads only what is written for it; the gateway also what it retains itself. Ids stand in full. */
export function maySubscribe(who: FoBrokerPrincipal, filter: string): boolean {
  const at = partsOf(filter);
  if (!at) return false;
  if (who.side === 'dn') return at.foId === who.foId && at.side === 'up' && FILTERS.up.test(at.rest);
  if (at.gwId !== who.gwId) return false;
  return at.side === 'dn' ? FILTERS.dn.test(at.rest) : at.side === 'up' && at.rest === 'res/+';
}
