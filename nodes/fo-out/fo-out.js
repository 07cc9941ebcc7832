export { default } from './fo-out.ts';
