import swagger from '@fastify/swagger';
import type { FastifyInstance } from 'fastify';
import { describeOperation } from './describe-operation.ts';
import { INTRODUCTION } from './introduction.ts';
import { nameSchemas } from './name-schemas.ts';

/** Collects the routes' schemas; to be installed before them. */
export async function installOpenApi(app: FastifyInstance): Promise<void> {
  await app.register(swagger, {
    transform: ({ schema, url, route }) => ({
      schema: describeOperation(schema, { method: [route.method].flat()[0] ?? 'GET', url }),
      url: url.replace(/\*$/, ':id'),
    }),
    transformObject: (document) =>
      'openapiObject' in document ? nameSchemas(document.openapiObject) : {},
    openapi: {
      openapi: '3.1.0',
      info: {
        title: 'epd-fleet',
        version: '0.1.0',
        description: INTRODUCTION,
        license: { name: 'Apache-2.0', identifier: 'Apache-2.0' },
      },
      servers: [{ url: '/', description: 'The host that serves this description' }],
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
