import type { Evse } from './evcs.ts';

/** What a mapping may know beside its source payload: bound as `$ctx` (design 3). Plain data. */
export interface MappingContext {
  /** ISO 8601 time of the translation. */
  readonly at: string;
  /** Ids that the bridge allocated for this translation, for example `chargingProfileId`. */
  readonly ids: Readonly<Record<string, string | number>>;
  /** The resource that the message is about. */
  readonly resource: Pick<Evse, 'evseId' | 'current' | 'protocol'> & {
    /** EVSE or connector number at the station. */
    readonly evse: number;
    /** Phases in use, 1–3; 1 for DC. */
    readonly phases: number;
    /** Line to neutral, V: the higher of nominal and last measured (fo 8.3.7). */
    readonly voltageV: number;
    readonly maxImportW: number;
    readonly maxExportW: number;
  };
  /** What the bridge knows of the peer and its session. */
  readonly session: {
    readonly identity: string;
    readonly vendor?: string;
    readonly model?: string;
    readonly transactionId?: string | number;
    /** `W` or `A`: what the station takes. */
    readonly rateUnit?: 'W' | 'A';
    readonly hasDynamic?: boolean;
    /** The dynamic profile is already installed; only its values change. */
    readonly dynamicInstalled?: boolean;
  };
  readonly settings: Readonly<Record<string, string | number | boolean>>;
}
