import { request } from 'node:https';

export interface Answer {
  readonly status: number;
  readonly body: unknown;
}

/** A call of the gateway's API; `ca`: the certificate that it has made for itself. A body makes it a POST. */
export async function callApi(
  url: string,
  o: { readonly ca?: string | undefined; readonly body?: object } = {},
): Promise<Answer> {
  const { ca, body } = o;
  const headers = { 'content-type': 'application/json' };
  const method = body ? 'POST' : 'GET';
  const text = body ? JSON.stringify(body) : undefined;
  if (ca === undefined) {
    const signal = AbortSignal.timeout(5000);
    const response = await fetch(url, { method, headers, signal, ...(text === undefined ? {} : { body: text }) });
    return { status: response.status, body: parsed(await response.text()) };
  }
  return new Promise((resolve, reject) => {
    const req = request(url, { ca, agent: false, method, headers, timeout: 5000 }, (res) => {
      let answer = '';
      res.on('data', (d: Buffer) => {
        answer += d.toString();
      });
      res.on('end', () => resolve({ status: res.statusCode ?? 0, body: parsed(answer) }));
    });
    req.on('error', reject).end(text);
  });
}

const parsed = (text: string): unknown => (text === '' ? undefined : JSON.parse(text));
