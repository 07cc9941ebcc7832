export { default } from './evidence.ts';
