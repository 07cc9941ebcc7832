export { default } from './ocpp-server.ts';
