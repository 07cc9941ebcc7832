/**
 * The load generator: stations on raw sockets with pre-built frames, one CALL of each open at a time. CALLs of the
 * server are answered at once. Driven over IPC.
 */
import type { Socket } from 'node:net';
import { connect } from 'node:net';
import type { FromLoad, ToLoad, Version } from './messages.ts';
import { UPSTREAM } from './messages.ts';

/** More than the server remembers answers, so that no frame counts as a repetition. */
const FRAMES = 64;

interface Station {
  readonly socket: Socket;
  next: number;
  rest: Buffer;
}

let stations: Station[] = [];
let frames: Buffer[] = [];
/** `drain`: no new CALLs, but what comes still belongs to the run. */
let mode: 'idle' | 'run' | 'drain' = 'idle';
let check = false;
let sent = 0;
let answers = 0;
let wrong = 0;

/** A masked text frame; with the mask 0 the content stands as it is. */
function frame(text: string): Buffer {
  const body = Buffer.from(text);
  const head = body.length < 126 ? [0x81, 0x80 | body.length] : [0x81, 0xfe, body.length >> 8, body.length & 255];
  return Buffer.concat([Buffer.from([...head, 0, 0, 0, 0]), body]);
}

function send(s: Station): void {
  s.next = (s.next + 1) % FRAMES;
  const f = frames[s.next];
  if (f === undefined) return;
  sent++;
  s.socket.write(f);
}

const PING = 9;
const PONG = Buffer.from([0x8a, 0x80, 0, 0, 0, 0]);

/** Takes all whole frames out of what has arrived. */
function take(s: Station, chunk: Buffer): void {
  let data = s.rest.length === 0 ? chunk : Buffer.concat([s.rest, chunk]);
  while (data.length >= 4) {
    const short = data.readUInt8(1) & 127;
    const head = short < 126 ? 2 : 4;
    const length = short < 126 ? short : data.readUInt16BE(2);
    if (data.length < head + length) break;
    if ((data.readUInt8(0) & 15) === PING) s.socket.write(PONG);
    else onText(s, data.subarray(head, head + length));
    data = data.subarray(head + length);
  }
  s.rest = data;
}

const TYPE_2 = 0x32;
const TYPE_4 = 0x34;

function onText(s: Station, body: Buffer): void {
  const type = body[1];
  const text = mode !== 'idle' && !check && type !== TYPE_4 ? '' : body.toString();
  // The echo server sends our own CALL back: only its answers in a fan-out are CALLs of the server.
  if (type === TYPE_2 && mode === 'idle') {
    const id = text.slice(3, text.indexOf(',', 3));
    s.socket.write(frame(`[3,${id},{"status":"Accepted"}]`));
    return;
  }
  answers++;
  if (type === TYPE_4 || (check && !text.includes(`"m-${s.next}"`))) wrong++;
  if (mode === 'run') send(s);
}

function open(port: number, n: number, version: Version): Promise<Station> {
  return new Promise((resolve, reject) => {
    const socket = connect(port, '127.0.0.1');
    socket.setNoDelay(true);
    const s: Station = { socket, next: 0, rest: Buffer.alloc(0) };
    socket.on('error', reject);
    socket.once('data', (chunk) => {
      if (!chunk.toString('latin1').startsWith('HTTP/1.1 101')) reject(new Error('refused'));
      socket.on('data', (more) => take(s, more));
      resolve(s);
    });
    socket.write(
      `GET /ocpp/CP${n} HTTP/1.1\r\nHost: h\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n` +
        `Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Protocol: ${version}\r\n\r\n`,
    );
  });
}

async function obey(m: ToLoad): Promise<void> {
  if (m.do === 'connect') {
    const { action, payload } = UPSTREAM[m.version];
    frames = Array.from({ length: FRAMES }, (_, i) => frame(JSON.stringify([2, `m-${i}`, action, payload])));
    stations = [];
    for (let i = 0; i < m.stations; i += 50) {
      const some = Array.from({ length: Math.min(50, m.stations - i) }, (_, j) => open(m.port, i + j, m.version));
      stations.push(...(await Promise.all(some)));
    }
  } else if (m.do === 'run') {
    sent = 0;
    answers = 0;
    wrong = 0;
    check = m.check;
    mode = 'run';
    stations.forEach(send);
    await new Promise((resolve) => setTimeout(resolve, m.ms));
    mode = 'drain';
    for (let i = 0; i < 200 && answers < sent; i++) await new Promise((resolve) => setTimeout(resolve, 10));
    mode = 'idle';
  } else {
    for (const s of stations) s.socket.destroy();
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}

process.on('message', async (m: ToLoad) => {
  await obey(m);
  const done: FromLoad = { done: m.do, answers, wrong };
  process.send?.(done);
});
process.on('disconnect', () => process.exit());
