import { type Clock, iso } from '../../core/clock.ts';
import type { CommandBatch, CommandOutcome } from '../../model/index.ts';
import { isRunning } from '../services/machine.ts';
import type { Service } from '../services/service.ts';
import type { Ledger } from '../site/ledger.ts';
import { VALIDITY_MS } from '../site/standing.ts';
import { severityOf } from './kinds.ts';
import type { EventNote } from './types.ts';

const MAX_STATED = 1_000;
/** States after which nothing more is to come (design 2.1). */
const FINAL: readonly CommandOutcome['state'][] = [
  'effective',
  'notEffective',
  'refused',
  'superseded',
  'expired',
  'unknown',
];

export interface OpenCommandsOptions {
  readonly clock: Clock;
  readonly ledger: Ledger;
  readonly note: (event: EventNote) => void;
}

type Sent = Pick<CommandBatch, 'commands'>;

/** Which commands were under way: after a restart each ends in a stated outcome, and none is sent again (design 5). */
export class OpenCommands {
  readonly #o: OpenCommandsOptions;

  constructor(o: OpenCommandsOptions) {
    this.#o = o;
  }

  /** Settles when they are stored, or the store has failed. Never rejects. */
  async sent(batch: CommandBatch): Promise<void> {
    const body: Sent = { commands: batch.commands };
    const op = { op: 'put', kind: 'batch', key: batch.batchId, at: this.#o.clock.now(), body } as const;
    // Stations have to be led also where nothing can be stored.
    await this.#o.ledger.write([op]).catch(() => undefined);
  }

  async restore(services: readonly Service[]): Promise<void> {
    const { clock, ledger, note } = this.#o;
    const now = clock.now();
    const isFinal = new Set<string>(); // bounded by: the rows of recent()
    for (const { body } of await ledger.recent('outcome', now - VALIDITY_MS)) {
      const { commandId, state } = body as CommandOutcome;
      if (FINAL.includes(state)) isFinal.add(commandId);
    }
    const open: Sent['commands'][number][] = [];
    // The newest of a resource has replaced those before: of them it says so itself.
    const seen = new Set<string>(); // bounded by: the resources
    for (const { body } of await ledger.recent('batch', now - VALIDITY_MS)) {
      for (const c of (body as Sent).commands) {
        const isNewest = !seen.has(c.resourceId);
        seen.add(c.resourceId);
        if (isNewest && !isFinal.has(c.commandId)) open.push(c);
      }
    }
    for (const { commandId, resourceId } of open.slice(0, MAX_STATED)) {
      const body: CommandOutcome = { commandId, resourceId, state: 'unknown', at: iso(now) };
      ledger.later({ op: 'put', kind: 'outcome', key: `${commandId}/unknown`, at: now, body });
      const led = services.filter((s) => isRunning(s.state) && s.members.includes(resourceId));
      note({
        kind: 'command.unknown',
        severity: severityOf('command.unknown'),
        subject: [resourceId, commandId],
        parties: led.map((s) => s.foId),
      });
    }
  }
}
