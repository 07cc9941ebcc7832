import { type Clock, iso } from '../../core/clock.ts';
import { codeOf, describeError } from '../../core/errors.ts';
import type { Log } from '../../core/log.ts';
import type { MappingLibrary } from '../../core/mapping/library.ts';
import type { PowerCommand } from '../../model/index.ts';
import type { CallOptions } from '../../protocols/ocpp/index.ts';
import type { Channel } from './channel.ts';
import { field } from './effective.ts';
import { defaultForms } from './ladder.ts';
import { type CommandTarget, call, clearPlace, DOUBTFUL, reasonOf } from './profile-calls.ts';
import { word } from './wording.ts';

/** Installs the profile that holds below everything else, so that the gateway may die (design 2); `importW` ≥ 0. */
export async function installDefault(
  { clock, library, log }: { readonly clock: Clock; readonly library: MappingLibrary; readonly log: Log },
  target: CommandTarget,
  channel: Channel,
  importW: number,
): Promise<void> {
  const { resourceId } = channel.resource;
  const command: PowerCommand = {
    commandId: 'default',
    resourceId,
    kind: 'limit',
    importLimitW: importW,
    validUntil: iso(clock.now() + 86_400_000),
    level: 3,
  };
  channel.defaultTriedAt = clock.now();
  let why: object = {};
  for (const f of defaultForms(target.version, channel)) {
    try {
      const wording = word(library, target, channel, command, { appliedW: importW, form: f, now: clock.now() });
      // Before setpoints, and behind limits that must hold now: a station may have many defaults to write (design 5).
      const about = { cause: `default:${resourceId}`.slice(0, 64), resourceId };
      const options: CallOptions = { priority: 'reduction', replaceKey: `default/${resourceId}`, about };
      const first = await call(target, wording, options);
      const answer = (await clearPlace(target, wording, first)) ? await call(target, wording, options) : first;
      if (field(answer, 'status') === 'Accepted') {
        channel.defaultW = importW;
        channel.defaultRefused = false;
        return;
      }
      why = { status: field(answer, 'status'), reason: reasonOf(answer) };
    } catch (e) {
      // Not refused: it is tried again when the station is back. Until then it may hold the old one or a higher one.
      const doubtful = DOUBTFUL.includes(codeOf(e) ?? '');
      if (doubtful && channel.defaultW !== undefined && importW > channel.defaultW) delete channel.defaultW;
      if (doubtful || codeOf(e) === 'ocpp.superseded') return;
      why = describeError(e);
    }
  }
  if (channel.defaultRefused !== true) log.warn('station.noDefault', { resource: resourceId, ...why });
  channel.defaultRefused = true;
}
