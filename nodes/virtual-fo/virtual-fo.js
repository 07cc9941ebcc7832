export { default } from './virtual-fo.ts';
