import { ERROR_MEANINGS } from '../error-meanings.ts';
import { API_ERRORS, type ApiErrorCode } from '../errors.ts';

/** A small drawing that comes with the page. */
const PICTURE_URL = '/page/samples/shapes.png';

const codeRow = ([code, status]: [string, number]): string =>
  `| \`${code}\` | ${status} | ${ERROR_MEANINGS[code as ApiErrorCode]} |`;

const CODES = Object.entries(API_ERRORS).toSorted(([, one], [, other]) => one - other);

/** What a reader of the API's description meets first, in Markdown. */
export const INTRODUCTION = `
[← Back to the page](/) · [Gallery](/gallery) · [OpenAPI as JSON](/openapi.json)

Questions about pictures, answered by a fleet: encoders turn pictures into embeddings, prefill/decode workers read
the question and write the answer. A picture that the fleet has seen is not encoded again.

There are two ways to ask, over the same fleet and with the same limits:

- **OpenAI's API** (\`/v1/chat/completions\`, \`/v1/responses\`, \`/v1/completions\`, files, uploads, batches): point any
  client of it at this host with the base URL \`/v1\`.
- **Jobs** (\`/v1/jobs\`): accepted durably, answered whatever process dies, polled or followed from any replica, with
  the stage of every picture.

## Quickstart

\`\`\`sh
HOST=http://localhost:8080
PICTURE=$(curl -s $HOST${PICTURE_URL} | base64 | tr -d '\\n')
curl $HOST/v1/jobs -H 'Prefer: wait=60' -H 'content-type: application/json' -d @- <<END
{"messages": [{"role": "user", "content": [
  {"type": "image_url", "image_url": {"url": "data:image/png;base64,$PICTURE"}},
  {"type": "text", "text": "What does the picture show?"}]}]}
END
\`\`\`

The same with OpenAI's client, unmodified:

\`\`\`python
from openai import OpenAI

client = OpenAI(base_url="http://localhost:8080/v1", api_key="none")
answer = client.chat.completions.create(
    model=client.models.list().data[0].id,
    messages=[{"role": "user", "content": "Say hello"}],
)
print(answer.choices[0].message.content)
\`\`\`

Where the fleet asks for keys, send \`Authorization: Bearer …\`. Follow a job with
\`GET /v1/jobs/{id}/events\`, and come back to its stream with \`Last-Event-ID\`.

## Error codes

Every error is \`{"error": {"message", "type", "param", "code"}}\`. What is worth repeating is 429 or 503, with
\`Retry-After\`.

| code | status | meaning |
| ---- | ------ | ------- |
${CODES.map(codeRow).join('\n')}
`.trim();
