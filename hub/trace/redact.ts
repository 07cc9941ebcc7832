/** What stands where a secret was. */
export const HIDDEN = '•••';

/** Members that hold a secret, whatever the message. */
const SECRET =
  /^(.*password|passwd|.*secret|.*token|authorization|authorizationkey|.*api_?key|.*private_?key|pin|credential|credentials)$/i;
/** Members that name a driver, not a secret: enough is shown to tell two apart. */
const DRIVER = /^(id_?token|idtag|parentidtag|groupidtoken|emaid|evccid|vin)$/i;
/** Settings of stations whose value is a secret. */
const SECRET_SETTING = /password|authorizationkey|secret|token|credential|private/i;
const SETTING_VALUES: readonly string[] = ['value', 'attributeValue', 'attributevalue', 'data'];
const MAX_DEPTH = 32;

/** A copy without passwords, tokens and keys; names of drivers are shortened. */
export function redacted(value: unknown, depth = 0): unknown {
  if (typeof value === 'string') return redactedText(value);
  if (typeof value !== 'object' || value === null) return value;
  if (depth >= MAX_DEPTH) return '…';
  if (Array.isArray(value)) return value.map((v) => redacted(v, depth + 1));
  const secretSetting = namesSecret(value);
  const shown = (key: string, member: unknown): unknown => {
    if (secretSetting && SETTING_VALUES.includes(key)) return HIDDEN;
    if (DRIVER.test(key)) return driver(member, depth + 1);
    if (SECRET.test(key) && isValue(member)) return HIDDEN;
    return redacted(member, depth + 1);
  };
  // Also a member that is called __proto__ becomes one of the copy.
  return Object.fromEntries(Object.entries(value).map(([key, member]) => [key, shown(key, member)]));
}

/** Secrets inside of texts: user and password of URLs, credentials of headers, keys in PEM. */
export function redactedText(text: string): string {
  if (text.length < 8) return text;
  return text
    .replace(/\/\/[^/@\s]{1,512}@/g, `//${HIDDEN}@`)
    .replace(/\b(Basic|Bearer)\s+[\w.~+/=-]{4,}/gi, `$1 ${HIDDEN}`)
    .replace(/([?&](?:token|key|password|secret)=)[^&#\s]+/gi, `$1${HIDDEN}`)
    .replace(/-----BEGIN [A-Z ]*PRIVATE KEY-----[\s\S]*?(?:-----END [A-Z ]*-----|$)/g, HIDDEN);
}

/** A number or a flag tells no secret, and an object is looked at member by member. */
const isValue = (member: unknown): boolean => typeof member === 'string' || Array.isArray(member);

/** `{idToken, type}` of OCPP 2, or the text of 1.6. */
function driver(member: unknown, depth: number): unknown {
  if (typeof member === 'string') return member.length <= 4 ? HIDDEN : `${member.slice(0, 3)}…`;
  return redacted(member, depth);
}

/** `{key: 'AuthorizationKey', value}` of OCPP 1.6, `{variable: {name: 'BasicAuthPassword'}, attributeValue}` of 2.x. */
function namesSecret(value: object): boolean {
  const key: unknown = Reflect.get(value, 'key');
  const variable: unknown = Reflect.get(value, 'variable');
  const name: unknown = typeof variable === 'object' && variable !== null ? Reflect.get(variable, 'name') : undefined;
  return [key, name].some((n) => typeof n === 'string' && SECRET_SETTING.test(n));
}
