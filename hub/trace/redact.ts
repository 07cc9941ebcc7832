/** What stands where a secret was. */
export const HIDDEN = '•••';

/** Members that hold a secret, whatever the message. */
const SECRET =
  /^(.*password|passwd|pwd|psk|.*passphrase|passcode|.*secret|.*token|authorization|authorizationkey|.*(?:api|private|shared|vpn)_?key|(?:sim_?)?pin|credential|credentials)$/i;
/** Part of every such name: most names are none, and this is known sooner. */
const SECRET_HINT = /pass|pwd|psk|secret|token|author|key|pin|cred/i;
/** Members that name a driver, not a secret: enough is shown to tell two apart. */
const DRIVER = /^(id_?token|idtag|parentidtag|groupidtoken|emaid|evccid|vin|customeridentifier)$/i;
/** Settings of stations whose value is a secret. */
const SECRET_SETTING =
  /password|passwd|passphrase|authorizationkey|secret|token|credential|private|(?:api|shared|vpn|wifi)_?key|simpin|psk$/i;
const SETTING_VALUES: readonly string[] = ['value', 'attributeValue', 'attributevalue', 'actualValue', 'data'];
const MAX_DEPTH = 32;

/** A copy without passwords, tokens and keys; names of drivers are shortened. */
export function redacted(value: unknown): unknown {
  return copyOf(value, 0, false);
}

/** `ofSecret`: it holds the values of a setting that is secret. */
function copyOf(value: unknown, depth: number, ofSecret: boolean): unknown {
  if (typeof value === 'string') return jsonIn(value, depth) ?? redactedText(value);
  if (typeof value !== 'object' || value === null) return value;
  if (depth >= MAX_DEPTH) return '…';
  if (Array.isArray(value)) return value.map((v) => copyOf(v, depth + 1, ofSecret));
  const secretSetting = ofSecret || namesSecret(value);
  const shown = (key: string, member: unknown): unknown => {
    if (secretSetting && SETTING_VALUES.includes(key)) return HIDDEN;
    if (DRIVER.test(key)) return driver(member, depth + 1);
    if ((SECRET_HINT.test(key) && SECRET.test(key) && isValue(key, member)) || tellsByPlace(key, value)) return HIDDEN;
    return copyOf(member, depth + 1, secretSetting && key === 'variableAttribute');
  };
  // Also a member that is called __proto__ becomes one of the copy.
  return Object.fromEntries(Object.entries(value).map(([key, member]) => [key, shown(key, member)]));
}

/** `password=…`, `"token": "…"` in a text that is no JSON, or was cut off. */
const NAMED =
  /((?:password|passwd|passphrase|secret|token|api_?key|idtag|signature)[\\"']{0,4}\s{0,4}[=:]\s{0,4}[\\"']{0,4})[^\s\\"'&#;,<>]+/gi;

/** Part of every text in which something is replaced. */
const TEXT_HINT = /[/=:]|-{5}|b(?:asic|earer)\s/i;

/** Secrets inside of texts: user and password of URLs, credentials of headers, keys in PEM. */
export function redactedText(text: string): string {
  if (text.length < 8 || !TEXT_HINT.test(text)) return text;
  return text
    .replace(/\/\/[^/?#\s]{1,512}@/g, `//${HIDDEN}@`)
    .replace(/\b(Basic|Bearer)\s+[\w.~+/=-]{4,}/gi, `$1 ${HIDDEN}`)
    .replace(/([?&](?:key|sig)=)[^&#\s]+/gi, `$1${HIDDEN}`)
    .replace(NAMED, `$1${HIDDEN}`)
    .replace(/-----BEGIN [A-Z ]*PRIVATE KEY-----[\s\S]*?(?:-----END [A-Z ]*-----|$)/g, HIDDEN);
}

/** A flag tells no secret, a number of tokens neither, and an object is looked at member by member. */
const isValue = (key: string, member: unknown): boolean =>
  typeof member === 'string' || Array.isArray(member) || (typeof member === 'number' && !/token$/i.test(key));

/** The key of a VPN (SetNetworkProfile), and what NotifyCustomerInformation tells of a person: their names say nothing. */
const tellsByPlace = (key: string, of: object): boolean =>
  (key === 'key' && Object.hasOwn(of, 'server')) || (key === 'data' && Object.hasOwn(of, 'generatedAt'));

/** DataTransfer brings objects as a text: it is shown as JSON again. */
function jsonIn(text: string, depth: number): string | undefined {
  if (depth >= MAX_DEPTH || !/^\s*[{[]/.test(text)) return undefined;
  try {
    return JSON.stringify(copyOf(JSON.parse(text), depth + 1, false));
  } catch {
    return undefined;
  }
}

/** `{idToken, type}` of OCPP 2, or the text of 1.6. */
function driver(member: unknown, depth: number): unknown {
  if (typeof member === 'string') return member.length <= 4 ? HIDDEN : `${member.slice(0, 3)}…`;
  return copyOf(member, depth, false);
}

/** `{key: 'AuthorizationKey', value}` of OCPP 1.6, `{variable: {name: 'BasicAuthPassword'}, attributeValue}` of 2.x. */
function namesSecret(value: object): boolean {
  const key: unknown = Reflect.get(value, 'key');
  const variable: unknown = Reflect.get(value, 'variable');
  const name: unknown = typeof variable === 'object' && variable !== null ? Reflect.get(variable, 'name') : undefined;
  return [key, name].some((n) => typeof n === 'string' && SECRET_SETTING.test(n));
}
