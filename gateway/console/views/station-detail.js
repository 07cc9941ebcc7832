/**
 * @import { FleetEntry, StationCapabilities } from '../../../model/index.ts'
 * @import { ApiResult } from '../api.js'
 * @import { Order } from '../orders.js'
 * @import { Me } from '../session.js'
 * @import { Go, View } from './frame.js'
 */
import { orderId, ordersFor, outcomeOf, outcomeSentence, settingLines } from '../orders.js';
import { may } from '../session.js';
import { capabilitiesOf, capabilityFacts, ladderOf, notesOf, stateFacts } from '../station-facts.js';
import { optSentence } from '../words.js';
import { sayDone, sayError, sayList, sayRefused, sayWaiting } from './answer.js';
import { detailDialog } from './detail.js';
import { askBefore, askFor } from './question.js';

/** What a station can do is asked for again this often. */
const AGAIN_MS = 5_000;

/** What was seen of a station, as it was asked for. @typedef {{ key: string, seen: StationCapabilities | undefined }} Seen */

/**
 * One resource in full: what its station can do, why it is not commanded better, and what an operator can do with it.
 * @param {object} o
 * @param {(resourceId: string) => Promise<ApiResult>} o.load
 * @param {(body: object) => Promise<ApiResult>} o.opt
 * @param {(identity: string) => Promise<ApiResult>} o.remove
 * @param {(identity: string, body: object) => Promise<ApiResult>} o.order
 * @param {() => void} o.refresh
 * @param {Go} o.go
 * @returns {View & { open: (resourceId: string, from: HTMLElement) => void }}
 */
export function stationDetail({ load, opt, remove, order, refresh, go }) {
  const dialog = detailDialog('station');
  /** @type {Seen | undefined} */
  let seen;
  let askedAt = Number.NEGATIVE_INFINITY;
  /** @type {FleetEntry | undefined} */
  let current;

  /** A station may be probed while somebody looks. @param {string} key @param {number} mono */
  const look = (key, mono) => {
    askedAt = mono;
    void load(key).then((result) => {
      if (result.ok) seen = { key, seen: capabilitiesOf(result.body) };
      refresh();
    });
  };
  /** @param {'in' | 'out'} choice */
  const choose = async (choice) => {
    const entry = current;
    if (entry === undefined) return;
    const { resourceId } = entry;
    const answer = await askFor(optQuestion(resourceId, choice));
    if (answer === undefined) return;
    const { reason = '' } = answer;
    const result = await opt({
      choice,
      actor: 'cso',
      scope: { resources: [resourceId] },
      ...(reason === '' ? {} : { reason }),
    });
    if (result.ok) sayDone(dialog.answer, optSentence(resourceId, choice));
    else sayError(dialog.answer, choice === 'out' ? 'Opting out' : 'Opting in', result.error);
  };
  const drop = async () => {
    const identity = current?.identity;
    if (identity === undefined) return;
    const yes = await askBefore({
      title: `Remove ${identity}?`,
      text: 'It is none of the site any more: it is disconnected, no longer commanded, and not counted in services. When it connects again it has to be accepted again. It may go on drawing what it was last allowed until that ends by itself.',
      yes: 'Remove station',
    });
    if (!yes) return;
    const result = await remove(identity);
    if (result.ok) sayDone(dialog.answer, `${identity} is no station of the site any more.`);
    else sayError(dialog.answer, `Removing ${identity}`, result.error);
  };

  /** @param {FleetEntry} entry @param {Order} one */
  const give = async (entry, { action, label, question, body }) => {
    const answers = await askFor(question);
    const identity = entry.identity;
    if (answers === undefined || identity === undefined) return;
    sayWaiting(dialog.answer, `${label.replace(/ …$/, '')}: waiting for the station …`);
    const result = await order(identity, { orderId: orderId(), action, ...body(answers) });
    if (!result.ok) sayError(dialog.answer, label.replace(/ …$/, ''), result.error);
    else {
      const outcome = outcomeOf(result.body);
      const say = outcome.state === 'rejected' ? sayRefused : sayDone;
      if (outcome.settings === undefined) say(dialog.answer, outcomeSentence(outcome, label));
      else sayList(dialog.answer, `Settings of ${identity}`, settingLines(outcome));
    }
  };

  /** @param {string} resource */
  const leave = (resource) => {
    dialog.close();
    go('wire', { resource });
  };
  /** @param {boolean} isOut @param {boolean} removable */
  const operatorActions = (isOut, removable) => [
    {
      name: 'opt',
      label: isOut ? 'Opt in …' : 'Opt out …',
      run: () => void choose(isNowOut(current) ? 'in' : 'out'),
    },
    ...(removable ? [{ name: 'remove', label: 'Remove station …', run: () => void drop() }] : []),
  ];

  return {
    open(resourceId, from) {
      seen = undefined;
      askedAt = Number.NEGATIVE_INFINITY;
      dialog.open(resourceId, from);
      refresh();
    },
    show({ site, now, mono, me }) {
      const key = dialog.key();
      if (key === undefined) return;
      if (mono - askedAt >= AGAIN_MS) look(key, mono);
      current = site?.view.snapshot.resources.find((r) => r.resourceId === key);
      if (current === undefined) {
        dialog.show(undefined);
        return;
      }
      const isOut = current.optState === 'out';
      const removable = current.identity !== undefined && (site?.view.accepted ?? []).includes(current.identity);
      const capabilities = seen?.key === key ? seen.seen : undefined;
      dialog.show({
        title: key,
        facts: [...stateFacts(current, now), ...capabilityFacts(capabilities, seen?.key === key)],
        ladder: ladderOf(capabilities),
        lists: listOf('What could not be seen or set', notesOf(current, capabilities)),
        groups: [
          ...(may(me, 'operator')
            ? [{ title: 'Orders to the station', actions: orderActions(current, me, give) }]
            : []),
        ],
        actions: [
          { name: 'wire', label: 'Follow on the wire', run: () => leave(key) },
          ...(may(me, 'operator') ? operatorActions(isOut, removable) : []),
        ],
      });
    },
  };
}

/** @param {FleetEntry | undefined} entry */
const isNowOut = (entry) => entry?.optState === 'out';

/** @param {string} resourceId @param {'in' | 'out'} choice */
function optQuestion(resourceId, choice) {
  const fields = [{ name: 'reason', label: 'Reason, for the event log (optional)' }];
  return choice === 'out'
    ? {
        title: `Opt ${resourceId} out?`,
        text: 'It takes part in no service until it is opted in again; its driver’s plan counts. Limits still hold. A mandatory service refuses this, and a contract may ask for notice.',
        fields,
        yes: 'Opt out',
      }
    : {
        title: `Opt ${resourceId} in?`,
        text: 'It takes part in services again, as far as its driver’s needs allow. What a driver chose at the station stays.',
        fields,
        yes: 'Opt in',
      };
}

/** @param {string} title @param {readonly string[]} lines */
const listOf = (title, lines) => (lines.length === 0 ? [] : [{ title, lines }]);

/** @param {FleetEntry} entry @param {Me} me @param {(entry: FleetEntry, order: Order) => Promise<void>} give */
function orderActions(entry, me, give) {
  return ordersFor(entry, { engineer: may(me, 'engineer') }).map((one) => ({
    name: `order-${one.action}`,
    label: one.label,
    run: () => void give(entry, one),
  }));
}
