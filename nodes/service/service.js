export { default } from './service.ts';
