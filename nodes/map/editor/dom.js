/** Small helpers for the workbench. Texts only ever go in as text. */

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

/**
 * The element with this id in the dialog.
 * @template {HTMLElement} T
 * @param {ParentNode} root
 * @param {string} id
 * @param {new () => T} type
 * @returns {T}
 */
export function part(root, id, type) {
  const found = root.querySelector(`#${id}`);
  if (found instanceof type) return found;
  throw new Error(`The dialog has no ${type.name} #${id}.`);
}

/** @param {Element} element @param {string} text Changed only where it differs, so that screen readers are left in peace. */
export function say(element, text) {
  if (element.textContent !== text) element.textContent = text;
}

/** @param {number} n @param {string} what */
export const counted = (n, what) => `${n} ${what}${n === 1 ? '' : 's'}`;

/** @param {string} icon name of Font Awesome 4, which the editor brings */
export const icon = (icon) => h('i', { class: `fa fa-${icon}`, 'aria-hidden': 'true' });

/**
 * An option of a list.
 * @param {string} value
 * @param {string} [label]
 */
export function option(value, label = value) {
  const made = h('option', {}, label);
  made.value = value;
  return made;
}

/** @param {string} label @param {readonly HTMLOptionElement[]} options */
export const group = (label, options) => h('optgroup', { label }, ...options);
