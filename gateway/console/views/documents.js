/**
 * @import { PublicJwk } from '../../../core/signing.ts'
 * @import { ApiResult } from '../api.js'
 * @import { Verdict } from '../signature.js'
 * @import { Pairing } from '../documents.js'
 * @import { Frame, View } from './frame.js'
 */
import { pairDocuments, proofFigures } from '../documents.js';
import { badge, byId, cell, h, head, headOf, keyed, setText, tableOf } from '../dom.js';
import { timeOfDay } from '../format.js';
import { verifyDocument } from '../signature.js';

const COLUMNS = [
  'Operator',
  'Service',
  'Ended',
  'Outcome',
  'Requested',
  'Delivered',
  'Performance',
  'Signed',
  'Download',
];
const NUMBERS = ['Requested', 'Delivered', 'Performance'];
/** Documents of each kind that the page shows, the newest. */
const SHOWN = 20;
const EVERY_MS = 20_000;

/** @type {Readonly<Record<Verdict, import('../words.js').Words>>} */
const VERDICTS = {
  valid: { text: 'Signature valid', icon: 'check', tone: 'good' },
  invalid: { text: 'Signature wrong', icon: 'cross', tone: 'bad' },
  unknownKey: { text: 'Key not published', icon: 'unknown', tone: 'bad' },
  unsigned: { text: 'Not signed', icon: 'unknown', tone: 'warn' },
  unsupported: { text: 'Not checked', icon: 'unknown', tone: 'warn', more: 'by this browser; use npx v2gate verify' },
};
/** @type {Readonly<Record<string, import('../words.js').Words>>} */
const OUTCOMES = {
  completed: { text: 'Completed', icon: 'check', tone: 'good' },
  aborted: { text: 'Aborted', icon: 'cross', tone: 'warn' },
  failed: { text: 'Failed', icon: 'faulted', tone: 'bad' },
};

/**
 * Service records and their proofs, with signatures checked by this browser.
 * @param {{ urlOf: (siteId: string, path: string) => URL, jwks: URL, ask: (url: URL) => Promise<ApiResult> }} o
 * @returns {View}
 */
export function documentsView({ urlOf, jwks, ask }) {
  const table = tableOf('documents', 'documents-title');
  const body = h('tbody', { role: 'rowgroup' });
  const empty = h('p', { class: 'empty' }, 'A record and a proof are made when a service has ended.');
  table.append(headOf(...COLUMNS.map((c) => head(NUMBERS.includes(c), c))), body);
  table.after(empty);
  const note = byId('documents-note', HTMLElement);
  byId('jwks', HTMLAnchorElement).href = jwks.href;
  const showRows = keyed(body, {
    key: (/** @type {Row} */ r) => `${r.foId}/${r.record?.id ?? r.proof?.id}/${r.proof?.id ?? ''}`,
    make: documentRow,
  });
  /** @type {{ site: string | undefined, at: number, about: string, rows: readonly Row[] }} */
  let known = { site: undefined, at: Number.NEGATIVE_INFINITY, about: '', rows: [] };
  let busy = false;

  /** @param {string} site @param {number} at @param {string} about */
  const load = async (site, at, about) => {
    busy = true;
    known = { site, at, about, rows: known.site === site ? known.rows : [] };
    const [records, proofs, keys] = await Promise.all([
      ask(limited(urlOf(site, 'records'))),
      ask(limited(urlOf(site, 'proofs'))),
      ask(jwks),
    ]);
    if (records.ok && proofs.ok) {
      const pairs = pairDocuments(listOf(records.body, 'records'), listOf(proofs.body, 'proofs')).slice(0, SHOWN);
      const published = keys.ok ? listOf(keys.body, 'keys') : [];
      const rows = await Promise.all(pairs.map((p) => rowOf(p, published, (path) => urlOf(site, path))));
      if (known.site === site) known = { ...known, rows };
    }
    busy = false;
  };
  return {
    show({ state, site, mono }) {
      const siteId = site?.view.siteId;
      const about = changesOf(site);
      const due = mono - known.at >= EVERY_MS || siteId !== known.site || about !== known.about;
      if (siteId !== undefined && state.connection === 'live' && !busy && due) void load(siteId, mono, about);
      const rows = known.site === siteId ? known.rows : [];
      showRows(rows);
      setText(note, rows.length === 0 ? '' : `the newest ${rows.length}`);
      empty.hidden = rows.length > 0;
    },
  };
}

