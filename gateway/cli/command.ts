/** Where a command reads and writes. */
export interface Terminal {
  out(line: string): void;
  err(line: string): void;
  readonly stdin: AsyncIterable<Buffer | string>;
  /** Asks for what must not be shown; absent when nobody types. */
  secret?(question: string): Promise<string>;
  /** Width of the output in characters; absent when nobody watches it. */
  readonly columns?: number;
  /** Shows a passing line of progress, `''` clears it; absent when nobody watches. */
  status?(line: string): void;
}

/** One command of `npx v2gate`: takes what stands behind its name, answers the exit code (0 yes, 1 no, 2 called wrongly). */
export type Command = (args: readonly string[], terminal: Terminal) => Promise<number>;
