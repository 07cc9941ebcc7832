export { default } from './ocpp-in.ts';