/** A service that leaves or ends may have brought a document. @param {Frame['site']} site */
function changesOf(site) {
  return (site?.view.snapshot.services ?? []).map((s) => `${s.foId}/${s.fsrId}:${s.state}`).join(' ');
}

/** @param {URL} url */
function limited(url) {
  url.searchParams.set('limit', String(SHOWN));
  return url;
}

/**
 * Our own gateway answers, so its lists hold what the routes say.
 * @template T
 * @param {unknown} body @param {string} name
 * @returns {T[]}
 */
function listOf(body, name) {
  const list = typeof body === 'object' && body !== null ? Reflect.get(body, name) : undefined;
  return Array.isArray(list) ? list : [];
}

/** @typedef {Pairing & { verdict: Verdict, links: readonly { text: string, label: string, href: string }[] }} Row */

/**
 * @param {Pairing} pair
 * @param {readonly PublicJwk[]} keys
 * @param {(path: string) => URL} urlOf
 * @returns {Promise<Row>}
 */
async function rowOf(pair, keys, urlOf) {
  const present = [pair.record, pair.proof].filter((d) => d !== undefined);
  const verdicts = await Promise.all(present.map((d) => verifyDocument(d.document, keys)));
  const worst = /** @type {const} */ (['invalid', 'unknownKey', 'unsigned', 'unsupported']).find((v) =>
    verdicts.includes(v),
  );
  /** @param {'records' | 'proofs'} kind @param {string} text @param {{ id: string, foId: string } | undefined} d */
  const link = (kind, text, d) => {
    if (d === undefined) return [];
    const url = urlOf(`${kind}/${encodeURIComponent(d.id)}`);
    url.searchParams.set('fo', d.foId);
    return [{ text, label: `${text} of ${pair.fsrId}`, href: url.href }];
  };
  return {
    ...pair,
    verdict: worst ?? 'valid',
    links: [...link('records', 'Record', pair.record), ...link('proofs', 'Proof', pair.proof)],
  };
}

function documentRow() {
  const fo = h('th', { role: 'rowheader', scope: 'row' });
  const cells = Object.fromEntries(
    COLUMNS.slice(1).map((c) => [c, cell(c, NUMBERS.includes(c) ? 'number' : c === 'Service' ? 'id' : '')]),
  );
  const [outcome, signed] = [badge(), badge()];
  const [method, why] = [h('div', { class: 'why muted' }), h('div', { class: 'why muted' })];
  const performance = h('span');
  cells.Outcome?.append(outcome.node);
  cells.Signed?.append(signed.node, why);
  cells.Performance?.append(performance, method);
  let shown = '';
  return {
    node: h('tr', { role: 'row' }, fo, ...Object.values(cells)),
    /** @param {Row} row */
    show(row) {
      const figures = proofFigures(row.proof);
      setText(fo, row.foId);
      put(cells.Service, row.fsrId);
      put(cells.Ended, timeOfDay(row.endedAt));
      outcome.show(OUTCOMES[row.outcome] ?? { text: row.outcome || '–', icon: '', tone: '' });
      put(cells.Requested, figures.requested);
      put(cells.Delivered, figures.delivered);
      setText(performance, figures.performance);
      setText(method, figures.how);
      const verdict = VERDICTS[row.verdict];
      signed.show(verdict);
      setText(why, verdict.more ?? '');
      const key = row.links.map((l) => l.href).join(' ');
      if (key === shown) return;
      shown = key;
      const anchors = row.links.map((l) => h('a', { href: l.href, download: '', 'aria-label': l.label }, l.text));
      cells.Download?.replaceChildren(...anchors.flatMap((a, i) => (i === 0 ? [a] : [' ', a])));
    },
  };
}

/** @param {HTMLElement | undefined} place @param {string} text */
function put(place, text) {
  if (place !== undefined) setText(place, text);
}
