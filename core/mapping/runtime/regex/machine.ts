import type { Re, Syntax } from './syntax.ts';

/*
 * A backtracking matcher that counts its steps and can be stopped. It gives what `RegExp.exec` gives, some fifty times
 * slower; only patterns whose time cannot be bounded in advance run on it.
 */

type Op =
  | { readonly op: 'char'; readonly test: RegExp; readonly back: boolean }
  | { readonly op: 'place'; readonly test: RegExp }
  | { readonly op: 'set'; readonly reg: number; readonly value?: number }
  | { readonly op: 'clear'; readonly from: number; readonly to: number }
  | { readonly op: 'jump'; readonly to: number }
  | { readonly op: 'fork'; readonly to: number }
  /** Decides whether a loop goes on; `reg` counts its iterations, `reg + 1` is where the current one began. */
  | { op: 'loop'; reg: number; min: number; max: number; lazy: boolean; exit: number }
  | { readonly op: 'again'; readonly reg: number; readonly min: number; readonly to: number }
  | { readonly op: 'ref'; readonly groups: readonly number[]; readonly ignoreCase: boolean; readonly back: boolean }
  | { op: 'look'; negative: boolean; exit: number }
  | { readonly op: 'done' };

export interface Program {
  readonly ops: readonly Op[];
  readonly groups: number;
  readonly registers: number;
}

export function programOf(syntax: Syntax): Program {
  const c = new Compiler(2 * (syntax.groups + 1));
  c.emit(syntax.root, false);
  c.ops.push({ op: 'done' });
  return { ops: c.ops, groups: syntax.groups, registers: c.registers };
}

class Compiler {
  readonly ops: Op[] = [];
  registers: number;

  constructor(registers: number) {
    this.registers = registers;
  }

  /** `back`: inside a lookbehind, where matching goes to the left. */
  emit(re: Re, back: boolean): void {
    switch (re.kind) {
      case 'char':
        this.ops.push({ op: 'char', test: re.test, back });
        return;
      case 'place':
        this.ops.push({ op: 'place', test: re.test });
        return;
      case 'seq':
        for (const item of back ? re.items.toReversed() : re.items) this.emit(item, back);
        return;
      case 'alt':
        this.alternatives(re.options, back);
        return;
      case 'group':
        this.ops.push({ op: 'set', reg: 2 * re.index + (back ? 1 : 0) });
        this.emit(re.body, back);
        this.ops.push({ op: 'set', reg: 2 * re.index + (back ? 0 : 1) });
        return;
      case 'ref':
        this.ops.push({ op: 'ref', groups: re.groups, ignoreCase: re.ignoreCase, back });
        return;
      case 'look':
        this.look(re);
        return;
      case 'loop':
        this.loop(re, back);
    }
  }

  private alternatives(options: readonly Re[], back: boolean): void {
    const ends: number[] = [];
    options.forEach((option, i) => {
      const fork = this.ops.length;
      if (i < options.length - 1) this.ops.push({ op: 'fork', to: 0 });
      this.emit(option, back);
      if (i === options.length - 1) return;
      ends.push(this.ops.length);
      this.ops.push({ op: 'jump', to: 0 });
      this.ops[fork] = { op: 'fork', to: this.ops.length };
    });
    for (const end of ends) this.ops[end] = { op: 'jump', to: this.ops.length };
  }

  private look(re: Extract<Re, { kind: 'look' }>): void {
    const look: Op = { op: 'look', negative: re.negative, exit: 0 };
    this.ops.push(look);
    this.emit(re.body, !re.ahead);
    this.ops.push({ op: 'done' });
    look.exit = this.ops.length;
  }

  private loop(re: Extract<Re, { kind: 'loop' }>, back: boolean): void {
    const { min, max, lazy } = re;
    const reg = this.registers;
    this.registers += 2;
    this.ops.push({ op: 'set', reg, value: 0 });
    const start = this.ops.length;
    const loop: Op = { op: 'loop', reg, min, max, lazy, exit: 0 };
    this.ops.push(loop);
    this.ops.push({ op: 'set', reg: reg + 1 });
    if (re.to > re.from) this.ops.push({ op: 'clear', from: 2 * re.from, to: 2 * re.to });
    this.emit(re.body, back);
    this.ops.push({ op: 'again', reg, min, to: start });
    loop.exit = this.ops.length;
  }
}

/** Where a match begins and ends, and its groups. */
export interface Found {
  readonly start: number;
  readonly end: number;
  readonly groups: readonly (string | undefined)[];
}

/** Finds the first match at or behind `from`. `spend` is told of steps and may throw. */
export function execute(p: Program, text: string, from: number, spend: (steps: number) => void): Found | undefined {
  const run = new Run(p, text, spend);
  for (let start = from; start <= text.length; start++) {
    const end = run.begin(start);
    if (end < 0) continue;
    const groups = Array.from({ length: p.groups }, (_, i) => run.group(i + 1));
    return { start, end, groups };
  }
  return undefined;
}

/** Steps between two reports. */
const REPORT = 256;

