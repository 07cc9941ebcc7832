import { createServer, type Server } from 'node:http';
import express, { type Express, type Router } from 'express';
import RED from 'node-red';
import { createHttpsServer } from '../core/tls.ts';
import type { Access } from './access.ts';
import { errorResponse } from './api.ts';
import { GATEWAY_ERRORS } from './errors.ts';
import { guardAreas } from './gate.ts';
import { createGuard, FLOW_HTTP_ROOT, type Guard } from './guard.ts';
import { gatewayPages, type PagesOptions } from './pages.ts';
import type { SecureInterface } from './tls.ts';

export interface HttpOptions extends Omit<PagesOptions, 'paths'> {
  readonly access: Access;
  /** Speaks HTTPS with this certificate. */
  readonly tls?: SecureInterface<'modern' | 'compatible'>;
}

export interface Http {
  readonly app: Express;
  readonly server: Server;
  /** Users have changed, or sessions have ended: who may not have a WebSocket any more loses it. */
  readonly recheck: Guard['recheck'];
  /** Puts the initialised Node-RED below everything of the gateway itself. */
  mountNodeRed(editor: boolean): void;
}

/** The one web server: console, API, health, metrics, and whatever Node-RED serves. */
export function createHttp(o: HttpOptions): Http {
  const app = express();
  app.disable('x-powered-by');
  const guard = createGuard(o.settings.host, o.access);
  app.use(guard.middleware, guardAreas(o.access, o.gate));
  app.use(gatewayPages({ ...o, paths: { health: '/health', metrics: '/metrics' } }));
  const flows: Router = express.Router();
  app.use(flows);
  app.use((_req, _res, next) => next(GATEWAY_ERRORS.fail('api.notFound')));
  app.use(errorResponse);
  const server = o.tls ? createHttpsServer(o.tls.source, { profile: o.tls.profile }, app) : createServer(app);
  guard.upgrades(server);
  return {
    app,
    server,
    recheck: guard.recheck,
    mountNodeRed(editor) {
      flows.use(FLOW_HTTP_ROOT, RED.httpNode);
      if (editor) flows.use('/', RED.httpAdmin);
    },
  };
}
