import type { Modality } from '@epd/connector';
import type { ImageResolver, TakenImage } from './image-resolver.ts';
import type { ImageSource } from './image-sources.ts';
import type { Submission } from './submission.ts';

/** Fetches of one request that run at once: enough to hide latency, too few to be a weapon. */
const CONCURRENCY = 4;

/**
 * Takes in every mention's picture, in order; equal mentions once. The first failure ends the others.
 */
export async function resolveImages(
  sources: readonly ImageSource[],
  resolver: Pick<ImageResolver, 'take'>,
  { tenant, memory }: Pick<Submission, 'tenant' | 'memory'>,
): Promise<TakenImage[]> {
  if (sources.length === 0) return [];
  const distinct = new Map(sources.map((source) => [nameOf(source), source]));
  const taken = new Map<string, TakenImage>();
  const abort = new AbortController();
  const taking = { tenant: tenant.id, memory, signal: abort.signal };
  const waiting = distinct.entries();
  const takeNext = async (): Promise<void> => {
    for (const [name, source] of waiting) {
      abort.signal.throwIfAborted();
      taken.set(name, await resolver.take(source, taking));
    }
  };
  try {
    await Promise.all(Array.from({ length: Math.min(CONCURRENCY, distinct.size) }, takeNext));
  } catch (error) {
    abort.abort(error);
    throw error;
  }
  return sources.flatMap((source) => {
    const image = taken.get(nameOf(source));
    if (image === undefined) return [];
    return [source.isFrame ? { ...image, input: { ...image.input, modality: FRAME } } : image];
  });
}

const FRAME: Modality = 'frame';

const nameOf = ({ url, uuid, sha256, fileId }: ImageSource): string =>
  `${sha256 ?? ''} ${fileId ?? ''} ${uuid ?? ''} ${url}`;
