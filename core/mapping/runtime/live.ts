import { builtin, builtinValue, IMPURE } from './builtins.ts';
import { call, HOLE, partial, pipe } from './call.ts';
import { Fn } from './fn.ts';
import { binding, type Frame, paramFrame } from './frame.ts';
import { fail, type RunState } from './state.ts';

/** {@link call}, {@link passed}, {@link pipe} and {@link partial} where variables live in frames. */
export function callIn(
  s: RunState,
  frame: Frame,
  f: unknown,
  args: readonly unknown[],
  context: unknown,
  position: number,
  token: string,
): unknown {
  s.frame = frame;
  return call(s, f, args, context, position, token);
}

export function passedIn(_s: RunState, frame: Frame, v: unknown): unknown {
  if (!(v instanceof Fn)) return v;
  return new Fn({ kind: 'closure', arity: v.arity, code: v.code, plain: v.plain, inner: v, frame });
}

export function pipeIn(s: RunState, frame: Frame, left: unknown, f: unknown, position: number): unknown {
  s.frame = frame;
  return pipe(s, left, f, position);
}

export function partialIn(
  s: RunState,
  frame: Frame,
  f: unknown,
  args: readonly unknown[],
  position: number,
  token: string,
): unknown {
  const made = partial(s, f, args, position, token);
  if (!(made instanceof Fn) || !(f instanceof Fn) || f.builtin?.name !== 'eval') return made;
  // The text sees the parameters of $eval as variables, and no context.
  const code = (...rest: unknown[]): unknown => {
    const given = [...rest];
    const all = ['expr', 'focus'].map((_, i) => (args[i] === HOLE ? given.shift() : args[i]));
    s.frame = paramFrame(frame, ['expr', 'focus'], all);
    s.context = undefined;
    return made.code(...rest);
  };
  return new Fn({ kind: 'lambda', arity: made.arity, code });
}

/** The value of a variable that lives in a frame. */
export function look(s: RunState, frame: Frame, name: string): unknown {
  const at = binding(frame, name);
  if (at) return at.names.get(name);
  if (IMPURE.has(name) && !s.effects) return fail('X0004', -1, { token: name });
  const b = builtin(name);
  return b && builtinValue(b);
}
