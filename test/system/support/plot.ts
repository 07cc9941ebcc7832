import { eventually } from './child.ts';

export interface PlotPoint {
  /** Epoch ms. */
  readonly at: number;
  readonly requestedW?: number;
  readonly grantedW: number;
  readonly measuredW: number;
}

/** The points of `GET /v2gate/api/plot`. */
export async function plotOf(url: string): Promise<readonly PlotPoint[]> {
  const response = await fetch(`${url}/v2gate/api/plot`, { signal: AbortSignal.timeout(5_000) });
  const body: unknown = await response.json();
  const points: unknown = typeof body === 'object' && body !== null && 'points' in body ? body.points : undefined;
  if (!Array.isArray(points)) throw new Error(`the plot has no points: ${JSON.stringify(body).slice(0, 200)}`);
  return points.filter(isPoint);
}

/** Waits until the curve was clearly above and clearly below zero. */
export function crossesZero(
  url: string,
  curve: 'requestedW' | 'grantedW' | 'measuredW',
  ms: number,
): Promise<readonly PlotPoint[]> {
  const CLEARLY_W = 500;
  return eventually(
    `${curve} moves through zero`,
    async () => {
      const points = await plotOf(url);
      const values = points.map((p) => p[curve] ?? 0);
      return values.some((v) => v > CLEARLY_W) && values.some((v) => v < -CLEARLY_W) ? points : undefined;
    },
    ms,
    500,
  );
}

function isPoint(p: unknown): p is PlotPoint {
  return typeof p === 'object' && p !== null && 'at' in p && 'grantedW' in p && 'measuredW' in p;
}
