import { MESSAGE_VERSION } from '@epd/connector';
import { Compile } from 'typebox/compile';
import type { Ending, ImageNote, Job, JobStatus } from './job.ts';
import { JobRequest } from './job.ts';
import { RecordError } from './errors.ts';
import { endedAsDamaged, soundFields } from './damaged-record.ts';
import { RECORD_VERSION } from './new-record.ts';

const requestSchema = Compile(JobRequest);

type Fields = Readonly<Record<string, string>>;

/** A hash as scripts return it: names and values in turn. */
export function fieldsOf(flat: readonly string[]): Fields {
  const fields: Record<string, string> = {};
  for (let i = 0; i < flat.length; i += 2) fields[flat[i] ?? ''] = flat[i + 1] ?? '';
  return fields;
}

/** A record's hash as Redis returns it, read back into a `Job`. Throws `RecordError`. */
export function decodeJob(id: string, fields: Fields): Job {
  const ending = parsed(id, fields, 'ending') as Ending | null;
  const damaged = ending !== null && endedAsDamaged(ending);
  return decode(id, damaged ? soundFields(fields) : fields, ending);
}

function decode(id: string, fields: Fields, ending: Ending | null): Job {
  return {
    id,
    tenant: text(id, fields, 'tenant'),
    status: text(id, fields, 'status') as JobStatus,
    createdAtMs: Number(text(id, fields, 'createdAtMs')),
    startedAtMs: optionalNumber(fields['startedAtMs']),
    begunAtMs: optionalNumber(fields['begunAtMs']),
    finishedAtMs: optionalNumber(fields['finishedAtMs']),
    metadata: (parsed(id, fields, 'metadata') ?? {}) as Record<string, string>,
    request: decodeRequest(id, fields),
    stage: fields['stage'] ?? 'queued',
    imageNotes: decodeNotes(id, fields),
    ending,
    webhook: parsed(id, fields, 'webhook') as Job['webhook'],
  };
}

function decodeRequest(id: string, fields: Fields): JobRequest {
  const value = parsed(id, fields, 'request');
  if (requestSchema.Check(value)) return value;
  const [first] = requestSchema.Errors(value);
  const reason = `request${first?.instancePath ?? ''} ${first?.message ?? 'is invalid'}`;
  throw new RecordError(id, reason, isForeign(fields) || isForeignRequest(value));
}

const isForeign = ({ v }: Fields): boolean => v !== undefined && v !== String(RECORD_VERSION);

function isForeignRequest(request: unknown): boolean {
  const v = (request as { v?: unknown } | null)?.v;
  return typeof v === 'number' && v !== MESSAGE_VERSION;
}

/** Fields `note:<item>:<stage>` are what encoders wrote about an image. */
function decodeNotes(id: string, fields: Fields): ImageNote[] {
  return Object.keys(fields).flatMap((field) => {
    const [kind, item, stage] = field.split(':');
    if (kind !== 'note' || stage === undefined) return [];
    const detail = parsed(id, fields, field) as { ms: number };
    return [{ item: Number(item), stage, ...detail }];
  });
}

/** A field that holds JSON; null: it is not there. */
function parsed(id: string, fields: Fields, name: string): unknown {
  const json = fields[name];
  try {
    return json === undefined ? null : JSON.parse(json);
  } catch (error) {
    throw new RecordError(id, `field ${name} is no JSON`, isForeign(fields), { cause: error });
  }
}

function text(id: string, fields: Fields, name: string): string {
  const value = fields[name];
  if (value === undefined) throw new RecordError(id, `field ${name} is missing`, isForeign(fields));
  return value;
}

const optionalNumber = (value: string | undefined): number | null =>
  value === undefined ? null : Number(value);
