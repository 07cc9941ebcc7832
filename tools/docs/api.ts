import { API_ROUTES } from '../../gateway/api.ts';
import { AREAS } from '../../gateway/gate.ts';
import { METER_TOKEN } from '../../gateway/meter-api.ts';
import { ROLE_MEANINGS, ROLES } from '../../gateway/roles.ts';
import { secretVariable } from '../../gateway/secrets.ts';
import { TRACE_STAGES, type TraceEntry } from '../../hub/trace/types.ts';
import { SetLimit, StationOrderOutcome } from '../../model/index.ts';
import { cell } from './markdown.ts';

const READING = { meterId: 'm:poc', at: '2026-03-02T17:10:04Z', powerW: 12_400, quality: 'good' };

/** The fields of an entry of the wire timeline, in words. */
const ENTRY_FIELDS: readonly (readonly [keyof TraceEntry, string])[] = [
  ['seq', 'Counts up; `after=` goes on from there.'],
  ['at', 'Epoch ms.'],
  ['stage', `Where on its way: ${TRACE_STAGES.join(', ')}.`],
  ['direction', '`in` from a peer, `out` to a peer, `inside` the gateway.'],
  ['link', 'The link it came by.'],
  ['peer', 'Operator or station.'],
  ['topic', 'Language and message: `fo1/UpdateSetpoint`, `hub/PowerCommand`, `ocpp2.1/SetChargingProfileRequest`.'],
  [
    'id',
    'Of the message, command, batch, or the OCPP message; an answer of OCPP ends in `/answer`, ids that stations chose begin with their identity.',
  ],
  ['cause', 'Id of what led to it.'],
  ['fsrId', 'The service; `fsrIds` where it is about several.'],
  ['resourceIds', 'The resources that it is about.'],
  ['summary', 'One line for people.'],
  ['payload', 'The message itself; very long ones as `{truncated, characters, beginning}`.'],
];

const areaRoles = ({ role, change }: (typeof AREAS)[number]): string =>
  change === undefined ? role : `${role}; ${change} for what changes something`;

/** Every route of the HTTP API with its role, and how values, limits and orders are sent. */
export function apiPage(): string {
  return [
    '# API',
    '',
    'Below `/v2gate/api` on the port of the console. Answers are JSON; errors are `{error: {code, what, remedy, retry, details?}}`. Where several sites run, `?site=<siteId>` names one.',
    '',
    '## Who may do what',
    '',
    'Without users and without `V2GATE_HTTP_PASSWORD`, everybody who reaches a gateway on loopback may do everything. As soon as there is a user (`npx v2gate users add <name> --role <role>`), everybody logs in: people at the console, programs by HTTP Basic with each request.',
    '',
    '| Role | May |',
    '|---|---|',
    ...ROLES.map((role) => `| ${role} | ${cell(ROLE_MEANINGS[role])} |`),
    '',
    'A role may do everything that those above it may. The owner of `V2GATE_HTTP_PASSWORD` is engineer, under any name. *open* asks nobody; *token* is for programs on this machine, or those that show a token.',
    '',
    '| Beside the API | Role | What |',
    '|---|---|---|',
    ...AREAS.filter((x) => x.role !== 'routes').map((x) => `| \`${x.path}\` | ${areaRoles(x)} | ${cell(x.what)} |`),
    '',
    "A WebSocket needs what changing something needs: the editor's an engineer, one of a flow an operator. After 5 wrong passwords an address waits 1 s before the next one, then 2, 4, … 60 s.",
    '',
    'A session: `POST /v2gate/api/login` with `{"name": "anna", "password": "…"}` sets the cookie `v2gate_session` for 12 hours; it ends with `POST /v2gate/api/logout`, with another password, and when the user is removed.',
    '',
    '## Routes',
    '',
    '| Method | Path | Role | What |',
    '|---|---|---|---|',
    ...API_ROUTES.map((r) => `| ${r.method} | \`${r.path}\` | ${r.role} | ${cell(r.what)} |`),
    '',
    '## Wire timeline',
    '',
    'The gateway keeps the newest 10 000 messages that passed, in at most 16 MB: 2 500 of operators, services, allocations, limits and records, and 7 500 of commands, stations and meters. Of meter values and heartbeats it keeps one of each in 10 s, 20 in a second, and always the first after a command. Passwords, tokens and keys are taken out, tokens of drivers are shortened. It is gone after a restart; what must last stands in the event log.',
    '',
    '```sh',
    "curl 'http://127.0.0.1:1880/v2gate/api/timeline?stage=fo&limit=20'",
    "curl 'http://127.0.0.1:1880/v2gate/api/timeline?follow=N-4711&format=jsonl' > story.jsonl",
    '```',
    '',
    '| Field | What |',
    '|---|---|',
    ...ENTRY_FIELDS.map(([name, what]) => `| \`${name}\` | ${cell(what)} |`),
    '',
    '## Orders',
    '',
    `\`POST /v2gate/api/stations/<identity>/orders\` takes a [StationOrder](messages.md#stationorder); \`orderId\` and \`identity\` may be left out: \`{"action": "reset", "hard": true}\`. The answer is \`{"outcome": …}\`, a [StationOrderOutcome](messages.md#stationorderoutcome) such as \`${JSON.stringify(StationOrderOutcome.example)}\`. A no of the station is an answer, too (\`state: rejected\`, with its reason).`,
    '',
    '## Meter values',
    '',
    'What is measured beside the vehicles comes by `POST /v2gate/api/meter`, as one `hub/MeterReading` or a list of at most 100. `meterId` names an entry in `meters` of the site file; power is in W, positive towards what is measured. A flow uses the node *meter* instead.',
    '',
    '```sh',
    'curl http://127.0.0.1:1880/v2gate/api/meter -H "content-type: application/json" \\',
    `  -d '${JSON.stringify(READING)}'`,
    '```',
    '',
    `Programs on other machines show the secret \`${METER_TOKEN}\` (\`${secretVariable(METER_TOKEN)}\`) as \`Authorization: Bearer …\`.`,
    '',
    'With a meter at the connection the vehicles get what others leave. Three intervals without a value make it lost: the vehicles then keep to `staticShareW` and feed nothing in. So do values that cannot be true, or that do not move although vehicles do.',
    '',
    '## Limits',
    '',
    `\`POST /v2gate/api/limit\` takes a [SetLimit](messages.md): \`${JSON.stringify(SetLimit.example)}\`.`,
  ].join('\n');
}
