import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import express, { type Router } from 'express';
import { type ApiOptions, createApi } from './api.ts';
import { GATEWAY_ERRORS } from './errors.ts';
import { sendJwks } from './evidence-api.ts';

export interface PagesOptions extends ApiOptions {
  readonly metrics: () => string;
  /** Folder of the console's files. */
  readonly console: string;
  /** Where health and metrics are, for those who look from outside. */
  readonly paths: { readonly health: string; readonly metrics: string };
}

/** Everything that the gateway itself serves by HTTP: console, API, health, metrics and public keys. */
export function gatewayPages(o: PagesOptions): Router {
  const pages = express.Router();
  pages.get(o.paths.health, (_req, res) => {
    const report = o.health();
    res
      .set('cache-control', 'no-store')
      .status(report.ready ? 200 : 503)
      .json(report);
  });
  pages.get(o.paths.metrics, o.gate.needs('viewer'), (_req, res) => {
    res.type('text/plain; version=0.0.4; charset=utf-8').send(o.metrics());
  });
  pages.get('/.well-known/jwks.json', (_req, res) => sendJwks(res, o.publicKeys()));
  pages.use('/v2gate/api', createApi(o));
  pages.use('/console', consoleFiles(o.console));
  return pages;
}

/** The console has no build step: its files are served as they are, and uPlot from its package. */
function consoleFiles(folder: string): Router {
  const files = express.Router();
  files.use((_req, res, next) => {
    res.set(
      'content-security-policy',
      "default-src 'self'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'",
    );
    res.set('x-content-type-options', 'nosniff');
    next();
  });
  const uplot = join(dirname(createRequire(import.meta.url).resolve('uplot/package.json')), 'dist');
  files.use('/vendor/uplot', express.static(uplot, { index: false }));
  files.use(express.static(folder));
  // Nothing of others is reached by a path that needs no role.
  files.use((_req, _res, next) => next(GATEWAY_ERRORS.fail('api.notFound')));
  return files;
}
