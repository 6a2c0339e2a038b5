import swagger from '@fastify/swagger';
import type { FastifyInstance, FastifySchema } from 'fastify';

/** Collects the routes' schemas; to be installed before them. */
export async function installOpenApi(app: FastifyInstance): Promise<void> {
  await app.register(swagger, {
    transform: ({ schema, url }) => ({ schema: namedRest(schema), url: url.replace(/\*$/, ':id') }),
    openapi: {
      openapi: '3.1.0',
      info: {
        title: 'epd-fleet',
        version: '0.1.0',
        description: 'Questions about pictures, answered by a fleet of encoders and decoders.',
      },
      components: { securitySchemes: { key: { type: 'http', scheme: 'bearer' } } },
      security: [{ key: [] }, {}],
      tags: [
        { name: 'Jobs', description: 'The durable job: submit, poll, follow.' },
        { name: 'OpenAI', description: "The same jobs in the shapes of OpenAI's API." },
        { name: 'Files', description: 'Pictures to refer to, inputs and outputs of batches.' },
        { name: 'Images', description: 'Pictures found by pictures, and their vectors.' },
        { name: 'Models', description: 'What can be asked.' },
        { name: 'Admin', description: 'Keys and tenants; opened by the admin key.' },
        { name: 'Operation', description: 'For load balancers and monitoring.' },
      ],
    },
  });
}

/** The rest of a path, which holds slashes, has no name in a route; in the description it is an id. */
function namedRest(schema: FastifySchema): FastifySchema {
  const params = schema?.params as { properties?: Record<string, unknown> } | undefined;
  const rest = params?.properties?.['*'];
  if (rest === undefined) return schema;
  return { ...schema, params: { type: 'object', properties: { id: rest }, required: ['id'] } };
}
