export { default } from './fo-in.ts';
