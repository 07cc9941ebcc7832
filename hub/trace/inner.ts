/** Some messages of operators hold what they are about below one name: `{setpoint: …}`, `{fsr: …}` (fo 4.3). */
const HOLDERS = ['setpoint', 'fsr', 'scope'] as const;

/** What a message is about, below its holder where it has one. */
export function innerOf(payload: unknown): unknown {
  if (typeof payload !== 'object' || payload === null || 'fsrId' in payload) return payload;
  for (const holder of HOLDERS) {
    const inner: unknown = Reflect.get(payload, holder);
    if (typeof inner === 'object' && inner !== null && 'fsrId' in inner) return inner;
  }
  return payload;
}
