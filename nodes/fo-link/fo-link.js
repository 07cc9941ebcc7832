export { default } from './fo-link.ts';
