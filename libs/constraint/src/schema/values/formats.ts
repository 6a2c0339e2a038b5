const DATE = String.raw`(?:\d{4}-(?:(?:0[13578]|1[02])-(?:0[1-9]|[12]\d|3[01])|(?:0[469]|11)-(?:0[1-9]|[12]\d|30)|02-(?:0[1-9]|1\d|2[0-8]))|(?:\d\d(?:0[48]|[2468][048]|[13579][26])|(?:[02468][048]|[13579][26])00)-02-29)`;
const TIME = String.raw`(?:[01]\d|2[0-3]):[0-5]\d:[0-5]\d(?:\.\d{1,9})?(?:Z|z|[+-](?:[01]\d|2[0-3]):[0-5]\d)`;
const LABEL = '[a-zA-Z0-9](?:[a-zA-Z0-9-]{0,61}[a-zA-Z0-9])?';
const OCTET = String.raw`(?:25[0-5]|2[0-4]\d|1\d\d|[1-9]?\d)`;
const IPV4 = String.raw`${OCTET}(?:\.${OCTET}){3}`;
const H16 = '[0-9a-fA-F]{1,4}';
const LS32 = `(?:${H16}:${H16}|${IPV4})`;
const IPV6 = [
  `(?:${H16}:){6}${LS32}`,
  `::(?:${H16}:){5}${LS32}`,
  `(?:${H16})?::(?:${H16}:){4}${LS32}`,
  `(?:(?:${H16}:){0,1}${H16})?::(?:${H16}:){3}${LS32}`,
  `(?:(?:${H16}:){0,2}${H16})?::(?:${H16}:){2}${LS32}`,
  `(?:(?:${H16}:){0,3}${H16})?::${H16}:${LS32}`,
  `(?:(?:${H16}:){0,4}${H16})?::${LS32}`,
  `(?:(?:${H16}:){0,5}${H16})?::${H16}`,
  `(?:(?:${H16}:){0,6}${H16})?::`,
].join('|');
const ATOM = "[a-zA-Z0-9!#$%&'*+/=?^_`{|}~-]+";
/** Characters of a URI's path, query and fragment, spelled out or percent-encoded. */
const PCHAR = String.raw`(?:[a-zA-Z0-9._~!$&'()*+,;=:@-]|%[0-9a-fA-F]{2})`;
const AUTHORITY = String.raw`(?:(?:[a-zA-Z0-9._~!$&'()*+,;=:-]|%[0-9a-fA-F]{2})*@)?(?:\[[0-9a-fA-F:.]+\]|(?:[a-zA-Z0-9._~!$&'()*+,;=-]|%[0-9a-fA-F]{2})*)(?::\d{0,5})?`;
const TAIL = String.raw`(?:\?(?:${PCHAR}|[/?])*)?(?:#(?:${PCHAR}|[/?])*)?`;
const URI = String.raw`[a-zA-Z][a-zA-Z0-9+.-]*:(?://${AUTHORITY}(?:/${PCHAR}*)*|/?(?:${PCHAR}+(?:/${PCHAR}*)*)?)${TAIL}`;
const RELATIVE = String.raw`(?://${AUTHORITY}(?:/${PCHAR}*)*|/(?:${PCHAR}+(?:/${PCHAR}*)*)?|(?:[a-zA-Z0-9._~!$&'()*+,;=@-]|%[0-9a-fA-F]{2})+(?:/${PCHAR}*)*)?${TAIL}`;

const whole = (source: string): string => `^(?:${source})$`;

/**
 * The formats of JSON Schema that answers are held to, as patterns. They follow the RFCs, in places more
 * narrowly (no leap seconds, no quoted local parts), so that every client's check passes them.
 */
export const FORMATS: ReadonlyMap<string, string> = new Map(
  Object.entries({
    'date-time': `${DATE}[Tt]${TIME}`,
    date: DATE,
    time: TIME,
    duration: String.raw`P(?:\d+W|(?=.)(?:\d+Y)?(?:\d+M)?(?:\d+D)?(?:T(?=\d)(?:\d+H)?(?:\d+M)?(?:\d+S)?)?)`,
    email: String.raw`${ATOM}(?:\.${ATOM})*@${LABEL}(?:\.${LABEL})+`,
    hostname: String.raw`(?=.{1,253}$)${LABEL}(?:\.${LABEL})*`,
    ipv4: IPV4,
    ipv6: IPV6,
    uri: URI,
    'uri-reference': `${URI}|${RELATIVE}`,
    uuid: '[0-9a-fA-F]{8}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{12}',
    'json-pointer': '(?:/(?:[^~/]|~[01])*)*',
  }).map(([name, source]) => [name, whole(source)]),
);

/** Formats of OpenAPI that say how a client keeps a value, and nothing of its text. */
export const ANNOTATED_FORMATS: ReadonlySet<string> = new Set([
  'int32',
  'int64',
  'float',
  'double',
  'binary',
  'password',
]);
