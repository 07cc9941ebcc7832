import type { Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { codeOf } from '../core/errors.ts';
import { GATEWAY_ERRORS } from './errors.ts';

/** How far a taken port moves before the search gives up. */
const SEARCH_SPAN = 50;

export interface ListenOptions {
  readonly host: string;
  /** 0: any free port. */
  readonly port: number;
  /** Take the next free port when this one is taken. */
  readonly search: boolean;
  /** What listens, for the error: `HTTP`. */
  readonly what: string;
  /** The variable that sets the port, for the remedy. */
  readonly variable: string;
}

/** Makes the server listen; resolves to the port it got. Rejects with `port.taken` or `listen.failed`. */
export async function listen(server: Server, options: ListenOptions): Promise<number> {
  const span = options.search && options.port !== 0 ? SEARCH_SPAN : 0;
  for (let port = options.port; ; port++) {
    try {
      return await listenOnce(server, options.host, port);
    } catch (e) {
      const taken = codeOf(e) === 'EADDRINUSE';
      if (taken && port < options.port + span && port < 65_535) continue;
      throw taken ? portTaken(options, port) : listenFailed(options, e);
    }
  }
}

function listenOnce(server: Server, host: string, port: number): Promise<number> {
  return new Promise((done, failed) => {
    server.once('error', failed);
    server.listen(port, host, () => {
      server.off('error', failed);
      done((server.address() as AddressInfo).port);
    });
  });
}

function portTaken({ what, variable, host, port, search }: ListenOptions, last: number): Error {
  const range = last === port ? `Port ${port}` : `Every port from ${port} to ${last}`;
  return GATEWAY_ERRORS.fail('port.taken', `${range} on ${host}, wanted for ${what}, is used by another program.`, {
    remedy: search
      ? `Stop one of those programs, or set ${variable} to a free port.`
      : `Stop that program, set ${variable} to a free port, or set V2GATE_PORT_SEARCH=on to move to the next free one.`,
  });
}

function listenFailed({ what, variable, host, port }: ListenOptions, cause: unknown): Error {
  const code = codeOf(cause) ?? 'unknown';
  return GATEWAY_ERRORS.fail('listen.failed', `${what} cannot listen on ${host} port ${port} (${code}).`, {
    remedy: `Check V2GATE_HOST and ${variable}; ports below 1024 often need special rights.`,
  });
}
