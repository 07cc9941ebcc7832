import type { WireMessage } from '../../model/index.ts';
import type { NodeController, NodeHost } from './host.ts';
import { LINK_MOODS, type LinkHolder } from './link-holder.ts';
import { fromWire, toWire } from './wire.ts';

/** Shows the state of the link as the status of a node that uses it, now and whenever it changes. */
export function followStatus(host: NodeHost, link: LinkHolder): () => void {
  const show = (): void => host.status(LINK_MOODS[link.status().state], link.status().text);
  show();
  return link.on('status', show);
}

/** A node that emits what the peers of a link say. */
export function linkIn(host: NodeHost, link: LinkHolder): NodeController {
  const undo = [followStatus(host, link), link.on('message', (message) => host.send(fromWire(message)))];
  return { close: () => undoAll(undo) };
}

/** A node that hands messages to a link; `outputOf` says on which output the link's outcomes leave, if there are any. */
export function linkOut(host: NodeHost, link: LinkHolder, outputOf?: (message: WireMessage) => number): NodeController {
  const undo = [followStatus(host, link)];
  if (outputOf) {
    undo.push(
      link.on('outcome', (message) => {
        const outputs = Array.from({ length: outputOf(message) }, () => null);
        host.send([...outputs, fromWire(message)]);
      }),
    );
  }
  return {
    input: (message) => link.send(toWire(message, host.runtime.clock)),
    close: () => undoAll(undo),
  };
}

export function undoAll(undo: (() => void)[]): void {
  for (const step of undo.splice(0)) step();
}
