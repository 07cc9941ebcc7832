export { default } from './fleet.ts';
