import { parseTime } from '../../core/clock.ts';
import type { V2gateError } from '../../core/errors.ts';
import { SERVICE_ERRORS, type ServiceRequest, type SiteFile } from '../../model/index.ts';
import { isAtNode } from './congestion.ts';
import { congestionParameters } from './service.ts';

/** What speaks against a congestion request (fo 3.6, UC 2.7): the place in the grid, where the limit holds, its series. */
export function congestionError(
  fsr: ServiceRequest,
  members: readonly string[],
  o: {
    readonly file: SiteFile;
    readonly capacity: { nodes(fsr: ServiceRequest, members: readonly string[]): readonly string[] | undefined };
  },
): V2gateError | undefined {
  const { fail } = SERVICE_ERRORS;
  const p = congestionParameters(fsr);
  if (!p) return undefined;
  if (!isAtNode(fsr, o.file))
    return fail('resource.unknown', `Nothing of the target lies at the grid node ${p.gridNode}.`, {
      path: '/fsr/parameters/gridNode',
    });
  if (!o.capacity.nodes(fsr, members)) {
    const what =
      'A limit for the sum of a group holds only where the group is a whole circuit: ask at referencePoint site or evse.';
    return fail('capability.unsupported', what, { path: '/fsr/target/referencePoint' });
  }
  if (
    parseTime(p.limits.start) > parseTime(fsr.window.start) ||
    parseTime(p.limits.end) <= parseTime(fsr.window.start)
  ) {
    const what = 'The limits must begin with the window or before it, and not end before it.';
    return fail('param.invalid', what, { path: '/fsr/parameters/limits/start' });
  }
  const says = p.limits.points.some((x) => x.importLimitW !== undefined || x.exportLimitW !== undefined);
  if (!says && p.reduceByW === undefined)
    return fail('param.invalid', 'No step has an importLimitW or exportLimitW, and there is no reduceByW.', {
      path: '/fsr/parameters/limits/points',
    });
  return undefined;
}
