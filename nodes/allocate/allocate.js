export { default } from './allocate.ts';
