import { createServer, type Server } from 'node:http';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import express, { type Express, type Router } from 'express';
import RED from 'node-red';
import { createHttpsServer } from '../core/tls.ts';
import { type ApiOptions, createApi, errorResponse } from './api.ts';
import { GATEWAY_ERRORS } from './errors.ts';
import { sendJwks } from './evidence-api.ts';
import { createGuard, FLOW_HTTP_ROOT } from './guard.ts';
import type { HealthReport } from './health.ts';
import type { SecureInterface } from './tls.ts';

export interface HttpOptions extends ApiOptions {
  readonly health: () => HealthReport;
  readonly metrics: () => string;
  /** Speaks HTTPS with this certificate. */
  readonly tls?: SecureInterface<'modern' | 'compatible'>;
  /** Folder of the console's files. */
  readonly console: string;
}

export interface Http {
  readonly app: Express;
  readonly server: Server;
  /** Puts the initialised Node-RED below everything of the gateway itself. */
  mountNodeRed(editor: boolean): void;
}

/** The one web server: console, API, health, metrics, and whatever Node-RED serves. */
export function createHttp(o: HttpOptions): Http {
  const app = express();
  app.disable('x-powered-by');
  const guard = createGuard(o.settings.host, o.settings.httpPassword);
  app.use(guard.middleware);
  app.get('/health', (_req, res) => {
    const report = o.health();
    res
      .set('cache-control', 'no-store')
      .status(report.ready ? 200 : 503)
      .json(report);
  });
  app.get('/metrics', (_req, res) => {
    res.type('text/plain; version=0.0.4; charset=utf-8').send(o.metrics());
  });
  app.get('/.well-known/jwks.json', (_req, res) => sendJwks(res, o.publicKeys()));
  app.use('/v2gate/api', createApi(o));
  app.use('/console', consoleFiles(o.console));
  const flows: Router = express.Router();
  app.use(flows);
  app.use((_req, _res, next) => next(GATEWAY_ERRORS.fail('api.notFound')));
  app.use(errorResponse);
  const server = o.tls ? createHttpsServer(o.tls.source, { profile: o.tls.profile }, app) : createServer(app);
  guard.upgrades(server);
  return {
    app,
    server,
    mountNodeRed(editor) {
      flows.use(FLOW_HTTP_ROOT, RED.httpNode);
      if (editor) flows.use('/', RED.httpAdmin);
    },
  };
}

/** The console has no build step: its files are served as they are, and uPlot from its package. */
function consoleFiles(folder: string): Router {
  const files = express.Router();
  files.use((_req, res, next) => {
    res.set('content-security-policy', "default-src 'self'; frame-ancestors 'none'");
    res.set('x-content-type-options', 'nosniff');
    next();
  });
  const uplot = join(dirname(createRequire(import.meta.url).resolve('uplot/package.json')), 'dist');
  files.use('/vendor/uplot', express.static(uplot, { index: false }));
  files.use(express.static(folder));
  return files;
}
