export { default } from './meter.ts';
