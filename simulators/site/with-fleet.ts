import type { RunningFleet } from '../stations/index.ts';
import type { MeteredStation } from './site.ts';

/** The stations of a fleet in this process as the meters of the site see them: what really flows. */
export const fleetPower = ({ stations }: Pick<RunningFleet, 'stations'>): readonly MeteredStation[] =>
  stations.map(({ spec, units }) => ({
    identity: spec.identity,
    powerW: units.reduce((sum, { evse }) => sum + evse.powerW, 0),
  }));
