import type { Issue } from '../../core/errors.ts';
import { semantic } from '../../core/schema.ts';

/** The part of a service that the rules across its fields look at. */
interface Bounds {
  readonly type: 'setpoint' | 'congestion';
  readonly durationS: number;
  readonly minW?: number;
  readonly maxW?: number;
  readonly target?: { readonly groupId?: string; readonly resourceIds?: readonly string[] };
  readonly updateIntervalS?: number;
  readonly validityS?: number;
  readonly cancelAtS?: number;
  readonly steps?: readonly { readonly atS: number; readonly targetW: number }[];
  readonly limits?: readonly unknown[];
}

/** Defaults that the rules need; see DEFAULTS. */
const UPDATE_INTERVAL_S = 4;
const VALIDITY_S = 30;

/** Each type needs its own fields. */
export function typeIssues(s: Bounds): Issue[] {
  const needs = (name: 'minW' | 'maxW' | 'steps' | 'limits'): Issue[] =>
    s[name] === undefined ? [semantic(`/${name}`, `A ${s.type} service needs ${name}.`)] : [];
  return s.type === 'setpoint' ? [...needs('minW'), ...needs('maxW'), ...needs('steps')] : needs('limits');
}

export function boundIssues(s: Bounds): Issue[] {
  const issues: Issue[] = [];
  if (s.target && (s.target.groupId === undefined) === (s.target.resourceIds === undefined)) {
    issues.push(semantic('/target', 'Give exactly one of groupId and resourceIds.'));
  }
  if (s.minW !== undefined && s.maxW !== undefined && s.minW > s.maxW) {
    issues.push(semantic('/minW', `minW ${s.minW} is above maxW ${s.maxW}.`));
  }
  if (s.cancelAtS !== undefined && s.cancelAtS >= s.durationS) {
    issues.push(semantic('/cancelAtS', `The service ends after ${s.durationS} s already.`));
  }
  if ((s.validityS ?? VALIDITY_S) <= (s.updateIntervalS ?? UPDATE_INTERVAL_S)) {
    issues.push(semantic('/validityS', 'A setpoint must be valid for longer than the update interval.'));
  }
  return issues;
}

export function stepIssues({ steps = [], durationS, minW, maxW }: Bounds, k: number): Issue[] {
  const step = steps[k];
  const before = steps[k - 1]?.atS ?? -1;
  if (!step) return [];
  const { atS, targetW } = step;
  const issues: Issue[] = [];
  if (atS <= before) issues.push(semantic(`/steps/${k}/atS`, `${atS} s does not come after ${before} s.`));
  if (atS >= durationS) issues.push(semantic(`/steps/${k}/atS`, `The service ends after ${durationS} s already.`));
  if (targetW < (minW ?? targetW) || targetW > (maxW ?? targetW)) {
    issues.push(semantic(`/steps/${k}/targetW`, `${targetW} W lies outside ${minW} … ${maxW} W.`));
  }
  return issues;
}

/** fo 2.1: offsets start at 0 and strictly increase. */
export const limitIssues = (limits: readonly { readonly atS: number }[]): Issue[] =>
  limits.flatMap(({ atS }, k) => {
    const right = k === 0 ? atS === 0 : atS > (limits[k - 1]?.atS ?? 0);
    return right
      ? []
      : [semantic(`/limits/${k}/atS`, 'The first limit is at 0 s, each later one comes after the last.')];
  });
