import {
  bool,
  duration,
  id,
  int,
  list,
  message,
  num,
  type Of,
  obj,
  oneOf,
  opt,
  power,
  ramp,
  ref,
  semantic,
  text,
} from '../../core/schema.ts';
import { Fallback, telemetryField } from '../../model/index.ts';
import { boundIssues, limitIssues, stepIssues, typeIssues } from './scenario-rules.ts';

const signed = (doc: string) => power({ signed: true, doc });

const Step = obj({
  atS: duration({ doc: 'Seconds after the start of the window; strictly rising.' }),
  targetW: signed('Holds until the next step.'),
});

const Limit = obj({
  atS: duration({ doc: 'Seconds after the start of the window; the first is 0, strictly rising.' }),
  importLimitW: opt(power()),
  exportLimitW: opt(power()),
});

/**
 * What an operator may do beside its service. `staleSetpoint`: an older seq once more. `lateSetpoint`: one that has
 * lapsed `byS` ago. `setpoint`: this target for `forS`, whatever the steps say. `pause`: no setpoints for `forS`. `mute`: not even heartbeats for `forS`. `drop`: the link is gone
 * for `forS`.
 */
export const ACTS = [
  'amend',
  'cancel',
  'optOut',
  'optIn',
  'activate',
  'queryEvents',
  'queryRecords',
  'queryResources',
  'setpoint',
  'staleSetpoint',
  'lateSetpoint',
  'pause',
  'mute',
  'drop',
] as const;

export const Act = message(
  'OperatorAct',
  {
    atS: num({ min: -86_400, max: 172_800, doc: 'Seconds after the start of the window; below 0 before it.' }),
    do: oneOf(...ACTS),
    limits: opt(list(Limit, { min: 1, max: 1000, doc: 'amend: the new series of a congestion service.' })),
    minW: opt(signed('amend')),
    maxW: opt(signed('amend')),
    durationS: opt(duration({ min: 1, max: 86_400, doc: 'amend: the new length of the window.' })),
    resources: opt(list(id(), { min: 1, max: 1000, doc: 'optOut, optIn.' })),
    actor: opt(oneOf('evu', 'cso', 'csp', 'fleet', { doc: 'optOut, optIn. Default fleet.' })),
    action: opt(oneOf('arm', 'disarm', 'activate', 'deactivate', { doc: 'activate. Default activate.' })),
    targetW: opt(signed('activate, setpoint, lateSetpoint.')),
    forS: opt(duration({ max: 86_400, doc: 'setpoint, pause, mute, drop. Default 60.' })),
    byS: opt(duration({ max: 3600, doc: 'lateSetpoint. Default 5.' })),
  },
  {
    clause: 'simulators',
    doc: 'Something that the operator does at a time.',
    example: { atS: 20, do: 'drop', forS: 30 },
    rules: (a) =>
      (a.do === 'optOut' || a.do === 'optIn') && a.resources === undefined
        ? [semantic('/resources', `Say who is meant by ${a.do}.`)]
        : a.do === 'setpoint' && a.targetW === undefined
          ? [semantic('/targetW', 'Say which setpoint.')]
          : [],
  },
);
export type Act = Of<typeof Act>;

