/** OCPP-J frames (ocpp 1.2): decoding never throws, encoding never produces anything unreadable. */

/** Type numbers of ocpp 1.2. */
export const CALL = 2;
export const CALLRESULT = 3;
export const CALLERROR = 4;
export const CALLRESULTERROR = 5;
export const SEND = 6;

/** The id in the answer to a frame whose own id cannot be read (ocpp 1.2). */
export const UNREADABLE_ID = '-1';

/** The standard says 36; longer ones are taken and echoed, as stations in the field send them. */
const MAX_ID = 255;
const MAX_DESCRIPTION = 255;

export type Frame =
  | {
      readonly type: typeof CALL | typeof SEND;
      readonly id: string;
      readonly action: string;
      readonly payload: unknown;
    }
  | { readonly type: typeof CALLRESULT; readonly id: string; readonly payload: unknown }
  | {
      readonly type: typeof CALLERROR | typeof CALLRESULTERROR;
      readonly id: string;
      readonly code: string;
      readonly description: string;
    }
  /** A message type of no version; the id is there if it could be read. */
  | { readonly type: 'unknown'; readonly id: string | undefined }
  | {
      readonly type: 'bad';
      /** `answers`: it is an answer itself, or cannot be told apart from one, and must not be answered. */
      readonly answers: boolean;
      readonly id: string | undefined;
      readonly tooLarge: boolean;
      readonly reason: string;
    };

export interface FrameLimits {
  /** Longest frame in characters (UTF-16 units). */
  readonly maxChars: number;
  /** Deepest nesting of arrays and objects, the frame's own array included. */
  readonly maxDepth: number;
  /** Ending of the members that may nest deeply; frames without it are left to the schema, which bounds their depth. */
  readonly openMark: string | undefined;
}

/** Reads one frame. `null` or absent payloads become `{}` (ocpp 8). */
export function decode(text: string, limits: FrameLimits): Frame {
  if (text.length > limits.maxChars) return tooLarge(text, `longer than ${limits.maxChars} characters`);
  if (mayBeDeep(text, limits) && tooDeep(text, limits.maxDepth))
    return tooLarge(text, `nested deeper than ${limits.maxDepth} levels`);
  let frame: unknown;
  try {
    frame = JSON.parse(text);
  } catch {
    return bad(undefined, 'The frame is not JSON.');
  }
  if (!Array.isArray(frame)) return bad(undefined, 'The frame is not a JSON array.');
  return read(frame);
}

function read(frame: readonly unknown[]): Frame {
  const [type, rawId] = frame;
  const id = typeof rawId === 'string' && rawId.length > 0 && rawId.length <= MAX_ID ? rawId : undefined;
  switch (type) {
    case CALL:
    case SEND: {
      const action = frame[2];
      if (id === undefined)
        return bad(id, 'The id of the message is not a string of 1 to 255 characters.', type === SEND);
      if (typeof action !== 'string') return bad(id, 'The action is not a string.', type === SEND);
      if (frame.length > 4) return bad(id, 'The frame has more than four elements.', type === SEND);
      return { type, id, action, payload: frame[3] ?? {} };
    }
    case CALLRESULT:
      if (id === undefined) return bad(id, 'The id of the answer is not a string.', true);
      return { type, id, payload: frame[2] ?? {} };
    case CALLERROR:
    case CALLRESULTERROR: {
      if (id === undefined) return bad(id, 'The id of the error is not a string.', true);
      const [, , code, description] = frame;
      return {
        type,
        id,
        code: typeof code === 'string' ? code.slice(0, 64) : '',
        description: typeof description === 'string' ? description.slice(0, MAX_DESCRIPTION) : '',
      };
    }
    default:
      return typeof type === 'number' ? { type: 'unknown', id } : bad(id, 'The message type is not a number.');
  }
}

function bad(id: string | undefined, reason: string, answers = false): Frame {
  return { type: 'bad', id, reason, answers, tooLarge: false };
}

/** The head of a frame that is not parsed: enough to answer it. */
const HEAD = /^\s*\[\s*(\d{1,3})\s*,\s*"([^"\\]{1,255})"/;

function tooLarge(text: string, how: string): Frame {
  const head = HEAD.exec(text.slice(0, 320));
  const type = Number(head?.[1] ?? CALL);
  return {
    type: 'bad',
    id: head?.[2],
    reason: `The frame is ${how}.`,
    answers: type > CALL && type <= SEND,
    tooLarge: true,
  };
}

const QUOTE = 34;
const BACKSLASH = 92;
const OPEN_BRACKET = 91;
const CLOSE_BRACKET = 93;
const OPEN_BRACE = 123;
const CLOSE_BRACE = 125;

/** A native search costs a tenth of a walk over the text; a backslash may hide the name of a member. */
function mayBeDeep(text: string, { maxDepth, openMark }: FrameLimits): boolean {
  if (openMark === undefined || text.length < 2 * maxDepth) return false;
  return text.includes(openMark) || text.includes('\\u');
}

/** Whether brackets nest deeper than `max`; strings are skipped with native searches. */
function tooDeep(text: string, max: number): boolean {
  let depth = 0;
  for (let i = 0; i < text.length; i++) {
    const c = text.charCodeAt(i);
    if (c === QUOTE) {
      i = endOfString(text, i);
      if (i < 0) return false;
    } else if (c === OPEN_BRACKET || c === OPEN_BRACE) {
      if (++depth > max) return true;
    } else if (c === CLOSE_BRACKET || c === CLOSE_BRACE) depth--;
  }
  return false;
}

/** Index of the quote that ends the string opened at `start`, -1 if it never ends. */
function endOfString(text: string, start: number): number {
  for (let end = text.indexOf('"', start + 1); end >= 0; end = text.indexOf('"', end + 1)) {
    let slashes = 0;
    while (text.charCodeAt(end - 1 - slashes) === BACKSLASH) slashes++;
    if (slashes % 2 === 0) return end;
  }
  return -1;
}

/** `[2, id, action, payload]`. Throws what JSON.stringify throws. */
export function encodeCall(id: string, action: string, payload: unknown): string {
  return `[2,${JSON.stringify(id)},${JSON.stringify(action)},${stringify(payload)}]`;
}

/** `[6, id, action, payload]`, 2.1 only. Throws what JSON.stringify throws. */
export function encodeSend(id: string, action: string, payload: unknown): string {
  return `[6,${JSON.stringify(id)},${JSON.stringify(action)},${stringify(payload)}]`;
}

/** `[3, id, payload]`. Throws what JSON.stringify throws. */
export function encodeResult(id: string, payload: unknown): string {
  return `[3,${JSON.stringify(id)},${stringify(payload)}]`;
}

/** `[4 or 5, id, code, description, {}]`; the description is cut to 255 characters. */
export function encodeError(
  type: typeof CALLERROR | typeof CALLRESULTERROR,
  id: string,
  code: string,
  description: string,
): string {
  return `[${type},${JSON.stringify(id)},${JSON.stringify(code)},${JSON.stringify(cut(description))},{}]`;
}

/** Payloads that JSON cannot express (undefined, functions) become `{}`. */
function stringify(payload: unknown): string {
  return JSON.stringify(payload ?? {}) ?? '{}';
}

function cut(description: string): string {
  return description.length <= MAX_DESCRIPTION ? description : `${description.slice(0, MAX_DESCRIPTION - 1)}…`;
}
