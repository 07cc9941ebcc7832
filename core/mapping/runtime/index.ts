import { call, call1, call2, callMany, HOLE, lambda, partial, passed, pipe, tail, tailBuiltin } from './call.ts';
import { add as addItem, cons, descendants, group, sortBy, wildcard } from './collections.ts';
import { bind, frame, paramFrame, rowFrame } from './frame.ts';
import { callIn, look, partialIn, passedIn, pipeIn } from './live.ts';
import * as operators from './operators.ts';
import {
  filter,
  filterIndex,
  firstKeep,
  firstLast,
  firstMid,
  firstRaw,
  isEmpty,
  keepOf,
  lastOf,
  lookup,
  lookupNorm,
  loose,
  midOf,
  rawOf,
  stepKeep,
  stepLast,
  stepMid,
  stepRaw,
} from './path.ts';
import { regex, transform } from './special.ts';
import { charge, fail, type Marked } from './state.ts';
import { groupTuples, itemsOf, sortTuples, tupleStages, tupleStep, tuplesFromSorted, tuplesOf } from './tuple.ts';
import { isArray, kept, norm, normKeep, own, put, sequenceOf, toText, truthy } from './values.ts';

/** A variable that has not been bound yet. */
const UNBOUND: unique symbol = Symbol('unbound');

/** The context value as `$` shows it: the sequence around an array input is not visible. */
function visible(x: unknown): unknown {
  return isArray(x) && (x as Marked).outerWrapper ? x[0] : x;
}

/** What generated code may call. It reaches nothing else. */
export const RUNTIME = {
  ...operators,
  addItem,
  bind,
  call,
  call1,
  call2,
  callIn,
  callMany,
  charge,
  cons,
  descendants,
  fail,
  filter,
  filterIndex,
  firstKeep,
  firstLast,
  firstMid,
  firstRaw,
  frame,
  group,
  groupTuples,
  HOLE,
  isArray,
  isEmpty,
  itemsOf,
  keepOf,
  kept,
  lambda,
  lastOf,
  lookup,
  look,
  lookupNorm,
  loose,
  midOf,
  norm,
  normKeep,
  OP: Object.prototype,
  own,
  paramFrame,
  partial,
  partialIn,
  passed,
  passedIn,
  pipe,
  pipeIn,
  protoOf: Object.getPrototypeOf,
  put,
  rawOf,
  regex,
  rowFrame,
  sequenceOf,
  sortBy,
  sortTuples,
  stepKeep,
  stepLast,
  stepMid,
  stepRaw,
  tail,
  tailBuiltin,
  toText,
  transform,
  truthy,
  tupleStages,
  tupleStep,
  tuplesFromSorted,
  tuplesOf,
  U: UNBOUND,
  visible,
  wildcard,
} as const;

export type RuntimeName = keyof typeof RUNTIME;
