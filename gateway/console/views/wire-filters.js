/**
 * @import { FleetSnapshot } from '../../../model/index.ts'
 * @import { WireEntry } from '../trace.js'
 */
import { byId, h, icon } from '../dom.js';
import { STAGES } from '../trace.js';
import { serviceTypeWords } from '../words.js';

/** Choices of a list: more are reached by typing. */
const MAX_CHOICES = 300;

/**
 * The filters of the wire timeline; they stand in the address, so that a view can be sent to somebody.
 * @param {{ edited: () => void, changed: () => void }} o edited: by hand; changed: also by the address
 */
export function wireFilters({ edited, changed }) {
  const follow = byId('wire-follow', HTMLInputElement);
  const known = byId('wire-known', HTMLElement);
  const peer = byId('wire-peer', HTMLSelectElement);
  const resource = byId('wire-resource', HTMLSelectElement);
  const topic = byId('wire-topic', HTMLInputElement);
  const stages = stageBoxes(byId('wire-stages', HTMLElement), () => edited());
  byId('wire-filters', HTMLFormElement).addEventListener('submit', (event) => event.preventDefault());
  for (const input of [follow, peer, resource]) input.addEventListener('change', edited);
  follow.addEventListener('search', edited);
  topic.addEventListener('input', edited);
  // There is no room for them on a phone until somebody wants them.
  if (matchMedia('(max-width: 46rem)').matches) byId('wire-more', HTMLDetailsElement).open = false;
  let taken = '';
  /** @type {Set<string>} bounded by: MAX_CHOICES */
  const peers = new Set();

  const query = () => ({
    follow: follow.value.trim(),
    stage: stages.chosen(),
    peer: peer.value,
    resource: resource.value,
    topic: topic.value.trim(),
  });
  return {
    query,
    /** What the address asks for, when it is another. @param {Readonly<Record<string, string>>} params @param {FleetSnapshot | undefined} snapshot */
    take(params, snapshot) {
      const resources = (snapshot?.resources ?? []).slice(0, MAX_CHOICES).map((r) => r.resourceId);
      choices(resource, [...resources, ...(params.resource === undefined ? [] : [params.resource])]);
      const services = snapshot?.services ?? [];
      datalist(
        known,
        services.map((s) => [s.fsrId, `${serviceTypeWords(s.serviceType)} of ${s.foId}`]),
      );
      const text = JSON.stringify(params);
      if (text === taken) return;
      taken = text;
      if (params.peer !== undefined) peers.add(params.peer);
      choices(peer, [...peers]);
      follow.value = params.follow ?? '';
      topic.value = params.topic ?? '';
      peer.value = params.peer ?? '';
      resource.value = params.resource ?? '';
      stages.take(params.stage ?? '');
      changed();
    },
    /** Partners that were seen can be chosen. @param {readonly WireEntry[]} entries */
    learn(entries) {
      const before = peers.size;
      for (const e of entries) if (e.peer !== undefined && peers.size < MAX_CHOICES) peers.add(e.peer);
      if (peers.size > before) choices(peer, [...peers].sort());
    },
    /** Whether an entry of a request that is followed is to be shown. @param {WireEntry} e */
    fits(e) {
      const { stage, peer: who, resource: what, topic: name } = query();
      return (
        (stage === '' || stage.split(',').includes(e.stage)) &&
        (who === '' || e.peer === who) &&
        (what === '' || e.resourceIds?.includes(what) === true) &&
        (name === '' || `${e.topic} ${e.summary ?? ''}`.toLowerCase().includes(name.toLowerCase()))
      );
    },
  };
}

/** @param {HTMLElement} place @param {() => void} changed */
function stageBoxes(place, changed) {
  const boxes = STAGES.map((s) => {
    const box = h('input', { type: 'checkbox', value: s.id });
    box.checked = true;
    box.addEventListener('change', changed);
    const symbol = icon();
    symbol.show(`stage-${s.id}`);
    place.append(h('label', { class: 'stage', 'data-stage': s.id, title: s.doc }, box, symbol.node, s.label));
    return box;
  });
  return {
    /** Comma-separated; '' for all. */
    chosen() {
      const on = boxes.filter((b) => b.checked);
      return on.length === boxes.length ? '' : on.map((b) => b.value).join(',');
    },
    /** @param {string} text */
    take(text) {
      const wanted = text.split(',');
      for (const box of boxes) box.checked = text === '' || wanted.includes(box.value);
    },
  };
}

/** @param {HTMLSelectElement} select @param {readonly string[]} values */
function choices(select, values) {
  const [all] = select.options;
  const next = [...new Set(values)];
  if (
    [...select.options]
      .slice(1)
      .map((o) => o.value)
      .join('\n') === next.join('\n')
  )
    return;
  const chosen = select.value;
  select.replaceChildren(...(all === undefined ? [] : [all]), ...next.map((v) => h('option', { value: v }, v)));
  select.value = next.includes(chosen) ? chosen : '';
}

/** @param {HTMLElement} list @param {readonly (readonly [string, string])[]} items */
function datalist(list, items) {
  const text = items.map(([v]) => v).join('\n');
  if (list.dataset.items === text) return;
  list.dataset.items = text;
  list.replaceChildren(...items.map(([value, label]) => h('option', { value, label })));
}
