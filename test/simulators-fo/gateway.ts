import { iso, realClock } from '../../core/clock.ts';
import { silentLog } from '../../core/log.ts';
import { createFoServer, type FoInbound, type FoServer } from '../../protocols/fo/index.ts';

/** A gateway that accepts everything and measures what was asked. */
export async function obligingGateway(port = 0): Promise<{ server: FoServer; messages: FoInbound[] }> {
  const clock = realClock();
  const messages: FoInbound[] = [];
  const server = await createFoServer({
    host: '127.0.0.1',
    port,
    self: 'cso:harbour',
    clock,
    log: silentLog,
    handlers: {
      onMessage(m) {
        messages.push(m);
        const session = server.session(m.peer);
        const data = m.type === 'UpdateSetpoint' ? { appliedW: m.body.setpoint.targetW } : {};
        if (m.replyTo) server.answer(m.replyTo, { status: 'ok', data });
        if (m.type === 'RequestService') {
          void session.publish('ServiceDecision', { fsrId: m.body.fsr.fsrId, revision: 1, decision: 'accepted' });
        } else if (m.type === 'UpdateSetpoint') {
          const powerW = m.body.setpoint.targetW;
          const sample = { groupId: 'g:depot', at: iso(clock.now()), powerW, quality: 'good' as const };
          session.stream('Telemetry', { samples: [sample] });
        } else if (m.type === 'CancelService') {
          const at = iso(clock.now());
          void session.publish('ExecutionNotice', { fsrId: m.body.fsrId, phase: 'aborted', at });
        }
      },
    },
  });
  return { server, messages };
}
