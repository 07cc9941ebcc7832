import { FO_LINK_ERRORS } from '../errors.ts';

type Broker = typeof import('aedes');

/**
 * The package of the own broker, which is loaded only where one is wanted: the package for somebody's Node-RED does not
 * bring it. Rejects with `fo.noBroker`.
 */
export async function loadAedes(load: () => Promise<Broker> = () => import('aedes')): Promise<Broker> {
  try {
    return await load();
  } catch {
    throw FO_LINK_ERRORS.fail('fo.noBroker');
  }
}
