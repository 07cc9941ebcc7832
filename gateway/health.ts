import { BoundedMap, type BoundStats } from '../core/bounded.ts';
import type { Metrics } from '../core/metrics.ts';
import type { ComponentHealth } from '../hub/ports.ts';

export interface HealthReport {
  /** The process answers. */
  readonly live: true;
  /** Everything that was configured works. */
  readonly ready: boolean;
  /** New control requests may be admitted. */
  readonly admitsNewControl: boolean;
  readonly components: Readonly<Record<string, { state: string; text: string; admits?: boolean }>>;
}

export interface Health {
  set(component: string, state: ComponentHealth): void;
  report(): HealthReport;
  stats(): BoundStats;
}

/**
 * Collects what the parts of the process say about themselves. A component that must come up is announced as `expected`,
 * so that the process is not ready before it reported.
 */
export function createHealth(metrics: Metrics, expected: readonly string[]): Health {
  const components = new BoundedMap<string, ComponentHealth>({
    name: 'gateway.health',
    max: 256,
    overflow: 'dropOldest',
  });
  const gauge = metrics.gauge('v2gate_component_up', '1: ok, 0.5: degraded, 0: down', ['component']);
  const set = (component: string, state: ComponentHealth): void => {
    if (state.state === 'removed') components.delete(component);
    else components.set(component, state);
    gauge.set(state.state === 'ok' ? 1 : state.state === 'degraded' ? 0.5 : 0, { component });
  };
  for (const component of expected) set(component, { state: 'down', text: 'starting', admits: false });
  return {
    set,
    stats: () => components.stats(),
    report() {
      const all = [...components].sort(([a], [b]) => (a < b ? -1 : 1));
      return {
        live: true,
        ready: all.every(([, c]) => c.state !== 'down'),
        admitsNewControl: all.every(([, c]) => c.admits ?? c.state !== 'down'),
        components: Object.fromEntries(
          all.map(([name, { state, text, admits }]) => [
            name,
            { state, text, ...(admits === undefined ? {} : { admits }) },
          ]),
        ),
      };
    },
  };
}
