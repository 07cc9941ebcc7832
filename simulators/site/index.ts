export { SiteControl } from './control.ts';
export { type DeliveryOptions, httpDelivery } from './deliver.ts';
export { SITE_SIMULATOR_ERRORS } from './errors.ts';
export * from './meter.ts';
export { baseW, pvW } from './physics.ts';
export { DEMO_SITE, SiteScenario } from './scenario-file.ts';
export {
  type MeteredStation,
  type RunningSite,
  runSite,
  type SiteEvent,
  type SiteOptions,
  type SitePower,
} from './site.ts';
export { fleetPower } from './with-fleet.ts';
