import { jobKeys, type JobStore } from '@epd/jobs';
import type { Redis } from 'ioredis';
import type { FileRecords } from './file-records.ts';

interface ReferencesParts {
  readonly redis: Redis;
  readonly prefix: string;
  readonly jobs: Pick<JobStore, 'get'>;
  readonly files: Pick<FileRecords, 'keys'>;
}

/**
 * Every key in the object store that a live job or a file's record refers to. Throws where one cannot
 * be read, such as a record of a newer version: who does not know all references must delete nothing.
 */
export async function* storedReferences(parts: ReferencesParts): AsyncIterable<string> {
  yield* parts.files.keys();
  const live = parts.redis.zscanStream(jobKeys(parts.prefix).live, { count: 500 });
  for await (const page of live) {
    const ids = (page as string[]).filter((_, index) => index % 2 === 0);
    for (const id of ids) {
      const job = await parts.jobs.get(id);
      for (const { input } of job?.request.images ?? []) yield input.key;
    }
  }
}
