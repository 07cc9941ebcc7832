import { group, option, part } from './dom.js';

/** @typedef {import('./types.d.ts').LibraryAnswer} LibraryAnswer */
/** @typedef {import('./types.d.ts').LibraryRow} LibraryRow */

/**
 * The lists at the head of the dialog: source and target, and the mappings between them.
 * @param {HTMLElement} root
 * @param {{ onFile(path: string): void, onTopics(): void }} on Told about what a person chooses.
 */
export function createChooser(root, on) {
  const from = topicLists(root, 'v2gate-map-from', () => chosen('from'));
  const to = topicLists(root, 'v2gate-map-to', () => chosen('to'));
  const file = part(root, 'node-input-file', HTMLSelectElement);
  /** @type {LibraryAnswer} */
  let library = { mappings: [], topics: [] };
  file.addEventListener('change', () => {
    const row = library.mappings.find((m) => m.path === file.value);
    if (row) place(row);
    on.onFile(file.value);
  });

  /** @param {'from' | 'to'} side */
  function chosen(side) {
    if (side === 'from') to.offer(library.topics, targetsOf(library, from.value()));
    listFiles();
    on.onTopics();
  }

  /** @param {LibraryRow} row */
  function place({ from: source, to: [target] }) {
    topics(source, target ?? '');
  }

  /** @param {string} source @param {string} target */
  function topics(source, target) {
    from.set(source);
    to.offer(library.topics, targetsOf(library, source));
    to.set(target);
    listFiles();
  }

  /** The mappings between the chosen messages; the one in use stays in the list. */
  function listFiles() {
    const fits = (/** @type {LibraryRow} */ m) =>
      from.matches(m.from) && (to.value() === '' ? to.matches(m.to[0] ?? '') : m.to.includes(to.value()));
    const rows = library.mappings.filter(fits);
    const used = file.value;
    const offered = rows.map((m) => option(m.path, labelOf(m)));
    const other = used !== '' && !rows.some((m) => m.path === used) ? [group('in use', [option(used)])] : [];
    const none = rows.length === 0 ? 'none is shipped; write your own' : `choose one of ${rows.length} …`;
    file.replaceChildren(option('', none), ...other, ...offered);
    file.value = used;
  }

  return {
    /** @param {LibraryAnswer} given */
    fill(given) {
      library = given;
      from.offer(given.topics, new Set(given.mappings.map((m) => m.from)));
      to.offer(given.topics, targetsOf(given, ''));
      const row = given.mappings.find((m) => m.path === file.value);
      if (row) place(row);
      else listFiles();
    },
    topics,
    from: from.value,
    to: to.value,
    file: () => file.value,
    /** @param {string} path */
    setFile(path) {
      if (![...file.options].some((o) => o.value === path)) file.append(option(path));
      file.value = path;
    },
    folder: () => library.folder,
  };
}

/** @param {LibraryRow} m */
const labelOf = (m) => `${m.path.replace(/\.jsonata$/, '')}${m.own ? ' (own folder)' : ''}`;

/** @param {LibraryAnswer} library @param {string} source */
const targetsOf = (library, source) =>
  new Set(library.mappings.filter((m) => source === '' || m.from === source).flatMap((m) => m.to));

/**
 * Two lists for one topic: its language, and the message of that language.
 * @param {HTMLElement} root
 * @param {string} id
 * @param {() => void} onChange
 */
function topicLists(root, id, onChange) {
  const language = part(root, `${id}-language`, HTMLSelectElement);
  const message = part(root, id, HTMLSelectElement);
  /** @type {readonly string[]} */
  let all = [];
  /** @type {ReadonlySet<string>} */
  let mapped = new Set();
  const languages = () => [...new Set(all.map((t) => t.split('/')[0] ?? ''))];
  const value = () => (language.value === '' || message.value === '' ? '' : `${language.value}/${message.value}`);

  function listMessages() {
    const used = message.value;
    const names = all.filter((t) => t.startsWith(`${language.value}/`)).map((t) => t.slice(language.value.length + 1));
    const shipped = names.filter((n) => mapped.has(`${language.value}/${n}`));
    const others = names.filter((n) => !shipped.includes(n));
    message.replaceChildren(
      option('', language.value === '' ? 'any message' : `any of ${names.length} messages`),
      ...(shipped.length > 0
        ? [
            group(
              'mapped by the pack',
              shipped.map((n) => option(n)),
            ),
          ]
        : []),
      ...(others.length > 0
        ? [
            group(
              'others',
              others.map((n) => option(n)),
            ),
          ]
        : []),
    );
    message.disabled = language.value === '';
    message.value = names.includes(used) ? used : '';
  }

  language.addEventListener('change', () => {
    listMessages();
    onChange();
  });
  message.addEventListener('change', onChange);
  return {
    value,
    /** @param {string} topic */
    matches: (topic) =>
      value() === '' ? language.value === '' || topic.startsWith(`${language.value}/`) : topic === value(),
    /** @param {readonly string[]} topics @param {ReadonlySet<string>} withMapping */
    offer(topics, withMapping) {
      all = topics;
      mapped = withMapping;
      const used = language.value;
      language.replaceChildren(option('', 'any'), ...languages().map((l) => option(l)));
      language.value = languages().includes(used) ? used : '';
      listMessages();
    },
    /** @param {string} topic */
    set(topic) {
      const [lang = '', name = ''] = topic.split('/');
      language.value = languages().includes(lang) ? lang : '';
      listMessages();
      message.value = all.includes(topic) ? name : '';
    },
  };
}
