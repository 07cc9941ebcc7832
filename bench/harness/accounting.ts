import { readdirSync, readFileSync } from 'node:fs';

/** What the operating system has accounted for a process so far. */
export interface Usage {
  /** On-core time of all threads, ms. */
  readonly onCpuMs: number;
  /** Time that its main thread was ready to run and waited for a core, ms; 0 where the system does not tell. */
  readonly waitedMs: number;
  /** When it was read, on the monotonic clock that all processes share, ms. */
  readonly atMs: number;
}

/** The monotonic clock of the machine, ms with fractions: comparable between processes. */
export const monotonicMs = (): number => Number(process.hrtime.bigint()) / 1e6;

/** Reads `/proc/<pid>`; throws when the process is gone. */
export function usageOf(pid: number): Usage {
  const atMs = monotonicMs();
  const [, waitedNs = 0] = schedstat(`/proc/${pid}/schedstat`) ?? [];
  return { onCpuMs: threadsMs(pid) ?? statMs(pid), waitedMs: waitedNs / 1e6, atMs };
}

/** The sum over all threads, to the nanosecond; threads that end in between are lost, Node keeps its own. */
function threadsMs(pid: number): number | undefined {
  let sum = 0;
  for (const thread of readdirSync(`/proc/${pid}/task`)) {
    const [onCpuNs] = schedstat(`/proc/${pid}/task/${thread}/schedstat`) ?? [];
    if (onCpuNs === undefined) return undefined;
    sum += onCpuNs;
  }
  return sum / 1e6;
}

/** On-core and waiting time in ns; undefined where the kernel keeps no such statistics. */
function schedstat(path: string): number[] | undefined {
  try {
    const numbers = readFileSync(path, 'utf8').trim().split(' ').map(Number);
    return numbers.length >= 2 && numbers.some((n) => n > 0) ? numbers : undefined;
  } catch {
    return undefined;
  }
}

/** User and system time from `stat`, in ticks of 10 ms. */
function statMs(pid: number): number {
  const fields = readFileSync(`/proc/${pid}/stat`, 'utf8')
    .replace(/^.*\) /s, '')
    .split(' ');
  return (Number(fields[11]) + Number(fields[12])) * 10;
}

/** Resident memory, bytes. */
export function rssOf(pid: number): number {
  return Number(/VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1] ?? 0) * 1024;
}

/** Open file descriptors: sockets and everything else. */
export function handlesOf(pid: number): { readonly handles: number } {
  return { handles: readdirSync(`/proc/${pid}/fd`).length };
}
