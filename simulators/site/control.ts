import { literal, message, num, type Of, oneOf, opt, power, semantic, text } from '../../core/schema.ts';
import { METER_FAULTS } from './meter.ts';

/** A line on standard input or an IPC message: what a running site simulator is told. */
export const SiteControl = message(
  'SiteControl',
  {
    meter: opt(text({ max: 64, doc: 'Id of a meter, or * for all; with `state`.' })),
    state: opt(oneOf(...METER_FAULTS)),
    noiseW: opt(power({ doc: 'For `noisy`, to either side. Default 2000.' })),
    shiftS: opt(num({ min: -86_400, max: 86_400, doc: 'For `clockShifted`: seconds ahead. Default −120.' })),
    baseW: opt(power({ doc: 'The base load is this until `resume`.' })),
    pvW: opt(power({ doc: 'The sun gives this until `resume`.' })),
    resume: opt(literal(true, { doc: 'Base load and sun follow the scenario again.' })),
  },
  {
    clause: 'simulators',
    doc: 'Control of a running site simulator.',
    example: { meter: 'm:poc', state: 'lost' },
    rules: ({ meter, state, baseW, pvW, resume }) => [
      ...((meter === undefined) === (state === undefined)
        ? []
        : [semantic('/meter', 'Give meter and state together.')]),
      ...([meter, baseW, pvW, resume].every((x) => x === undefined)
        ? [semantic('', 'Say what to do: meter and state, baseW, pvW, resume.')]
        : []),
    ],
  },
);
export type SiteControl = Of<typeof SiteControl>;
