/** The yardsticks of the upstream way: a bare `ws` echo, and what a good programmer writes by hand in 60 lines. */
import { readFileSync } from 'node:fs';
import type { IncomingMessage, Server } from 'node:http';
import { createRequire } from 'node:module';
import { Ajv, type ValidateFunction } from 'ajv';
import { type WebSocket, WebSocketServer } from 'ws';
import type { Version } from '../load/messages.ts';

interface Row {
  readonly check: ValidateFunction;
  run(payload: unknown): unknown;
}

/** Sends every message back. */
export function serveEcho(version: Version, server?: Server): WebSocketServer {
  const wss = open(version, server);
  wss.on('connection', (ws) => ws.on('message', (data) => ws.send(data.toString())));
  return wss;
}

/** Parses, checks against the compiled schema, looks the action up, answers. */
export function serveByHand(version: Version, server?: Server): WebSocketServer {
  const actions = version === 'ocpp1.6' ? actions16() : actions21();
  const wss = open(version, server);
  wss.on('connection', (ws: WebSocket, req: IncomingMessage) => {
    req.socket.setNoDelay(true);
    ws.on('message', (data) => {
      const [type, id, action, payload] = JSON.parse(data.toString());
      if (type !== 2) return;
      const row = actions.get(action);
      if (row === undefined) ws.send(JSON.stringify([4, id, 'NotImplemented', '', {}]));
      else if (!row.check(payload))
        ws.send(JSON.stringify([4, id, 'ProtocolError', row.check.errors?.[0]?.message ?? '', {}]));
      else ws.send(JSON.stringify([3, id, row.run(payload)]));
    });
  });
  return wss;
}

function open(version: Version, server?: Server): WebSocketServer {
  return new WebSocketServer({
    ...(server === undefined ? { port: 0, host: '127.0.0.1' } : { server }),
    perMessageDeflate: false,
    handleProtocols: () => version,
  });
}

function actions16(): Map<string, Row> {
  const now = (): string => new Date().toISOString();
  let transactionId = 0;
  const idTagInfo = { status: 'Accepted' };
  return table('ocpp1.6', {
    BootNotification: () => ({ status: 'Accepted', currentTime: now(), interval: 300 }),
    Heartbeat: () => ({ currentTime: now() }),
    StatusNotification: () => ({}),
    StartTransaction: () => ({ transactionId: ++transactionId, idTagInfo }),
    MeterValues: () => ({}),
  });
}

function actions21(): Map<string, Row> {
  const now = (): string => new Date().toISOString();
  return table('ocpp2.1', {
    BootNotification: () => ({ status: 'Accepted', currentTime: now(), interval: 300 }),
    Heartbeat: () => ({ currentTime: now() }),
    StatusNotification: () => ({}),
    TransactionEvent: () => ({}),
  });
}

function table(version: Version, runs: Readonly<Record<string, () => unknown>>): Map<string, Row> {
  return new Map(Object.entries(runs).map(([action, run]) => [action, { check: compile(version, action), run }]));
}

/** The compiled schema of a request, from the schemas that the package `ocpp-rpc` carries. */
export function compile(version: Version, action: string): ValidateFunction {
  const [file, id] = version === 'ocpp1.6' ? ['ocpp1_6', `urn:${action}.req`] : ['ocpp2_1', `urn:${action}Request`];
  const path = createRequire(import.meta.url).resolve(`ocpp-rpc/lib/schemas/${file}.json`);
  const all: { $id: string }[] = JSON.parse(readFileSync(path, 'utf8'));
  const { $id: _, ...schema } = all.find((s) => s.$id === id) ?? { $id: '' };
  const ajv = new Ajv({ strict: false, validateSchema: false, multipleOfPrecision: 6 });
  ajv.addFormat('date-time', /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d)$/);
  return ajv.compile(schema);
}
