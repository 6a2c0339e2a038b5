import { Type, type TSchema } from 'typebox';
import type { FastifySchema } from 'fastify';
import { HEADERS, type DescribedHeader } from './headers.ts';
import { operationId } from './operation-id.ts';

declare module 'fastify' {
  interface FastifySchema {
    /** What the description of a route says and its validation does not. */
    describes?: {
      readonly headers?: readonly DescribedHeader[];
      /** A multipart body. */
      readonly form?: TSchema;
      /** What the events are of an answer that is a stream of them. */
      readonly events?: string;
    };
  }
}

interface Route {
  readonly method: string;
  readonly url: string;
}

type Described = FastifySchema & { readonly response?: Readonly<Record<string, TSchema>> };

const JSON_TYPE = 'application/json';

const STATUSES: Readonly<Record<string, string>> = {
  '200': 'What was asked for',
  '201': 'Made',
  '202': 'Accepted: it is processed in the background, and this is its state',
  '4xx': 'Refused, and why: see the error codes in the introduction',
  '503': 'Not ready',
  '5xx': 'Failed through no fault of the request; worth another try where `Retry-After` is given',
};

const ERROR_HEADERS = {
  'x-request-id': Type.String({ description: 'To quote, and to find in the logs.' }),
  'retry-after': Type.Integer({ description: 'Seconds to wait; where a repetition may succeed.' }),
};

/** A route's schema as its description: with a name, headers, a form, media types and words for each answer. */
export function describeOperation(schema: FastifySchema, route: Route): FastifySchema {
  const { describes = {}, ...described } = namedRest(schema) as Described;
  const { headers, form } = describes;
  return {
    operationId: operationId(route.method, route.url),
    ...described,
    ...(form === undefined ? {} : { body: form }),
    ...(headers === undefined ? {} : { headers: headersOf(headers) }),
    response: responsesOf(described, describes.events),
  };
}

/** The rest of a path, which holds slashes, has no name in a route; in the description it is an id. */
function namedRest(schema: FastifySchema | undefined): FastifySchema {
  const params = schema?.params as { properties?: Record<string, unknown> } | undefined;
  const rest = params?.properties?.['*'];
  if (rest === undefined) return schema ?? {};
  return { ...schema, params: { type: 'object', properties: { id: rest }, required: ['id'] } };
}

const headersOf = (names: readonly DescribedHeader[]): TSchema =>
  Type.Object(
    Object.fromEntries(
      names.map((name) => [name, Type.Optional(Type.String({ description: HEADERS[name] }))]),
    ),
  );

function responsesOf(
  { response = {}, produces = [JSON_TYPE] }: Described,
  events: string | undefined,
): Record<string, object> {
  const given = Object.entries(response).map(([status, schema]) => {
    if (/^[45]xx$/.test(status)) return [status, errorResponse(status, schema)];
    const bodies =
      status === '200'
        ? [...contentOf(schema, produces), ...streamOf(events)]
        : contentOf(schema, [JSON_TYPE]);
    return [
      status,
      { description: STATUSES[status] ?? 'Done', content: Object.fromEntries(bodies) },
    ];
  });
  const stream = {
    description: 'Events as they come',
    content: Object.fromEntries(streamOf(events)),
  };
  const alone = events === undefined || '200' in response ? {} : { 200: stream };
  const untyped = {
    description: 'The text',
    content: Object.fromEntries(contentOf(Type.String(), produces)),
  };
  const described = { ...alone, ...Object.fromEntries(given) } as Record<string, object>;
  return Object.keys(described).length === 0 ? { 200: untyped } : described;
}

const errorResponse = (status: string, schema: TSchema): object => ({
  description: STATUSES[status],
  headers: ERROR_HEADERS,
  content: { [JSON_TYPE]: { schema } },
});

const contentOf = (schema: TSchema, types: readonly string[]): (readonly [string, object])[] =>
  types.map((type) => [type, { schema }] as const);

const streamOf = (events: string | undefined): (readonly [string, object])[] =>
  events === undefined
    ? []
    : contentOf(Type.String({ description: `Server-sent events: ${events}` }), [
        'text/event-stream',
      ]);
