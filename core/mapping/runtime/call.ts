import { type Builtin, Fn, Tail } from './fn.ts';
import { adapt, fits, type Signature, validate } from './signature.ts';
import { charge, fail, located, type RunState, weigh } from './state.ts';
import { norm } from './values.ts';

/** Calls a function of the language with its trampoline; the result is as the callee left it. */
export function apply(s: RunState, f: unknown, args: readonly unknown[], context: unknown): unknown {
  const { frame } = s;
  let result = applyOnce(s, f, args, context);
  while (result instanceof Tail) {
    const { proc, args: next, position, token } = result;
    charge(s, 1);
    s.frame = frame;
    try {
      result = applyOnce(s, proc, next, context);
    } catch (e) {
      throw located(e, position, token);
    }
  }
  return result;
}

function applyOnce(s: RunState, f: unknown, args: readonly unknown[], context: unknown): unknown {
  if (!(f instanceof Fn)) return fail('T1006');
  const given = f.signature ? validate(f.signature, args, context) : args;
  if (f.builtin) {
    s.context = context;
    return f.builtin.impl(s, ...weighed(s, given));
  }
  if (f.kind === 'closure') {
    if (f.frame) s.frame = f.frame;
    return apply(s, f.inner, args, null);
  }
  if (f.kind === 'native') return f.code(...given);
  enter(s);
  const result = f.code(...given);
  s.depth--;
  return result;
}

function weighed(s: RunState, args: readonly unknown[]): readonly unknown[] {
  for (const a of args) weigh(s, a);
  return args;
}

function enter(s: RunState): void {
  charge(s, 1);
  if (++s.depth > s.limits.depth) fail('D1011', -1, { value: s.limits.depth });
}

/** A call as written in a mapping. `context` stands in for arguments that a signature lets be left out. */
export function call(
  s: RunState,
  f: unknown,
  args: readonly unknown[],
  context: unknown,
  position: number,
  token: string,
): unknown {
  try {
    return apply(s, f, args, context);
  } catch (e) {
    throw located(e, position, token);
  }
}

/** Calls a built-in known at compile time, as {@link call} but without building argument lists where they fit. */
export function call1(s: RunState, b: Builtin, a: unknown, context: unknown, position: number): unknown {
  try {
    const sig = b.signature;
    weigh(s, a);
    if (sig.required <= 1 && !contextFrom(sig, 1) && fits(sig, 0, a)) return b.impl(s, adapt(sig, 0, a));
    return b.impl(s, ...validate(sig, [a], context));
  } catch (e) {
    throw located(e, position, b.name);
  }
}

export function call2(s: RunState, b: Builtin, a: unknown, a2: unknown, context: unknown, position: number): unknown {
  try {
    const sig = b.signature;
    weigh(s, a);
    weigh(s, a2);
    if (sig.required <= 2 && !contextFrom(sig, 2) && fits(sig, 0, a) && fits(sig, 1, a2)) {
      return b.impl(s, adapt(sig, 0, a), adapt(sig, 1, a2));
    }
    return b.impl(s, ...validate(sig, [a, a2], context));
  } catch (e) {
    throw located(e, position, b.name);
  }
}

export function callMany(
  s: RunState,
  b: Builtin,
  args: readonly unknown[],
  context: unknown,
  position: number,
): unknown {
  try {
    return b.impl(s, ...weighed(s, validate(b.signature, args, context)));
  } catch (e) {
    throw located(e, position, b.name);
  }
}

/** A built-in in tail position: its result is handed on as it is. */
export function tailBuiltin(s: RunState, b: Builtin, args: readonly unknown[], position: number): unknown {
  try {
    return b.impl(s, ...weighed(s, validate(b.signature, args, undefined)));
  } catch (e) {
    throw located(e, position, b.name);
  }
}

function contextFrom(sig: Signature, index: number): boolean {
  return sig.usesContext && sig.params.slice(index).some((p) => p.context);
}

export function tail(proc: unknown, args: unknown[], position: number, token: string): Tail {
  return new Tail(proc, args, position, token);
}

/** A function written in the mapping. */
export function lambda(
  code: (...args: unknown[]) => unknown,
  arity: number,
  signature: Signature | undefined,
  hasTail: boolean,
): Fn {
  return new Fn({ kind: 'lambda', arity, code, signature, plain: !hasTail && signature === undefined });
}

/** A function that is passed as an argument loses its identity and its parameter names, as in the interpreter. */
export function passed(v: unknown): unknown {
  if (!(v instanceof Fn)) return v;
  return new Fn({ kind: 'closure', arity: v.arity, code: v.code, plain: v.plain, inner: v });
}

/** A native function of the runtime as a value. */
export function native(arity: number, code: (...args: unknown[]) => unknown, signature?: Signature): Fn {
  return new Fn({ kind: 'native', arity, code, signature });
}

/** `a ~> f` where `f` is not itself a call. */
export function pipe(s: RunState, left: unknown, f: unknown, position: number): unknown {
  if (!(f instanceof Fn)) return fail('T2006', position, { value: f });
  if (left instanceof Fn) {
    const inner = (x: unknown): unknown =>
      tail(f, [norm(call(s, left, [passed(x)], null, position, 'f'))], position, 'g');
    return lambda(inner, 1, undefined, true);
  }
  return call(s, f, [left], null, position, '~>');
}

/** Stands for `?` in a partial application. */
export const HOLE: unique symbol = Symbol('?');

/** Partial application: the holes become the parameters of the new function, in their order. */
export function partial(s: RunState, f: unknown, args: readonly unknown[], position: number, token: string): unknown {
  if (!(f instanceof Fn)) return fail('T1008', position, { token });
  const total = parameterCount(f, position, token);
  const holes: number[] = [];
  const fixed: unknown[] = [];
  for (let i = 0; i < total; i++) {
    const a = args[i];
    if (a === HOLE) holes.push(i);
    fixed.push(a === HOLE ? undefined : a);
  }
  const { builtin, code } = f;
  const bound = (...rest: unknown[]): unknown => {
    const all = [...fixed];
    holes.forEach((slot, i) => {
      all[slot] = rest[i];
    });
    return builtin ? builtin.impl(s, ...all) : code(...all);
  };
  return lambda(bound, holes.length, undefined, true);
}

/** The interpreter reads parameter names out of the native code; where it fails to, so do we. */
function parameterCount(f: Fn, position: number, token: string): number {
  if (f.kind === 'closure') return fail('S0202', position, { token });
  if (!f.builtin) return f.arity;
  return f.builtin.params?.length ?? fail('S0208', position, { token });
}
