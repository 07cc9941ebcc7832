import { join } from 'node:path';
import { ROOT } from './runtime.ts';
import type { Settings } from './settings.ts';

/** An example that `npm start` can show. Its virtual stations and operators are nodes of the flow. */
export interface Demo {
  readonly siteFile: string;
  readonly flow: string;
}

/** By `V2GATE_FLOW`. A fresh clone shows `uc-2.1`. */
export const DEMOS: Readonly<Record<Settings['flow'], Demo>> = {
  'uc-2.1': demo('uc-2.1-setpoint-following', 'UC 2.1 Setpoint following.json'),
  'uc-2.7': demo('uc-2.7-congestion-management', 'UC 2.7 Congestion management.json'),
  'two-fos': demo('two-fos-one-depot', 'Two FOs, one depot.json'),
  empty: demo('uc-2.1-setpoint-following', 'empty.json'),
};

function demo(folder: string, flow: string): Demo {
  return { siteFile: join(ROOT, 'flows', folder, 'site.json'), flow: join(ROOT, 'flows', folder, flow) };
}
