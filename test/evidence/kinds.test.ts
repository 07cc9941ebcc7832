import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { EVENT_KINDS } from '../../hub/evidence/kinds.ts';
import { notesOf } from '../../hub/evidence/service-notes.ts';
import type { Service } from '../../hub/services/service.ts';
import { requestOf } from './services.ts';

const HUB = join(import.meta.dirname, '../../hub');

function files(folder: string): string[] {
  return readdirSync(folder, { withFileTypes: true }).flatMap((e) =>
    e.isDirectory() ? files(join(folder, e.name)) : [join(folder, e.name)],
  );
}

describe('kinds of log entries', () => {
  it('that the hub notes all stand in the table', () => {
    const noted = files(HUB).flatMap((f) =>
      [...readFileSync(f, 'utf8').matchAll(/kind: '([a-z]+\.[A-Za-z]+)'/g)].map((m) => m[1] ?? ''),
    );
    expect(noted.length).toBeGreaterThan(5);
    expect([...new Set(noted)].filter((k) => !(k in EVENT_KINDS))).toEqual([]);
  });

  it('follow from what a party is told about its service', () => {
    const service: Service = {
      foId: 'fo:test',
      fsr: requestOf(),
      digest: '',
      state: 'active',
      members: [],
      outgoing: [],
    };
    const notice = (topic: Service['outgoing'][number]['topic'], payload: object) => ({
      id: topic,
      topic,
      payload,
      at: 0,
    });
    const outgoing = [
      notice('hub/ServiceDecision', { decision: 'rejected', code: 'capability.insufficient' }),
      notice('hub/ExecutionNotice', { phase: 'deviation', cause: 'off.target', shortfallW: 5, resources: ['r1'] }),
      notice('hub/OptChoice', { choice: 'out', actor: 'evu', reason: 'in a hurry' }),
      notice('hub/CancelService', { reason: 'fault' }),
    ];
    const notes = notesOf({ ...service, fsr: { ...service.fsr, revision: 0 } }, { ...service, outgoing });
    expect(notes.map((n) => [n.kind, n.severity, n.subject.join(), n.cause])).toEqual([
      ['service.amended', 'info', 'N-1', undefined],
      ['service.rejected', 'info', 'N-1', 'capability.insufficient'],
      ['service.deviation', 'warning', 'N-1,r1', 'off.target'],
      ['service.opt', 'info', 'N-1', 'in a hurry'],
      ['service.cancelled', 'warning', 'N-1', 'fault'],
    ]);
    expect(notes.every((n) => n.parties?.[0] === 'fo:test' && n.kind in EVENT_KINDS)).toBe(true);
    expect(notesOf({ ...service, outgoing }, { ...service, outgoing })).toEqual([]);
  });
});
