import { StoreUnavailableError, type ObjectStore } from '@epd/connector';
import { choose, type Fault } from './fault.ts';

const OBJECTS_MAX = 4;

/** Stored embeddings are changed behind everybody's back. */
export const tamper: Fault = async (context) => {
  try {
    return await tamperWithSome(context);
  } catch (error) {
    if (!(error instanceof StoreUnavailableError)) throw error;
    return 'nothing tampered with: S3 is down from the fault before';
  }
};

const tamperWithSome: Fault = async ({ world, fault }) => {
  const keys: string[] = [];
  for await (const { key } of world.store.list('embeddings/')) keys.push(key);
  keys.sort();
  const manner = choose(Object.keys(SPOILERS), fault.roll);
  const chosen = new Set(
    Array.from(
      { length: OBJECTS_MAX },
      (_, index) => keys[(fault.roll * 31 + index * 7) % keys.length],
    ),
  );
  let done = 0;
  for (const key of chosen) {
    if (key === undefined) continue;
    const other = choose(keys, keys.indexOf(key) + 1);
    if (await spoil(world.store, key, manner, other)) done += 1;
  }
  return `${done} stored embeddings ${manner}`;
};

/** What is put in an object's place; null: it is deleted. `other` is some other embedding's file. */
const SPOILERS: Readonly<Record<string, (bytes: Buffer, other: Buffer) => Buffer | null>> = {
  flipped: (bytes) => {
    const at = Math.floor(bytes.length * 0.7);
    bytes.writeUInt8(bytes.readUInt8(at) ^ 0x40, at);
    return bytes;
  },
  truncated: (bytes) => bytes.subarray(0, Math.floor(bytes.length / 2)),
  deleted: () => null,
  swapped: (_bytes, other) => other,
  emptied: () => Buffer.alloc(0),
};

async function spoil(
  store: ObjectStore,
  key: string,
  manner: string,
  otherKey: string,
): Promise<boolean> {
  const [bytes, other] = await Promise.all([store.get(key), store.get(otherKey)]);
  if (bytes === null || bytes.length === 0 || other === null) return false;
  const spoiled = SPOILERS[manner]?.(Buffer.from(bytes), Buffer.from(other)) ?? null;
  if (spoiled === null) await store.delete(key);
  else await store.put(key, spoiled);
  return true;
}