class Run {
  private readonly p: Program;
  private readonly text: string;
  private readonly spend: (steps: number) => void;
  private readonly regs: number[];
  /** Old values of registers, for going back: register, value, register, value… */
  private readonly trail: number[] = [];
  /** Choices not taken yet: instruction, place, length of the trail. */
  private readonly choices: number[] = [];
  private steps = 0;

  constructor(p: Program, text: string, spend: (steps: number) => void) {
    this.p = p;
    this.text = text;
    this.spend = spend;
    this.regs = new Array<number>(p.registers).fill(-1);
    spend(1);
  }

  begin(at: number): number {
    this.regs.fill(-1);
    this.trail.length = 0;
    return this.from(0, at);
  }

  group(index: number): string | undefined {
    const [from = -1, to = -1] = this.regs.slice(2 * index, 2 * index + 2);
    return from < 0 || to < 0 ? undefined : this.text.slice(from, to);
  }

  /** Runs from an instruction and a place to the next `done`; gives the place reached, −1 for none. */
  from(pc: number, at: number): number {
    const bottom = this.choices.length;
    let next = pc;
    let i = at;
    for (;;) {
      if (++this.steps === REPORT) {
        this.steps = 0;
        this.spend(REPORT);
      }
      const op = this.p.ops[next];
      if (!op || op.op === 'done') {
        this.choices.length = bottom;
        return i;
      }
      next++;
      let moved = i;
      switch (op.op) {
        case 'char':
          moved = this.char(op.test, i, op.back);
          break;
        case 'place':
          op.test.lastIndex = i;
          if (!op.test.test(this.text)) moved = -1;
          break;
        case 'set':
          this.set(op.reg, op.value ?? i);
          break;
        case 'clear':
          for (let reg = op.from; reg < op.to; reg++) this.set(reg, -1);
          break;
        case 'jump':
          next = op.to;
          break;
        case 'fork':
          this.choices.push(op.to, i, this.trail.length);
          break;
        case 'loop':
          next = this.loop(op, next, i);
          break;
        case 'again':
          if (this.again(op, i)) next = op.to;
          else moved = -1;
          break;
        case 'ref':
          moved = this.ref(op, i);
          break;
        case 'look':
          if (this.look(op, next, i)) next = op.exit;
          else moved = -1;
      }
      if (moved >= 0) {
        i = moved;
        continue;
      }
      if (this.choices.length === bottom) return -1;
      this.undo(this.choices.pop() ?? 0);
      i = this.choices.pop() ?? 0;
      next = this.choices.pop() ?? 0;
    }
  }

  private set(reg: number, value: number): void {
    this.trail.push(reg, this.regs[reg] ?? -1);
    this.regs[reg] = value;
  }

  private undo(length: number): void {
    while (this.trail.length > length) {
      const value = this.trail.pop() ?? -1;
      const reg = this.trail.pop() ?? 0;
      this.regs[reg] = value;
    }
  }

  private char(test: RegExp, i: number, back: boolean): number {
    const at = back ? i - 1 : i;
    if (at < 0 || at >= this.text.length) return -1;
    test.lastIndex = at;
    if (!test.test(this.text)) return -1;
    return back ? at : at + 1;
  }

  private loop(op: Extract<Op, { op: 'loop' }>, body: number, i: number): number {
    const count = this.regs[op.reg] ?? 0;
    if (count < op.min) return body;
    if (count >= op.max) return op.exit;
    this.choices.push(op.lazy ? body : op.exit, i, this.trail.length);
    return op.lazy ? op.exit : body;
  }

  /** The end of an iteration; one without characters counts only while iterations are still owed. */
  private again(op: Extract<Op, { op: 'again' }>, i: number): boolean {
    const count = this.regs[op.reg] ?? 0;
    if (count >= op.min && this.regs[op.reg + 1] === i) return false;
    this.set(op.reg, count + 1);
    return true;
  }

  private ref(op: Extract<Op, { op: 'ref' }>, i: number): number {
    const wanted = op.groups.map((g) => this.group(g)).find((g) => g !== undefined) ?? '';
    const at = op.back ? i - wanted.length : i;
    const given = at < 0 ? '' : this.text.substr(at, wanted.length);
    if (given.length !== wanted.length) return -1;
    const same = op.ignoreCase ? folded(given) === folded(wanted) : given === wanted;
    this.spend(1 + (wanted.length >> 6));
    if (!same) return -1;
    return op.back ? at : at + wanted.length;
  }

  private look(op: Extract<Op, { op: 'look' }>, body: number, i: number): boolean {
    const mark = this.trail.length;
    const found = this.from(body, i) >= 0;
    if (op.negative || !found) this.undo(mark);
    return found !== op.negative;
  }
}

/** Upper case as patterns without the flag u compare it: one character each, ASCII only with ASCII. */
const folded = (text: string): string =>
  Array.from({ length: text.length }, (_, i) => {
    const c = text.charAt(i);
    const upper = c.toUpperCase();
    return upper.length !== 1 || (c >= '\u0080' && upper < '\u0080') ? c : upper;
  }).join('');