export const ScenarioService = message(
  'ScenarioService',
  {
    type: oneOf('setpoint', 'congestion'),
    durationS: duration({ min: 1, max: 86_400, doc: 'Length of the window.' }),
    startInS: opt(duration({ max: 86_400, doc: 'From the request to the start of the window. Default 0.' })),
    decisionWithinS: opt(duration({ min: 1, max: 3600, doc: 'Time for the decision. Default 5.' })),
    contractId: opt(id({ doc: 'Default: that of the program.' })),
    target: opt(
      obj(
        { groupId: opt(id()), resourceIds: opt(list(id(), { min: 1, max: 1000 })) },
        { doc: 'Default: the group of the program.' },
      ),
    ),
    referencePoint: opt(oneOf('evse', 'group', 'site', { doc: 'Default group; of single resources evse.' })),
    priority: opt(int({ min: 0, max: 9, doc: 'Default 5.' })),
    mandateRef: opt(text({ max: 256, doc: 'Makes the request mandatory.' })),
    minW: opt(signed('setpoint: lowest.')),
    maxW: opt(signed('setpoint: highest.')),
    toleranceW: opt(power({ doc: 'setpoint. Default 500.' })),
    rampWPerS: opt(ramp({ above: 0, doc: 'setpoint. Default: none asked for.' })),
    updateIntervalS: opt(duration({ min: 1, max: 300, doc: 'The target is sent again this often. Default 4.' })),
    validityS: opt(duration({ min: 1, max: 300, doc: 'Of each setpoint. Default 30.' })),
    steps: opt(list(Step, { min: 1, max: 10_000, doc: 'setpoint: the targets.' })),
    limits: opt(list(Limit, { min: 1, max: 1000, doc: 'congestion: the limits over time.' })),
    gridNode: opt(id({ doc: 'congestion. Default node:1.' })),
    firm: opt(bool({ doc: 'congestion: must hold at every instant. Default true.' })),
    reduceByW: opt(power({ doc: 'congestion.' })),
    fallback: opt(ref(Fallback)),
    telemetry: opt(
      obj({ intervalS: duration({ min: 1, max: 3600 }), fields: list(telemetryField(), { min: 1, max: 8 }) }),
    ),
    onPartial: opt(oneOf('confirm', 'cancel', 'wait', { doc: 'A partial decision. Default confirm.' })),
    cancelAtS: opt(duration({ min: 1, doc: 'Cancels the service this long after the start of its window.' })),
    acts: opt(list(ref(Act), { max: 100 })),
    evidenceWithinS: opt(duration({ min: 1, max: 86_400, doc: 'Record and proof are due this soon after the end.' })),
  },
  {
    clause: 'simulators',
    doc: 'One service that the operator asks for.',
    rules: (s) => [
      ...typeIssues(s),
      ...boundIssues(s),
      ...(s.steps ?? []).flatMap((_, k) => stepIssues(s, k)),
      ...limitIssues(s.limits ?? []),
    ],
    example: {
      type: 'setpoint',
      durationS: 60,
      minW: -10_000,
      maxW: 10_000,
      steps: [
        { atS: 0, targetW: 8000 },
        { atS: 30, targetW: -8000 },
      ],
    },
  },
);
export type ScenarioService = Of<typeof ScenarioService>;

/** What a simulated flexibility operator does. */
export const Scenario = message(
  'Scenario',
  {
    services: list(ref(ScenarioService), { min: 1, max: 1000 }),
    pauseS: duration({ max: 86_400, doc: 'Between two services.' }),
    repeat: opt(bool({ doc: 'Starts over after the last service. Default true.' })),
  },
  {
    clause: 'simulators',
    doc: 'The scenario of the operator simulator; all times in seconds, power in load convention.',
    example: { services: [ScenarioService.example], pauseS: 10 },
  },
);
export type Scenario = Of<typeof Scenario>;

/** What a service means where it says nothing. */
export const DEFAULTS = {
  startInS: 0,
  decisionWithinS: 5,
  priority: 5,
  toleranceW: 500,
  updateIntervalS: 4,
  validityS: 30,
  fallback: { onExpiry: 'baseline', rampS: 10 },
  telemetry: { intervalS: 1, fields: ['powerW', 'setpointW'] },
  gridNode: 'node:1',
  firm: true,
  forS: 60,
  byS: 5,
} as const;

/** The target in force `offsetS` seconds after the start of the window; undefined before the first step. */
export function targetAt(service: ScenarioService, offsetS: number): number | undefined {
  let target: number | undefined;
  for (const step of service.steps ?? []) {
    if (step.atS > offsetS) break;
    target = step.targetW;
  }
  return target;
}
