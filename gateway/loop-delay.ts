import { monitorEventLoopDelay } from 'node:perf_hooks';
import { type Clock, every } from '../core/clock.ts';
import type { Metrics } from '../core/metrics.ts';
import type { ComponentHealth } from '../hub/ports.ts';

const PERIOD_MS = 5_000;
const RESOLUTION_MS = 10;
/** Above this p99 the process is too slow for setpoints of class T1 (fo 2.4). */
const ALARM_S = 0.25;

/** Measures how long the event loop is blocked: a metric, and an alarm at `/health`. The result stops it. */
export function watchLoopDelay(clock: Clock, metrics: Metrics, health: (state: ComponentHealth) => void): () => void {
  const histogram = monitorEventLoopDelay({ resolution: RESOLUTION_MS });
  const delay = metrics.gauge('v2gate_event_loop_delay_seconds', 'Delay of the event loop in the last 5 s', [
    'quantile',
  ]);
  const memory = metrics.gauge('v2gate_resident_memory_bytes', 'Resident memory of the process');
  histogram.enable();
  const timer = every(clock, PERIOD_MS, () => {
    const p99 = Math.max(0, histogram.percentile(99) / 1e9 - RESOLUTION_MS / 1e3);
    delay.set(Math.max(0, histogram.percentile(50) / 1e9 - RESOLUTION_MS / 1e3), { quantile: '0.5' });
    delay.set(p99, { quantile: '0.99' });
    memory.set(process.memoryUsage.rss());
    histogram.reset();
    const text = `p99 ${(p99 * 1e3).toFixed(0)} ms`;
    health(p99 > ALARM_S ? { state: 'degraded', text: `${text}: the process is overloaded` } : { state: 'ok', text });
  });
  return () => {
    timer.cancel();
    histogram.disable();
  };
}
