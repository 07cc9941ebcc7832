/** The yardsticks: a bare `ws` echo, and what a good programmer writes by hand in 60 lines. */
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import type { ValidateFunction } from 'ajv';
import { Ajv } from 'ajv';
import type { WebSocket } from 'ws';
import { WebSocketServer } from 'ws';
import type { Version } from './messages.ts';
import { profileFor } from './messages.ts';

export interface Bench {
  readonly port: number;
  messages(): number;
  /** Sends each station its own profile; resolves with the number of answers when all are there. */
  fanout(): Promise<number>;
}

type Row = { check: ValidateFunction; run: (payload: unknown) => unknown };

function compile(version: Version, action: string): ValidateFunction {
  const [file, id] = version === 'ocpp1.6' ? ['ocpp1_6', `urn:${action}.req`] : ['ocpp2_1', `urn:${action}Request`];
  const path = createRequire(import.meta.url).resolve(`ocpp-rpc/lib/schemas/${file}.json`);
  const all: { $id: string }[] = JSON.parse(readFileSync(path, 'utf8'));
  const { $id: _, ...schema } = all.find((s) => s.$id === id) ?? { $id: '' };
  const ajv = new Ajv({ strict: false, validateSchema: false, multipleOfPrecision: 6 });
  ajv.addFormat('date-time', /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d)$/);
  return ajv.compile(schema);
}

function table(version: Version): Map<string, Row> {
  const action = version === 'ocpp1.6' ? 'MeterValues' : 'TransactionEvent';
  return new Map([[action, { check: compile(version, action), run: () => ({}) }]]);
}

export async function serveByHand(version: Version, kind: 'echo' | 'hand'): Promise<Bench> {
  const wss = new WebSocketServer({
    port: 0,
    host: '127.0.0.1',
    perMessageDeflate: false,
    handleProtocols: () => version,
  });
  const actions = table(version);
  const checkProfile = compile('ocpp1.6', 'SetChargingProfile');
  const stations: WebSocket[] = [];
  const pending = new Map<string, () => void>(); // bounded by: one call per station and fan-out
  let messages = 0;
  let next = 0;
  wss.on('connection', (ws, req) => {
    req.socket.setNoDelay(true);
    stations.push(ws);
    ws.on('close', () => stations.splice(stations.indexOf(ws), 1));
    ws.on('message', (data) => {
      messages++;
      const text = data.toString();
      if (kind === 'echo' && !text.startsWith('[3')) {
        ws.send(text);
        return;
      }
      const [type, id, action, payload] = JSON.parse(text);
      if (type === 3) {
        pending.get(id)?.();
        pending.delete(id);
        return;
      }
      const row = actions.get(action);
      if (row === undefined) ws.send(JSON.stringify([4, id, 'NotImplemented', '', {}]));
      else if (!row.check(payload))
        ws.send(JSON.stringify([4, id, 'ProtocolError', row.check.errors?.[0]?.message ?? '', {}]));
      else ws.send(JSON.stringify([3, id, row.run(payload)]));
    });
  });
  await new Promise((resolve) => wss.on('listening', resolve));
  const address = wss.address();
  return {
    port: typeof address === 'object' && address !== null ? address.port : 0,
    messages: () => messages,
    async fanout() {
      const answers = stations.map((ws, n) => {
        const id = `f-${++next}`;
        const payload = profileFor(n);
        if (kind === 'hand' && !checkProfile(payload)) throw new Error('invalid profile');
        const answered = new Promise<void>((resolve) => pending.set(id, resolve));
        ws.send(JSON.stringify([2, id, 'SetChargingProfile', payload]));
        return answered;
      });
      return (await Promise.all(answers)).length;
    },
  };
}
