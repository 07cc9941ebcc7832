import type { Diagnostic } from '../../../core/mapping/index.ts';
import type { RecentMessage } from '../recent.ts';
import type { CheckAnswer, Trial } from '../workbench/check.ts';
import type { LibraryAnswer, LibraryRow, MappingAnswer, Sample } from '../workbench/library.ts';

export type { CheckAnswer, Diagnostic, LibraryAnswer, LibraryRow, MappingAnswer, RecentMessage, Sample, Trial };

/** What the workbench uses of Monaco, where Node-RED uses it. */
export interface Monaco {
  readonly editor: {
    setModelMarkers(model: object, owner: string, markers: readonly object[]): void;
  };
}

/** What Monaco, Ace and the plain editor of Node-RED have in common, and what only some have. */
export interface NodeRedEditor {
  getValue(): string;
  setValue(text: string, cursor?: number): void;
  on?(event: 'input', listener: () => void): void;
  getSession(): {
    on?(event: 'change', listener: () => void): void;
    setAnnotations?(annotations: readonly object[]): void;
    setUseWorker?(use: boolean): void;
    setTabSize?(size: number): void;
  };
  gotoLine(line: number, column: number, animate?: boolean): void;
  focus(): void;
  resize(): void;
  destroy(): void;
  getModel?(): object | null;
  setPosition?(place: { lineNumber: number; column: number }): void;
  revealLineInCenter?(line: number): void;
  updateOptions?(options: object): void;
}

/** What the workbench uses of the editor of Node-RED. */
export interface EditorRed {
  readonly editor: {
    createEditor(options: Readonly<Record<string, unknown>>): NodeRedEditor;
  };
  notify(text: string, kind: 'warning'): void;
}

interface MapValues extends NodeValues {
  readonly _def: MapDefinition;
}

type Validate = (this: MapValues, value: string | undefined, options: object) => true | string;

/** What the page of the editor gives to a dialog. */
export interface EditorTools extends Pick<WorkbenchOptions, 'RED' | '$' | 'after'> {
  /** Imports a module by its path from the page. */
  load(path: string): Promise<{ mount(o: WorkbenchOptions): Workbench }>;
}

/** What the editor knows of the node type; `_` says a text in the language of the editor. */
export interface MapDefinition {
  readonly defaults: Readonly<Record<'file' | 'text', { validate?: Validate }>>;
  _(key: string): string;
  oneditprepare?: (this: MapValues) => void;
  oneditresize?: (size: { readonly height: number }) => void;
  oneditsave?: () => void;
  oneditcancel?: () => void;
}

/** jQuery, whose requests carry the token of the editor's user. */
export interface JQueryLike {
  ajax(options: Readonly<Record<string, unknown>>): Ajax;
}

export interface Ajax {
  done(then: (body: unknown) => void): Ajax;
  fail(then: (request: { readonly status: number; readonly responseJSON?: unknown }) => void): Ajax;
  abort(): void;
}

/** The saved values of the node, as the dialog leaves them in its form. */
export interface NodeValues {
  readonly id: string;
  readonly source: string;
  readonly file: string;
  readonly text: string;
}

export interface WorkbenchOptions {
  readonly RED: EditorRed;
  readonly $: JQueryLike;
  readonly node: NodeValues;
  readonly root: HTMLElement;
  /** Calls `then` once, `ms` from now; the result takes that back. */
  after(ms: number, then: () => void): () => void;
}

/** A workbench in an open dialog. */
export interface Workbench {
  /** The dialog is closed. */
  close(): void;
}
