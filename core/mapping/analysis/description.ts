import type { MessageSchema } from './schema.ts';

/** Where checks and {@link describe} find the forms of messages; the core knows none itself. */
export interface Schemas {
  /** The schema of a topic, e.g. `hub/PowerCommand` or `ocpp2.1/MeterValuesRequest`; undefined: not known. Never throws. */
  message(topic: string): MessageSchema | undefined;
  /** All topics that are known, for suggestions and skeletons; may be costly. Absent: cannot be listed. */
  topics?(): readonly string[];
  /** Languages that exist though no message of them is known here. */
  readonly languages?: readonly string[];
  /** What is wrong with a payload of that topic, as `<JSON pointer> <sentence>`; undefined: nothing, or not known. */
  fault?(topic: string, payload: unknown): string | undefined;
  /** The form of `$ctx`. Absent: any field may be read. */
  readonly context?: MessageSchema;
}

/** One field of the source that a mapping reads. Fields inside lists have no index: `meterValue.sampledValue.value`. */
export interface FieldRead {
  readonly path: string;
  /** It may be absent in a valid source message. */
  readonly optional: boolean;
  /** Everything below it is handed on or looked at as a whole. */
  readonly whole: boolean;
}

/** One field of a target. Fields inside lists have no index: `chargingProfile.chargingSchedule.duration`. */
export interface FieldWrite {
  readonly topic: string;
  readonly path: string;
  /** The schema demands it wherever the object around it is written. */
  readonly required: boolean;
  /** `always`: whenever the object around it is made; `sometimes`: on some branches, or when the source has the value. */
  readonly set: 'always' | 'sometimes' | 'never';
  /** Paths of the source (`powerW`) and of the context (`$ctx.at`) that the value is made of; empty for constants. */
  readonly from: readonly string[];
}

/** How many fields of a target can be set. The fields of an optional object count once it is written, else it counts as one. */
export interface Coverage {
  readonly topic: string;
  readonly required: Share;
  readonly optional: Share;
}

export interface Share {
  readonly set: number;
  readonly of: number;
  /** Whole per cent, 100 when there is nothing to set. */
  readonly percent: number;
  /** Paths that are never set. */
  readonly missing: readonly string[];
}

/** What of the source does not reach the target, as the header says and as it is. */
export interface LostFields {
  /** `lost` of the header, as written. */
  readonly stated: readonly string[];
  /** `carried` of the header: what the bridge takes across by other means (ids, addressing, `$ctx`), as written. */
  readonly carried: readonly string[];
  /** Fields of the source that the mapping never reads; a field whose parent is unread is not listed again. */
  readonly unread: readonly string[];
  /** Unread fields that neither `lost` nor `carried` names. */
  readonly unstated: readonly string[];
  /** Names in `lost` or `carried` that the mapping reads all the same. */
  readonly read: readonly string[];
  /** Names in `lost` or `carried` that the source does not have. */
  readonly unknown: readonly string[];
}

/** What a mapping reads and writes, held against the schemas. Empty parts where a schema is not known. */
export interface Description {
  /** Topic of the source; absent when neither header nor options name one. */
  readonly from?: string;
  /** Topics of the targets. */
  readonly to: readonly string[];
  /** Fields of the source that are read, in the order of the schema. */
  readonly reads: readonly FieldRead[];
  /** Fields of `$ctx` that are read, e.g. `$ctx.resource.phases`, sorted. */
  readonly context: readonly string[];
  /** All fields of all targets, in the order of their schemas. */
  readonly writes: readonly FieldWrite[];
  /** One per target. */
  readonly coverage: readonly Coverage[];
  readonly lost: LostFields;
}

/** What the analysis is told that the text itself does not say. */
export interface DescribeOptions {
  /** Source topic of a text without header. */
  readonly from?: string;
  /** Target topics of a text without header. */
  readonly to?: readonly string[];
}
