import { EncodeJob, MESSAGE_VERSION, modalityOf, type Modality } from '@epd/connector';
import { Compile } from 'typebox/compile';

const schema = Compile(EncodeJob);

/** Messages that encoders of this version accept. */
const ENCODED: readonly Modality[] = ['image', 'frame'];

const isEncoded = (modality: string): boolean => (ENCODED as readonly string[]).includes(modality);

export type EncodeMessage =
  | { readonly kind: 'job'; readonly job: EncodeJob }
  /** Of a version or a modality that this encoder does not know; another one may. */
  | { readonly kind: 'foreign' }
  /** Of this version, but malformed. `mmHash`: the item to fail, if that field can be read. */
  | { readonly kind: 'unreadable'; readonly mmHash: string | null };

export function readMessage(data: unknown): EncodeMessage {
  if (schema.Check(data)) {
    return isEncoded(modalityOf(data.input)) ? { kind: 'job', job: data } : { kind: 'foreign' };
  }
  const fields = (data ?? {}) as { readonly v?: unknown; readonly mmHash?: unknown };
  if (typeof fields.v === 'number' && fields.v !== MESSAGE_VERSION) return { kind: 'foreign' };
  const { mmHash } = fields;
  const isHash = typeof mmHash === 'string' && /^[0-9a-f]{64}$/.test(mmHash);
  return { kind: 'unreadable', mmHash: isHash ? mmHash : null };
}
