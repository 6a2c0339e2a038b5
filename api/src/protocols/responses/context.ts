import type { Job, JobStore } from '@epd/jobs';
import { ApiError } from '../../http/errors.ts';
import type { Tenant } from '../../core/auth/tenant.ts';
import { inputItems, outputItems, responseIdOf, type Item } from './items.ts';
import { answeredResponse, findResponse } from './own-response.ts';
import type { ResponseBody } from './schema.ts';

/** What a request builds on: the response that it continues, and the items that it refers to, by their ids. */
export interface ResponseContext {
  readonly previous: Job | null;
  readonly items: ReadonlyMap<string, Item>;
}

/** Throws `response_not_found` and `item_not_found`, which name the field. */
export async function responseContext(
  jobs: JobStore,
  { previous_response_id: previousId, input }: ResponseBody,
  tenant: Tenant,
): Promise<ResponseContext> {
  const previous =
    previousId === undefined ? null : await answeredResponse(jobs, previousId, tenant);
  return { previous, items: await referencedItems(jobs, input, tenant) };
}

async function referencedItems(
  jobs: JobStore,
  input: ResponseBody['input'],
  tenant: Tenant,
): Promise<Map<string, Item>> {
  const items = new Map<string, Item>();
  if (typeof input === 'string') return items;
  const read = new Set<string>();
  for (const [index, item] of input.entries()) {
    if (item.type !== 'item_reference') continue;
    const responseId = responseIdOf(item.id);
    if (responseId !== null && !read.has(responseId)) {
      read.add(responseId);
      const job = await findResponse(jobs, responseId, tenant);
      for (const found of job === null ? [] : itemsOf(job)) items.set(found.id, found);
    }
    if (!items.has(item.id)) throw notFound(`input[${index}].id`, item.id);
  }
  return items;
}

const itemsOf = (job: Job): Item[] => [
  ...inputItems(job),
  ...outputItems(job, job.ending?.choices[0]),
];

function notFound(param: string, id: string): ApiError {
  const shown = JSON.stringify(id.slice(0, 80));
  const message = `${param}: expected an item of a stored response, got ${shown}, which is unknown, deleted or expired`;
  return new ApiError('item_not_found', message, { param });
}
