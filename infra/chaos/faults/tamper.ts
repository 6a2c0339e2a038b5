import type { Fault } from './fault.ts';
import { choose } from './fault.ts';

const MANNERS = ['flipped', 'truncated', 'deleted', 'swapped', 'emptied'] as const;
const OBJECTS_MAX = 4;

/** Stored embeddings are changed behind everybody's back. */
export const tamper: Fault = async ({ world, fault }) => {
  const keys: string[] = [];
  for await (const { key } of world.store.list('embeddings/')) keys.push(key);
  keys.sort();
  const manner = choose(MANNERS, fault.roll);
  const chosen = new Set(
    Array.from(
      { length: OBJECTS_MAX },
      (_, index) => keys[(fault.roll * 31 + index * 7) % keys.length],
    ),
  );
  let done = 0;
  for (const key of chosen) {
    if (key === undefined) continue;
    if (await spoil(world.store, key, manner, keys)) done += 1;
  }
  return `${done} stored embeddings ${manner}`;
};

async function spoil(
  store: Parameters<Fault>[0]['world']['store'],
  key: string,
  manner: (typeof MANNERS)[number],
  keys: readonly string[],
): Promise<boolean> {
  const bytes = await store.get(key);
  if (bytes === null) return false;
  switch (manner) {
    case 'deleted':
      await store.delete(key);
      return true;
    case 'swapped': {
      const other = await store.get(choose(keys, keys.indexOf(key) + 1));
      if (other !== null) await store.put(key, other);
      return other !== null;
    }
    case 'flipped': {
      const changed = Uint8Array.from(bytes);
      const at = Math.floor(changed.length * 0.7);
      changed[at] = (changed[at] ?? 0) ^ 0x40;
      await store.put(key, changed);
      return true;
    }
    case 'truncated':
      await store.put(key, bytes.subarray(0, Math.floor(bytes.length / 2)));
      return true;
    case 'emptied':
      await store.put(key, new Uint8Array(0));
      return true;
  }
}
