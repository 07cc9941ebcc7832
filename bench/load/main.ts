/** The load generator: one process with all raw stations, driven over IPC. */
import { serveQuestions } from '../harness/children.ts';
import { Group } from './group.ts';
import type { FromLoad, ToLoad } from './protocol.ts';
import { storm, Watch } from './storm.ts';

const groups = new Map<string, Group>(); // bounded by: what one scenario connects
const watches = new Map<string, Watch>(); // bounded by: the groups

function group(set: string): Group {
  const found = groups.get(set);
  if (found === undefined) throw new Error(`no stations are connected as ${set}`);
  return found;
}

async function obey(m: ToLoad): Promise<FromLoad> {
  switch (m.do) {
    case 'connect':
      groups.set(m.set, await Group.connect(m));
      break;
    case 'begin':
      await group(m.set).begin();
      break;
    case 'up':
      return group(m.set).up(m.ms);
    case 'meter':
      return group(m.set).meter();
    case 'pace':
      group(m.set).pace(m.perSecond);
      break;
    case 'mark':
      group(m.set).mark();
      break;
    case 'reached':
      return group(m.set).reached(m.withinMs, m.only);
    case 'lowered':
      return group(m.set).lowered(m);
    case 'storm': {
      const { joined, ...told } = await storm(m);
      groups.set(m.set, joined);
      return told;
    }
    case 'watch':
      watches.set(m.set, new Watch(group(m.set)));
      break;
    case 'watched':
      return { roundTrips: (await watches.get(m.set)?.end()) ?? [] };
    case 'close':
      groups.get(m.set)?.close();
      groups.delete(m.set);
      break;
  }
  return { done: true };
}

serveQuestions<ToLoad, FromLoad>(obey);
process.send?.({ done: true });
