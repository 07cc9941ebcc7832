export { DEMO_FLEET, FleetFile, stationSpecs } from './fleet.ts';
export { Control, type FleetOptions, type RunningFleet, runFleet } from './run.ts';
export { Station, type StationOptions } from './station.ts';
export * from './types.ts';
export { createStation16, type Station16 } from './v16/station.ts';
export { createStation21, type Station21 } from './v21/station.ts';
