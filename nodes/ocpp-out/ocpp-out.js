export { default } from './ocpp-out.ts';
