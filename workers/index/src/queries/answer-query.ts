import { vectorFromText } from '@epd/connector';
import type { Answers, Example, Outcome, QueryRequest } from '@epd/image-index';
import type { EmbeddingIndex, ScoredRow } from '../table/embedding-index.ts';
import type { ImageTables } from '../table/image-tables.ts';
import { notFound, ownRow } from './own-row.ts';
import { averageVector, bestScore } from './recommend.ts';
import type { Thumbnails } from './thumbnails.ts';
import { toHit, toImage } from './to-image.ts';

type Request<Op extends QueryRequest['op']> = Extract<QueryRequest, { readonly op: Op }>;
type Refusal = Extract<Outcome<never>, { readonly ok: false }>;

/** Examples as vectors, the table that they are compared in, and what the answer must not show again. */
interface Resolved {
  readonly table: EmbeddingIndex | null;
  readonly vectors: readonly Float32Array[];
  readonly exceptIds: readonly string[];
}

export interface QueryParts {
  readonly tables: Pick<ImageTables, 'find' | 'all'>;
  readonly thumbnails: Thumbnails;
}

/** Answers queries. Nothing of another tenant's than the request's is read for its answer. */
export class QueryAnswerer {
  readonly #parts: QueryParts;

  constructor(parts: QueryParts) {
    this.#parts = parts;
  }

  answer(request: QueryRequest): Promise<Outcome<Answers[QueryRequest['op']]>> {
    if (request.op === 'search') return this.#search(request);
    if (request.op === 'recommend') return this.#recommend(request);
    if (request.op === 'list') return this.#list(request);
    if (request.op === 'get') return this.#get(request);
    return this.#thumbnail(request);
  }

  async #search(request: Request<'search'>): Promise<Outcome<Answers['search']>> {
    const resolved = await this.#resolve(request, [request.example]);
    if ('code' in resolved) return resolved;
    const { table, vectors, exceptIds } = resolved;
    const { tenant, filter, limit } = request;
    const rows = await table?.query(vectors[0]!, { tenant, filter, exceptIds }, limit);
    return hits(rows ?? [], request.minScore);
  }

  async #recommend(request: Request<'recommend'>): Promise<Outcome<Answers['recommend']>> {
    const { tenant, filter, limit, strategy } = request;
    const resolved = await this.#resolve(request, [...request.positive, ...request.negative]);
    if ('code' in resolved) return resolved;
    const { table, vectors, exceptIds } = resolved;
    if (!table) return hits([], undefined);
    const positive = vectors.slice(0, request.positive.length);
    const negative = vectors.slice(request.positive.length);
    const selection = { tenant, filter, exceptIds };
    const rows =
      strategy === 'best_score'
        ? await bestScore(table, { positive, negative }, selection, limit)
        : await table.query(averageVector(positive, negative), selection, limit);
    return hits(rows, request.minScore);
  }

  async #list(request: Request<'list'>): Promise<Outcome<Answers['list']>> {
    const { tenant, filter, limit, order, after } = request;
    const last = after === undefined ? undefined : await this.#own(tenant, after);
    if (last === null) return notFound(after ?? '');
    const table = last?.table ?? (await this.#tableOf(request.fingerprint));
    const page = { tenant, filter, order, limit: limit + 1 };
    const rows = (await table?.list(last ? { ...page, after: last.row } : page)) ?? [];
    const images = rows.slice(0, limit).map(toImage);
    return { ok: true, value: { images, hasMore: rows.length > limit } };
  }

  async #get({ tenant, id }: Request<'get'>): Promise<Outcome<Answers['get']>> {
    const own = await this.#own(tenant, id);
    return own ? { ok: true, value: toImage(own.row) } : notFound(id);
  }

  async #thumbnail(request: Request<'thumbnail'>): Promise<Outcome<Answers['thumbnail']>> {
    const { tenant, id, edge } = request;
    const own = await this.#own(tenant, id);
    if (!own) return notFound(id);
    const webp = await this.#parts.thumbnails.make(own.row.sha256, edge);
    if (webp) return { ok: true, value: { webp: webp.toString('base64') } };
    return { ok: false, code: 'image_gone', message: `The picture of ${id} is no longer stored` };
  }

  async #own(tenant: string, id: string) {
    return ownRow(await this.#parts.tables.all(), { tenant, id });
  }

  async #tableOf(fingerprint: string | undefined): Promise<EmbeddingIndex | null> {
    return fingerprint === undefined ? null : this.#parts.tables.find(fingerprint);
  }

  async #resolve(
    { tenant, fingerprint }: { readonly tenant: string; readonly fingerprint?: string | undefined },
    examples: readonly Example[],
  ): Promise<Resolved | Refusal> {
    const vectors: Float32Array[] = [];
    const exceptIds: string[] = [];
    let table = await this.#tableOf(fingerprint);
    for (const example of examples) {
      if ('vector' in example) {
        vectors.push(vectorFromText(example.vector) ?? new Float32Array());
        continue;
      }
      const own = await this.#own(tenant, example.id);
      if (!own) return notFound(example.id);
      table ??= own.table;
      vectors.push(own.row.vector);
      exceptIds.push(example.id);
    }
    const odd = vectors.find(({ length }) => table && length !== table.width);
    return odd ? otherWidth(odd.length, table?.width ?? 0) : { table, vectors, exceptIds };
  }
}

function hits(
  rows: readonly ScoredRow[],
  minScore = Number.NEGATIVE_INFINITY,
): Outcome<Answers['search']> {
  const near = rows.filter(({ score }) => score >= minScore);
  return { ok: true, value: { hits: near.map(toHit) } };
}

const otherWidth = (length: number, width: number): Refusal => ({
  ok: false,
  code: 'vector_width',
  message: `expected vectors of ${width} values, got one of ${length}`,
});
