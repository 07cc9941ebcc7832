export { default } from './reply.ts';
