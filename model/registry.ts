import { ActivateService, AmendService } from './amendment.ts';
import { Baseline } from './baseline.ts';
import { Contract, ProofRule, TelemetryRule } from './contract.ts';
import { Circuit, Ess, EvcsConfiguration, Evse, Generation, Meter, Poc } from './evcs.ts';
import { EventEntry, Proof, ServiceRecord, TelemetrySample } from './evidence.ts';
import { MappingContext } from './mapping.ts';
import { Credential, Party } from './party.ts';
import { Preferences } from './preferences.ts';
import { PublishResources, QueryResources, ResourcePage } from './publication.ts';
import {
  ChainStatus,
  EventPage,
  ProofEvent,
  QueryEvents,
  QueryRecords,
  RecordPage,
  ServiceRecordEvent,
  Signature,
  SignedDocument,
} from './records.ts';
import {
  CancelService,
  ExecutionNotice,
  OptChoice,
  RequestService,
  ResultBody,
  ServiceDecision,
  SubscribeTelemetry,
  Telemetry,
  UpdateSetpoint,
} from './requests.ts';
import { AvailabilityReport, FlexGroup, ResourceState } from './resource.ts';
import { Fallback, SERVICE_PARAMETERS, ServiceRequest, Setpoint, Target } from './service.ts';
import { EvseRecord, SiteFile, StationRecord } from './site.ts';
import { FleetEntry, FleetSnapshot, PendingStation } from './snapshot.ts';
import { StationCapabilities, StationOrder, StationOrderOutcome } from './station.ts';
import {
  CommandBatch,
  CommandOutcome,
  CurveCommand,
  EnvelopeUpdate,
  EvNeeds,
  MappedMessages,
  MessageMeta,
  MeterReading,
  PowerCommand,
  ScheduleCommand,
  ServiceTarget,
  SessionEvent,
  SetLimit,
  StationStatus,
} from './wire.ts';

/** Every message that may stand as `hub/<name>` on a wire. */
export const HUB_MESSAGES = {
  ActivateService,
  AmendService,
  AvailabilityReport,
  CancelService,
  CommandBatch,
  CommandOutcome,
  CurveCommand,
  EnvelopeUpdate,
  EvNeeds,
  ExecutionNotice,
  FleetSnapshot,
  MeterReading,
  OptChoice,
  PowerCommand,
  Preferences,
  ProofEvent,
  PublishResources,
  QueryEvents,
  QueryRecords,
  QueryResources,
  RequestService,
  ResourceState,
  ResultBody,
  ScheduleCommand,
  ServiceDecision,
  ServiceRecordEvent,
  ServiceTarget,
  SessionEvent,
  SetLimit,
  StationCapabilities,
  StationOrder,
  StationOrderOutcome,
  StationStatus,
  SubscribeTelemetry,
  Telemetry,
  UpdateSetpoint,
} as const;
export type HubMessageName = keyof typeof HUB_MESSAGES;

/** The parts of which those are made, and the site file. */
export const HUB_PARTS = {
  Baseline,
  ChainStatus,
  Circuit,
  Contract,
  Credential,
  Ess,
  Evse,
  EvcsConfiguration,
  EventEntry,
  EventPage,
  EvseRecord,
  Fallback,
  FleetEntry,
  FlexGroup,
  Generation,
  MappedMessages,
  MappingContext,
  MessageMeta,
  Meter,
  Party,
  PendingStation,
  Poc,
  Proof,
  ProofRule,
  RecordPage,
  ResourcePage,
  ServiceRecord,
  ServiceRequest,
  Setpoint,
  Signature,
  SignedDocument,
  SiteFile,
  StationRecord,
  Target,
  TelemetryRule,
  TelemetrySample,
  ...SERVICE_PARAMETERS,
} as const;
