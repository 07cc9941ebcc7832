export { default } from './virtual-fleet.ts';
