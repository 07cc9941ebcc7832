import { createRequire } from 'node:module';
import type express from 'express';

/**
 * Express of the Node-RED that runs this package, which therefore brings none. The packer lets everything that imports
 * `express` import this file instead.
 */
const host = hostRequire()('express') as typeof express;

export default host;
export const { Router, json } = host;

/** Node-RED's editor API is loaded before any plugin; whatever it requires can be required from its place. */
function hostRequire(): NodeJS.Require {
  const own = createRequire(import.meta.url);
  const running = Object.keys(own.cache).find((file) =>
    /[\\/]@node-red[\\/]editor-api[\\/]lib[\\/]index\.js$/.test(file),
  );
  return running === undefined ? own : createRequire(running);
}
