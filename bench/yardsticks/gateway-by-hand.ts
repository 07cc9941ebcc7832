/**
 * The reference of P11, as one writes it in an afternoon: a setpoint from an MQTT topic becomes a profile at one station.
 * `gateway-by-hand.ts <broker port>`. No session, no allocation, no store, no proof.
 */
import { once } from 'node:events';
import type { IncomingMessage } from 'node:http';
import { Socket } from 'node:net';
import { Ajv } from 'ajv';
import { connectAsync } from 'mqtt';
import { type WebSocket, WebSocketServer } from 'ws';
import { compile } from './hand.ts';

/** Where the reference hears of setpoints. */
export const SETPOINT_TOPIC = 'hand/setpoint';

async function serve(brokerPort: number): Promise<number> {
  const checkSetpoint = new Ajv().compile({
    type: 'object',
    required: ['station', 'targetW', 'validUntil'],
    properties: { station: { type: 'string' }, targetW: { type: 'number' }, validUntil: { type: 'string' } },
  });
  const checkProfile = compile('ocpp1.6', 'SetChargingProfile');
  const stations = new Map<string, WebSocket>(); // bounded by: the stations of the bench
  let next = 0;
  const wss = new WebSocketServer({
    port: 0,
    host: '127.0.0.1',
    perMessageDeflate: false,
    handleProtocols: () => 'ocpp1.6',
  });
  wss.on('connection', (ws: WebSocket, req: IncomingMessage) => {
    req.socket.setNoDelay(true);
    stations.set((req.url ?? '').split('/').at(-1) ?? '', ws);
    ws.on('message', (data) => void JSON.parse(data.toString()));
  });
  const mqtt = await connectAsync(`mqtt://127.0.0.1:${brokerPort}`);
  if (mqtt.stream instanceof Socket) mqtt.stream.setNoDelay(true);
  mqtt.on('message', (_topic, body) => {
    const setpoint = JSON.parse(body.toString());
    const ws = stations.get(setpoint.station);
    if (!checkSetpoint(setpoint) || ws === undefined) return;
    const payload = profileOf(setpoint.targetW, setpoint.validUntil);
    if (checkProfile(payload)) ws.send(JSON.stringify([2, `c-${++next}`, 'SetChargingProfile', payload]));
  });
  await mqtt.subscribeAsync(SETPOINT_TOPIC, { qos: 1 });
  if (wss.address() === null) await once(wss, 'listening');
  const address = wss.address();
  return typeof address === 'object' && address !== null ? address.port : 0;
}

function profileOf(targetW: number, validUntil: string): object {
  const startSchedule = new Date().toISOString();
  return {
    connectorId: 1,
    csChargingProfiles: {
      chargingProfileId: 1,
      stackLevel: 1,
      chargingProfilePurpose: 'TxDefaultProfile',
      chargingProfileKind: 'Absolute',
      chargingSchedule: {
        startSchedule,
        duration: Math.max(1, Math.round((Date.parse(validUntil) - Date.now()) / 1000)),
        chargingRateUnit: 'W',
        chargingSchedulePeriod: [{ startPeriod: 0, limit: Math.floor(targetW * 10) / 10, numberPhases: 3 }],
      },
    },
  };
}

if (import.meta.main) {
  process.on('disconnect', () => process.exit());
  process.send?.({ port: await serve(Number(process.argv[2])) });
}
