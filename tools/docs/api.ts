import { API_ROUTES } from '../../gateway/api.ts';
import { METER_TOKEN } from '../../gateway/meter-api.ts';
import { secretVariable } from '../../gateway/secrets.ts';
import { SetLimit } from '../../model/index.ts';
import { cell } from './markdown.ts';

const READING = { meterId: 'm:poc', at: '2026-03-02T17:10:04Z', powerW: 12_400, quality: 'good' };

/** Every route of the HTTP API, and how meter values and limits are sent. */
export function apiPage(): string {
  return [
    '# API',
    '',
    'Below `/v2gate/api` on the port of the console. Answers are JSON; errors are `{error: {code, what, remedy, retry, details?}}`. Where several sites run, `?site=<siteId>` names one.',
    '',
    '| Method | Path | What |',
    '|---|---|---|',
    ...API_ROUTES.map((r) => `| ${r.method} | \`${r.path}\` | ${cell(r.what)} |`),
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
