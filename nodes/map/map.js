export { default } from './map.ts';
