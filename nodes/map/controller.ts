import type { NodeMessage, Outgoing } from 'node-red';
import { iso } from '../../core/clock.ts';
import { codeOf } from '../../core/errors.ts';
import { parseHeader } from '../../core/mapping/header.ts';
import { compile, type Mapping } from '../../core/mapping/index.ts';
import type { BrokenMapping, MappingEntry } from '../../core/mapping/library.ts';
import type { GatewayRuntime } from '../../hub/ports.ts';
import { MappedMessages } from '../../model/index.ts';
import { textOf } from '../base/config.ts';
import { NODE_ERRORS } from '../base/errors.ts';
import type { NodeController, NodeHost } from '../base/host.ts';
import type { SavedConfig } from '../base/migrate.ts';
import { following, metaOf } from '../base/wire.ts';
import { type RecentMessage, RecentMessages } from './recent.ts';

/** What the comment at the head of a mapping says (design 3). */
interface Head {
  readonly from?: string;
  readonly to?: string;
}

/** What the workbench asks of a running node. */
export interface MapController extends NodeController {
  /** The last messages that came, the newest first. */
  recent(): readonly RecentMessage[];
}

/** Translates messages with one mapping. A mapping of the pack is the one that is in force when a message comes. */
export function createMap(host: NodeHost, config: SavedConfig): MapController {
  const current = config.source === 'text' ? ownMapping(host, config) : packMapping(host, config);
  current();
  const recent = new RecentMessages(host.runtime.clock);
  return {
    recent: () => recent.list(),
    async input(message, send) {
      const ctx = contextOf(message, host.runtime);
      const noted = recent.note(message, ctx);
      try {
        const { head, mapping } = current();
        if (head.from !== undefined && message.topic !== head.from) {
          throw NODE_ERRORS.fail('nodes.message', `This mapping takes ${head.from}, not ${String(message.topic)}.`);
        }
        const result = mapping.slow ? await mapping.runAsync(message.payload, ctx) : mapping.run(message.payload, ctx);
        send(outgoing(host.runtime, message, head, result));
      } catch (e) {
        if (noted) noted.failed = codeOf(e) ?? 'internal.permanent';
        throw e;
      }
    },
    close() {},
  };
}

/** A mapping that can run, as a node shows it. */
interface Prepared {
  readonly head: Head;
  readonly mapping: Mapping;
  show(): void;
}

function prepared(host: NodeHost, text: string, file: string): Prepared {
  const head = headOf(text, file);
  const { mapping, diagnostics } = compile(text, { ...head, file });
  const worst = diagnostics.find((d) => d.severity === 'error') ?? diagnostics[0];
  if (!mapping) {
    const place = worst ? `line ${worst.line}, column ${worst.column}: ${worst.message}` : 'it cannot be compiled.';
    throw NODE_ERRORS.fail(
      'nodes.mapping',
      `${file}, ${place}`,
      worst?.hint === undefined ? {} : { remedy: worst.hint },
    );
  }
  const show = (): void => {
    if (worst) host.status('attention', `line ${worst.line}: ${worst.message}`);
    else host.status('good', mapping.slow ? `${head.to ?? 'ready'} · interpreted` : (head.to ?? 'ready'));
  };
  return { head, mapping, show };
}

function contextOf(message: NodeMessage, runtime: GatewayRuntime): object {
  const given = typeof message.ctx === 'object' && message.ctx !== null ? message.ctx : {};
  return { at: iso(runtime.clock.now()), ids: {}, settings: {}, ...given };
}

function outgoing(runtime: GatewayRuntime, message: NodeMessage, head: Head, result: unknown): Outgoing {
  const meta = metaOf(message, runtime.clock);
  const routing = {
    ...(meta.peer === undefined ? {} : { peer: meta.peer }),
    ...(meta.replyTo === undefined ? {} : { replyTo: meta.replyTo }),
  };
  const made = (topic: unknown, payload: unknown): NodeMessage => ({
    ...message,
    topic,
    payload,
    v2gate: { ...following(meta, runtime.clock, meta.link), ...routing },
  });
  if (MappedMessages.is(result)) return [result.messages.map((m) => made(m.topic, m.payload))];
  return made(head.to ?? message.topic, result);
}

function ownMapping(host: NodeHost, config: SavedConfig): () => Prepared {
  const text = textOf(config, 'text');
  if (text === undefined) throw NODE_ERRORS.fail('nodes.config', 'This node has no mapping yet; write one.');
  const own = prepared(host, text, 'the mapping');
  own.show();
  return () => own;
}

/**
 * A file of the pack; the integrator's folder comes first, by the same relative path. An edit there takes effect with the
 * next message; while it is broken the node says so, and the last good version stays in force.
 */
function packMapping(host: NodeHost, config: SavedConfig): () => Prepared {
  const { mappings } = host.runtime;
  const file = textOf(config, 'file');
  if (file === undefined) throw NODE_ERRORS.fail('nodes.config', 'Choose a mapping in this node.');
  let inForce: { readonly entry: MappingEntry; readonly prepared: Prepared } | undefined;
  let shown: BrokenMapping | 'good' | undefined;
  return () => {
    const entry = mappings.entry(file);
    const fault = mappings.broken().find((b) => b.path === file);
    if (entry && entry !== inForce?.entry) {
      inForce = { entry, prepared: prepared(host, entry.mapping.source, file) };
      shown = undefined;
    }
    if (!inForce) {
      const why = fault ? `${file} is broken: ${fault.message}` : `There is no mapping ${file} in the pack.`;
      throw NODE_ERRORS.fail('nodes.config', why);
    }
    if (shown !== (fault ?? 'good')) {
      shown = fault ?? 'good';
      if (fault) host.status('attention', `the last good version is in force: ${fault.message}`);
      else inForce.prepared.show();
    }
    return inForce.prepared;
  };
}

/** A text of one's own may do without head; then it takes any message and keeps its topic. */
function headOf(text: string, file: string): Head {
  if (!/^\s*\/\*[^*]*\bfrom:/.test(text)) return {};
  const { from, to } = parseHeader(text, file);
  const [topic, more] = to;
  return { from, ...(topic === undefined || more !== undefined ? {} : { to: topic }) };
}
