/** Small helpers for the page. Texts only ever go in as text. */

/**
 * The element with this id, which index.html has.
 * @template {HTMLElement} T
 * @param {string} id
 * @param {new () => T} type
 * @returns {T}
 */
export function byId(id, type) {
  const found = document.getElementById(id);
  if (found instanceof type) return found;
  throw new Error(`index.html has no ${type.name} #${id}`);
}

/**
 * A new element.
 * @template {keyof HTMLElementTagNameMap} K
 * @param {K} tag
 * @param {Readonly<Record<string, string>>} [attributes]
 * @param {...(Node | string)} children
 * @returns {HTMLElementTagNameMap[K]}
 */
export function h(tag, attributes = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, value);
  element.append(...children);
  return element;
}

/** Changes a text only where it differs, so that selections and screen readers are left in peace. @param {Node} node @param {string} text */
export function setText(node, text) {
  if (node.textContent !== text) node.textContent = text;
}

/** @param {Element} element @param {string} name @param {string | undefined} value undefined removes it */
export function setAttr(element, name, value) {
  if (value === undefined) element.removeAttribute(name);
  else if (element.getAttribute(name) !== value) element.setAttribute(name, value);
}

const SVG = 'http://www.w3.org/2000/svg';

/**
 * A symbol of icons.svg that can be changed.
 * @returns {{ node: SVGElement, show: (name: string) => void }}
 */
export function icon() {
  const node = document.createElementNS(SVG, 'svg');
  const use = document.createElementNS(SVG, 'use');
  node.setAttribute('class', 'icon');
  node.setAttribute('aria-hidden', 'true');
  node.append(use);
  return {
    node,
    show(name) {
      node.toggleAttribute('hidden', name === '');
      setAttr(use, 'href', name === '' ? undefined : `icons.svg#${name}`);
    },
  };
}

/**
 * A new element of a picture.
 * @template {keyof SVGElementTagNameMap} K
 * @param {K} tag
 * @param {Readonly<Record<string, string>>} [attributes]
 * @param {...(Node | string)} children
 * @returns {SVGElementTagNameMap[K]}
 */
export function svg(tag, attributes = {}, ...children) {
  const element = document.createElementNS(SVG, tag);
  for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, value);
  element.append(...children);
  return element;
}

/**
 * Makes a long list one stop for the tab key: arrows, Home and End move within it.
 * @param {HTMLElement} list
 * @param {string} selector of what takes the focus
 */
export function roving(list, selector) {
  const items = () => /** @type {HTMLElement[]} */ ([...list.querySelectorAll(selector)]);
  /** @param {HTMLElement | undefined} chosen */
  const stop = (chosen) => {
    for (const item of items()) item.tabIndex = item === chosen ? 0 : -1;
  };
  list.addEventListener('focusin', (event) => {
    const target = event.target instanceof Element ? event.target.closest(selector) : null;
    if (target instanceof HTMLElement) stop(target);
  });
  list.addEventListener('keydown', (event) => {
    const all = items();
    const now = document.activeElement instanceof HTMLElement ? all.indexOf(document.activeElement) : -1;
    if (now < 0) return;
    const [after, before] = [now + 1, now - 1];
    const step = {
      ArrowDown: after,
      ArrowRight: after,
      ArrowUp: before,
      ArrowLeft: before,
      Home: 0,
      End: all.length - 1,
    }[event.key];
    const next = step === undefined ? undefined : all[step];
    if (next === undefined) return;
    event.preventDefault();
    next.focus();
  });
  return {
    /** To be called when the list has changed: one of its items must take the tab key. */
    refresh() {
      const all = items();
      const stops = all.filter((item) => item.tabIndex === 0);
      if (all.length > 0 && stops.length !== 1) stop(all.find((i) => i.hasAttribute('aria-current')) ?? all[0]);
    },
  };
}

/**
 * Words with a symbol, in a tone.
 * @returns {{ node: HTMLElement, show: (words: { text: string, icon: string, tone: string }) => void }}
 */
export function badge() {
  const symbol = icon();
  const text = h('span');
  const node = h('span', { class: 'words' }, symbol.node, text);
  return {
    node,
    show(words) {
      symbol.show(words.icon);
      setText(text, words.text);
      setAttr(node, 'data-tone', words.tone);
    },
  };
}

/**
 * Keeps the children of a parent equal to a list, by key; elements stay the same as long as their key is there.
 * @template T
 * @param {HTMLElement} parent
 * @param {object} o
 * @param {(item: T) => string} o.key
 * @param {(item: T) => { node: HTMLElement, show: (item: T) => void }} o.make
 * @returns {(items: readonly T[]) => void}
 */
export function keyed(parent, { key, make }) {
  /** @type {Map<string, { node: HTMLElement, show: (item: T) => void }>} */
  let known = new Map();
  return (items) => {
    const next = new Map(items.map((item) => [key(item), known.get(key(item)) ?? make(item)]));
    for (const [id, { node }] of known) if (!next.has(id)) node.remove();
    known = next;
    let place = parent.firstElementChild;
    for (const item of items) {
      const row = next.get(key(item));
      if (row === undefined) continue;
      row.show(item);
      if (row.node === place) place = place.nextElementSibling;
      else parent.insertBefore(row.node, place);
    }
  };
}

/**
 * A table of index.html, with the roles that its layout as cards takes away, and reachable by keyboard where it is too
 * wide for its place.
 * @param {string} id
 * @param {string} title id of its heading
 */
export function tableOf(id, title) {
  const table = byId(id, HTMLTableElement);
  setAttr(table, 'role', 'table');
  setAttr(table, 'aria-labelledby', title);
  const place = table.parentElement;
  if (place === null) return table;
  const watcher = new ResizeObserver(() => {
    const wide = place.scrollWidth > place.clientWidth;
    setAttr(place, 'tabindex', wide ? '0' : undefined);
    setAttr(place, 'role', wide ? 'region' : undefined);
    setAttr(place, 'aria-label', wide ? `${document.getElementById(title)?.textContent ?? ''}, table` : undefined);
  });
  watcher.observe(place);
  watcher.observe(table);
  return table;
}

/**
 * The header row of a table.
 * @param {...HTMLElement} heads
 */
export function headOf(...heads) {
  return h('thead', { role: 'rowgroup' }, h('tr', { role: 'row' }, ...heads));
}

/** @param {boolean} isNumber @param {...(Node | string)} children */
export function head(isNumber, ...children) {
  return h('th', { role: 'columnheader', scope: 'col', class: isNumber ? 'number' : '' }, ...children);
}

/**
 * A cell of a table that is laid out as cards on narrow screens, which takes the roles of plain table markup away.
 * @param {string} label the column's name
 * @param {string} [className]
 * @param {...(Node | string)} children
 */
export function cell(label, className = '', ...children) {
  return h('td', { role: 'cell', 'data-label': label, class: className }, ...children);
}
