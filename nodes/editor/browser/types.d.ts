import type { StageState } from '../../virtual/stage.ts';
import type { Now } from '../routes.ts';
import type { SiteFacts } from '../site-facts.ts';

export type { Now, SiteFacts, StageState };

/** What the dialogs use of the editor of Node-RED. */
export interface EditorRed {
  readonly nodes: {
    node(id: string): EditorNode | null;
    getType(type: string): EditorType;
  };
  notify(text: string, kind: 'success' | 'warning' | 'error'): void;
}

/** A node type; `_` says a text of its locale file. */
export interface EditorType {
  readonly category: string;
  _(key: string, values?: Readonly<Record<string, string | number>>): string;
}

export interface EditorNode {
  readonly id: string;
  readonly type: string;
  readonly _def: EditorType;
  readonly [field: string]: unknown;
}

/** jQuery, whose requests carry the token of the editor's user. */
export interface JQueryLike {
  ajax(options: Readonly<Record<string, unknown>>): Ajax;
}

export interface Ajax {
  done(then: (body: unknown) => void): Ajax;
  fail(then: (request: { readonly status: number; readonly responseJSON?: unknown }) => void): Ajax;
}

/** What the registry says of a field that is more than a text. */
export interface FieldFacts {
  readonly name: string;
  readonly list?: keyof SiteFacts['lists'];
  readonly when?: Readonly<Record<string, readonly string[]>>;
  readonly config?: string;
}

export interface DialogOptions {
  readonly RED: EditorRed;
  readonly $: JQueryLike;
  readonly node: EditorNode;
  readonly fields: readonly FieldFacts[];
  /** Calls again and again; the result ends that. */
  every(ms: number, then: () => void): () => void;
}

/** An order that the panel of a virtual node offers. */
export interface Act {
  /** Key of its words. */
  readonly key: string;
  /** Which inputs it needs. */
  readonly needs: readonly ('station' | 'targetW' | 'forS')[];
  order(values: { readonly station: string; readonly targetW: number; readonly forS: number }): object;
}
