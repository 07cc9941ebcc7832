import type { Server } from 'node:http';
import { codeOf } from '../core/errors.ts';
import { LISTEN_ERRORS } from '../core/listen.ts';
import { openOnPort } from '../hub/links/ports.ts';
import { GATEWAY_ERRORS } from './errors.ts';

export interface ListenOptions {
  readonly host: string;
  /** 0: any free port. */
  readonly port: number;
  /** Take the next free port when this one is taken. */
  readonly search: boolean;
}

/** Makes the web server listen; resolves to the port it got. Rejects with `port.taken` or `listen.failed`. */
export async function listen(server: Server, { host, port, search }: ListenOptions): Promise<number> {
  return openOnPort(port, search, (candidate) => listenOnce(server, host, candidate));
}

function listenOnce(server: Server, host: string, port: number): Promise<number> {
  return new Promise((done, failed) => {
    const refuse = (e: Error): void => failed(explain(e, host, port));
    server.once('error', refuse);
    server.listen(port, host, () => {
      server.off('error', refuse);
      const address = server.address();
      done(typeof address === 'object' && address !== null ? address.port : port);
    });
  });
}

function explain(cause: unknown, host: string, port: number): Error {
  const code = codeOf(cause) ?? 'unknown';
  if (code === 'EADDRINUSE')
    return LISTEN_ERRORS.fail('port.taken', `Port ${port} on ${host} is used by another program.`);
  return GATEWAY_ERRORS.fail('listen.failed', `The gateway cannot listen on ${host} port ${port} (${code}).`);
}
