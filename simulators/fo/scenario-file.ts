import type { Issue } from '../../core/errors.ts';
import {
  bool,
  duration,
  id,
  int,
  list,
  message,
  type Of,
  obj,
  oneOf,
  opt,
  power,
  ramp,
  ref,
  semantic,
} from '../../core/schema.ts';
import { Fallback, telemetryField } from '../../model/index.ts';

const signed = (doc: string) => power({ signed: true, doc });

const Step = obj({
  atS: duration({ doc: 'Seconds after the start of the window; strictly rising.' }),
  targetW: signed('Holds until the next step.'),
});

export const ScenarioService = message(
  'ScenarioService',
  {
    type: oneOf('setpoint'),
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
    priority: opt(int({ min: 0, max: 9, doc: 'Default 5.' })),
    minW: signed('Lowest setpoint.'),
    maxW: signed('Highest setpoint.'),
    toleranceW: opt(power({ doc: 'Default 500.' })),
    rampWPerS: opt(ramp({ above: 0, doc: 'Default: none asked for.' })),
    updateIntervalS: opt(duration({ min: 1, max: 300, doc: 'The target is sent again this often. Default 4.' })),
    validityS: opt(duration({ min: 1, max: 300, doc: 'Of each setpoint. Default 30.' })),
    fallback: opt(ref(Fallback)),
    telemetry: opt(
      obj({ intervalS: duration({ min: 1, max: 3600 }), fields: list(telemetryField(), { min: 1, max: 8 }) }),
    ),
    cancelAtS: opt(duration({ min: 1, doc: 'Cancels the service this long after the start of its window.' })),
    steps: list(Step, { min: 1, max: 10_000 }),
  },
  {
    clause: 'simulators',
    doc: 'One service that the operator asks for.',
    rules: (s) => [...boundIssues(s), ...s.steps.flatMap((_, k) => stepIssues(s, k))],
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

interface Bounds {
  readonly durationS: number;
  readonly minW: number;
  readonly maxW: number;
  readonly target?: { readonly groupId?: string; readonly resourceIds?: readonly string[] };
  readonly updateIntervalS?: number;
  readonly validityS?: number;
  readonly cancelAtS?: number;
  readonly steps: readonly { readonly atS: number; readonly targetW: number }[];
}

function boundIssues(s: Bounds): Issue[] {
  const issues: Issue[] = [];
  if (s.target && (s.target.groupId === undefined) === (s.target.resourceIds === undefined)) {
    issues.push(semantic('/target', 'Give exactly one of groupId and resourceIds.'));
  }
  if (s.minW > s.maxW) issues.push(semantic('/minW', `minW ${s.minW} is above maxW ${s.maxW}.`));
  if (s.cancelAtS !== undefined && s.cancelAtS >= s.durationS) {
    issues.push(semantic('/cancelAtS', `The service ends after ${s.durationS} s already.`));
  }
  if ((s.validityS ?? DEFAULTS.validityS) <= (s.updateIntervalS ?? DEFAULTS.updateIntervalS)) {
    issues.push(semantic('/validityS', 'A setpoint must be valid for longer than the update interval.'));
  }
  return issues;
}

function stepIssues({ steps, durationS, minW, maxW }: Bounds, k: number): Issue[] {
  const step = steps[k];
  const before = steps[k - 1]?.atS ?? -1;
  if (!step) return [];
  const { atS, targetW } = step;
  const issues: Issue[] = [];
  if (atS <= before) issues.push(semantic(`/steps/${k}/atS`, `${atS} s does not come after ${before} s.`));
  if (atS >= durationS) issues.push(semantic(`/steps/${k}/atS`, `The service ends after ${durationS} s already.`));
  if (targetW < minW || targetW > maxW) {
    issues.push(semantic(`/steps/${k}/targetW`, `${targetW} W lies outside ${minW} … ${maxW} W.`));
  }
  return issues;
}

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
} as const;

/** Three minutes: discharge first, charge after 14 s, discharge again after 40 s, then charge; then the next service. */
export const DEMO_SCENARIO: Scenario = {
  services: [
    {
      type: 'setpoint',
      durationS: 180,
      minW: -20_000,
      maxW: 45_000,
      steps: [
        { atS: 0, targetW: -8000 },
        { atS: 14, targetW: 12_000 },
        { atS: 28, targetW: 30_000 },
        { atS: 40, targetW: -9000 },
        { atS: 70, targetW: -15_000 },
        { atS: 95, targetW: -4000 },
        { atS: 115, targetW: 20_000 },
        { atS: 132, targetW: 42_000 },
        { atS: 165, targetW: 25_000 },
      ],
    },
  ],
  pauseS: 20,
};

/** The target in force `offsetS` seconds after the start of the window; undefined before the first step. */
export function targetAt(service: ScenarioService, offsetS: number): number | undefined {
  let target: number | undefined;
  for (const step of service.steps) {
    if (step.atS > offsetS) break;
    target = step.targetW;
  }
  return target;
}
