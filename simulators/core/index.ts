export * from './arrivals.ts';
export * from './battery.ts';
export * from './evse.ts';
export * from './prng.ts';
export * from './profile-store.ts';
export * from './profiles.ts';
export { scaledClock } from './scaled-clock.ts';
