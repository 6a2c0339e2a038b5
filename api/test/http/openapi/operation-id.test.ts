import test from 'ava';
import { operationId } from '../../../src/http/openapi/operation-id.ts';

for (const [method, url, name] of [
  ['POST', '/v1/jobs', 'createJob'],
  ['GET', '/v1/batches', 'listBatches'],
  ['GET', '/v1/batches/:id', 'getBatch'],
  ['GET', '/v1/models/*', 'getModel'],
  ['DELETE', '/v1/files/:id', 'deleteFile'],
  ['POST', '/v1/uploads/:id/parts', 'createUploadPart'],
  ['POST', '/v1/responses/:id/cancel', 'cancelResponse'],
  ['GET', '/v1/images/:id/duplicates', 'getImageDuplicates'],
  ['POST', '/v1/images/search', 'searchImages'],
  ['POST', '/v1/chat/completions', 'createChatCompletion'],
  ['GET', '/v1/responses/:id/input_items', 'getResponseInputItems'],
  ['PUT', '/v1/admin/tenants/:id', 'setAdminTenant'],
  ['GET', '/v1/admin/models/:id/revisions', 'getAdminModelRevisions'],
  ['GET', '/v1/admin/models/:owner/:name/revisions', 'getAdminModelRevisionsByOwnerAndName'],
] as const) {
  test(`${method} ${url} is ${name}`, (t) => {
    t.is(operationId(method, url), name);
  });
}
