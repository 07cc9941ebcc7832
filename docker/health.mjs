/** Asks the gateway of this container how it is: 0 when it is ready, 1 with the parts that are not. */
import { request as http } from 'node:http';
import { request as https } from 'node:https';

const port = process.env.V2GATE_HTTP_PORT || '1880';
const tls = (process.env.V2GATE_TLS ?? (process.env.V2GATE_TLS_CERT ? 'files' : 'off')) !== 'off';
const plain = !tls || /^(off|false|no|0)$/i.test(process.env.V2GATE_TLS_HTTP ?? '');

const ask = plain ? http : https;
// The certificate is for the names by which others know the gateway; this is the same machine.
const question = ask(
  { host: '127.0.0.1', port, path: '/health', timeout: 4_000, rejectUnauthorized: false },
  (answer) => {
    let text = '';
    answer.setEncoding('utf8');
    answer.on('data', (chunk) => {
      text += chunk;
    });
    answer.on('end', () => {
      process.stdout.write(`${answer.statusCode === 200 ? 'ready' : text.slice(0, 2_000)}\n`);
      process.exitCode = answer.statusCode === 200 ? 0 : 1;
    });
  },
);
question.on('timeout', () => question.destroy(new Error('no answer')));
question.on('error', (e) => {
  process.stdout.write(`${e.message}\n`);
  process.exitCode = 1;
});
question.end();
