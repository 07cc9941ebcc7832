import {
  duration,
  int,
  literal,
  message,
  type Of,
  oneOf,
  opt,
  power,
  ramp,
  semantic,
  text,
} from '../../core/schema.ts';
import { FAULTS, METERS, PRESSES } from './types.ts';

/** A line on standard input or an IPC message: what a running simulator is told. */
export const Control = message(
  'Control',
  {
    station: text({ max: 48, doc: 'Identity, or * for all.' }),
    evse: opt(int({ min: 1, max: 100, doc: 'For `press`. Default all.' })),
    fault: opt(oneOf(...FAULTS, { doc: 'none ends a fault.' })),
    lateS: opt(duration({ doc: 'Delay of the fault `late` from now on.' })),
    meter: opt(oneOf(...METERS, { doc: 'What the meters show.' })),
    press: opt(oneOf(...PRESSES, { doc: 'What a person does at the station.' })),
    responseDelayS: opt(duration({ doc: 'From command to first reaction, from now on.' })),
    rampWPerS: opt(ramp({ above: 0, doc: 'From now on.' })),
    maxImportW: opt(power({ doc: 'What the hardware gives at most from now on, e.g. derated by heat.' })),
    externalLimitW: opt(
      power({ doc: 'Somebody at the site limits the station (2.x tells it by NotifyChargingLimit).' }),
    ),
    externalLimit: opt(literal('none', { doc: 'The external limit is gone.' })),
    mark: opt(literal(true, { doc: 'Forgets the arrival times of commands so far.' })),
    report: opt(literal(true, { doc: 'Tells the arrival times of power commands since the last mark.' })),
  },
  {
    clause: 'simulators',
    doc: 'Control of a running simulator.',
    example: { station: 'CS1', fault: 'refuse' },
    rules: ({ station: _station, evse: _evse, ...orders }) =>
      Object.keys(orders).length === 0 ? [semantic('', 'Say what to do: fault, meter, press, mark, report, …')] : [],
  },
);
export type Control = Of<typeof Control>;
