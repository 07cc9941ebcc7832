import type { FoBodies } from '../../protocols/fo/index.ts';
import type { Depot } from './depot.ts';

type Fsr = FoBodies['RequestService']['fsr'];

/** What tests change of a request. */
export type Patch = Partial<Omit<Fsr, 'parameters'>> & { readonly parameters?: object; readonly lastsS?: number };

/** A setpoint request from now on. */
export function setpointBody(d: Depot, { parameters, lastsS = 180, ...rest }: Patch): FoBodies['RequestService'] {
  return {
    fsr: {
      fsrId: 'N-1',
      revision: 1,
      contractId: 'C-9',
      serviceType: 'setpoint',
      target: { groupId: 'g:depot', referencePoint: 'group' },
      window: { start: d.at(), end: d.at(lastsS) },
      decisionBy: d.at(5),
      mandatory: false,
      priority: 5,
      parameters: {
        mode: 'absolute',
        minW: -20_000,
        maxW: 40_000,
        toleranceW: 500,
        updateIntervalS: 4,
        validityS: 60,
        ...parameters,
      },
      fallback: { onExpiry: 'zero', rampS: 0 },
      ...rest,
    },
  };
}

/** A firm limit at the connection from now on: `[after seconds, W]`, in force for `seriesS` of `lastsS`. */
export function limitBody(
  d: Depot,
  steps: readonly (readonly [number, number])[],
  { lastsS = 180, seriesS = lastsS, ...rest }: Patch & { readonly seriesS?: number },
): FoBodies['RequestService'] {
  const points = steps.map(([offsetS, importLimitW]) => ({ offsetS, importLimitW }));
  const limits = { start: d.at(), end: d.at(seriesS), points };
  const { fsr } = setpointBody(d, { lastsS, ...rest });
  return {
    fsr: {
      ...fsr,
      serviceType: 'congestion',
      target: { groupId: 'g:depot', referencePoint: 'site' },
      parameters: { gridNode: 'node:7', limits, firm: true },
    },
  };
}
