/**
 * Contracts with operators in words.
 * @import { Contract } from '../../model/index.ts'
 * @import { Words } from './words.js'
 */
import { duration, power } from './format.js';

/** @type {Readonly<Record<Contract['status'], Words>>} */
const STATUS = {
  draft: { text: 'Draft', icon: 'half', tone: 'quiet' },
  proposed: { text: 'Proposed', icon: 'waiting', tone: '' },
  active: { text: 'Active', icon: 'check', tone: 'good' },
  suspended: { text: 'Suspended', icon: 'suspended', tone: 'warn' },
  terminated: { text: 'Terminated', icon: 'cross', tone: 'quiet' },
  rejected: { text: 'Rejected', icon: 'cross', tone: 'quiet' },
  expired: { text: 'Expired', icon: 'waiting', tone: 'quiet' },
};

/** The state of a contract; one that is active counts only within its time. @param {Contract} c @param {number} now epoch ms @returns {Words} */
export function statusWords({ status, validFrom, validTo }, now) {
  if (status === 'active' && Date.parse(validTo) <= now) return { text: 'Run out', icon: 'waiting', tone: 'warn' };
  if (status === 'active' && Date.parse(validFrom) > now) return { text: 'Not begun', icon: 'waiting', tone: '' };
  return STATUS[status] ?? { text: status, icon: 'unknown', tone: '' };
}

/** @param {Contract} c */
export function validityWords({ validFrom, validTo }) {
  return `${validFrom.slice(0, 10)} – ${validTo.slice(0, 10)}`;
}

const NAMED = 3;

/** @param {Contract['scope']} scope */
export function scopeWords({ siteIds, groupIds, resourceIds, evRefs }) {
  /** @param {readonly string[] | undefined} ids @param {string} what */
  const some = (ids, what) => {
    if (ids === undefined || ids.length === 0) return [];
    return [ids.length <= NAMED ? ids.join(', ') : `${ids.length} ${what}`];
  };
  return [
    ...some(siteIds, 'sites'),
    ...some(groupIds, 'groups'),
    ...some(resourceIds, 'resources'),
    ...some(evRefs, 'vehicles'),
  ].join('; ');
}

/** What counts beside the services themselves, one line each. @param {Contract} c */
export function termsWords(c) {
  const { optPolicy: opt, proof } = c;
  return [
    ...(c.maxImportW === undefined ? [] : [`import at most ${power(c.maxImportW)}`]),
    ...(c.maxExportW === undefined ? [] : [`export at most ${power(c.maxExportW)}`]),
    ...(c.minSocPct === undefined ? [] : [`no vehicle below ${c.minSocPct} %`]),
    ...(c.minNoticeS === undefined ? [] : [`asked for ${duration(c.minNoticeS * 1000)} ahead`]),
    ...(c.maxDurationS === undefined ? [] : [`at most ${duration(c.maxDurationS * 1000)} long`]),
    ...(c.maxActivationsPerDay === undefined ? [] : [`at most ${c.maxActivationsPerDay} times a day`]),
    opt.optOutAllowed
      ? `opt-out ${opt.optOutNoticeS > 0 ? `with ${duration(opt.optOutNoticeS * 1000)} notice` : 'at any time'}`
      : 'no opt-out',
    `proof every ${duration(proof.intervalS * 1000)}${proof.signed ? ', signed' : ''}`,
  ];
}
