import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox';
import type { Static } from 'typebox';
import type { ImageVector, PictureSource, VectorContext } from '../../core/images/image-vectors.ts';
import { limitRequests } from '../../core/limits/limit-requests.ts';
import type { Services } from '../../core/services.ts';
import { dropNulls } from '../../http/drop-nulls.ts';
import { ERROR_RESPONSES } from '../../http/error-schema.ts';
import { ApiError } from '../../http/errors.ts';
import { goneSignal } from '../../http/gone-signal.ts';
import { EmbeddingsBody, EmbeddingsView } from './schema.ts';

type Body = Static<typeof EmbeddingsBody>;
type Input = Extract<Body['input'], readonly unknown[]>[number];

/** OpenAI's embeddings, of images. */
export const embeddingRoutes =
  ({
    vectors,
    models,
    limiter,
  }: Pick<Services, 'vectors' | 'models' | 'limiter'>): FastifyPluginAsyncTypebox =>
  async (app) => {
    app.post('/v1/embeddings', {
      onRequest: limitRequests(limiter),
      preValidation: dropNulls,
      schema: {
        tags: ['Images'],
        summary: 'Embed images',
        description:
          "OpenAI's shape, with images as Jina's API has them. An embedding is the mean of the vision " +
          "encoder's rows, L2-normalised. The models here have no text tower: text is refused.",
        body: EmbeddingsBody,
        response: { 200: EmbeddingsView, ...ERROR_RESPONSES },
      },
      handler: async ({ body, tenant, memory }, reply) => {
        const card = await models.resolve(body.model);
        const sources = sourcesOf(body.input, card.id);
        const dimensions = dimensionsOf(body.dimensions, card.hiddenSize);
        const context: VectorContext = { card, tenant, memory, signal: goneSignal(reply) };
        const embedded: ImageVector[] = [];
        for (const source of sources) embedded.push(await vectors.of(source, context));
        const tokens = embedded.reduce((sum, each) => sum + each.tokens, 0);
        return {
          object: 'list' as const,
          model: card.id,
          data: embedded.map(({ vector }, index) => ({
            object: 'embedding' as const,
            index,
            embedding: encoded(shortened(vector, dimensions), body.encoding_format),
          })),
          usage: { prompt_tokens: tokens, total_tokens: tokens },
        };
      },
    });
  };

/** Throws `unsupported_input` for text, before anything is encoded. */
function sourcesOf(input: Body['input'], model: string): PictureSource[] {
  const isList = Array.isArray(input);
  const inputs: readonly Input[] = isList ? input : [input];
  return inputs.map((each, index) => sourceOf(each, isList ? `input[${index}]` : 'input', model));
}

function sourceOf(input: Input, param: string, model: string): PictureSource {
  if (typeof input === 'string' || input.text !== undefined) {
    throw new ApiError(
      'unsupported_input',
      `${param}: ${model} has no text tower and embeds images only; expected {"image": "data:… or https://…"}`,
      { param },
    );
  }
  const { image, file_id: fileId } = input;
  if ((image === undefined) === (fileId === undefined))
    throw new ApiError('invalid_value', `${param}: expected either image or file_id`, { param });
  return { url: typeof image === 'object' ? image.url : image, fileId, param };
}

function dimensionsOf(asked: number | undefined, width: number): number {
  if (asked === undefined || asked <= width) return asked ?? width;
  throw new ApiError('invalid_value', `dimensions: expected at most ${width}, got ${asked}`, {
    param: 'dimensions',
  });
}

function shortened(vector: Float32Array, dimensions: number): Float32Array {
  if (dimensions === vector.length) return vector;
  const first = vector.slice(0, dimensions);
  const length = Math.hypot(...first);
  return length === 0 ? first : first.map((value) => value / length);
}

/** OpenAI's clients ask for base64: 32-bit floats, little endian. */
const encoded = (vector: Float32Array, format: Body['encoding_format']): number[] | string =>
  format === 'base64' ? Buffer.from(vector.buffer).toString('base64') : [...vector];
