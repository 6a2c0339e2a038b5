import { inputKey } from '@epd/connector';
import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox';
import type { FastifyReply } from 'fastify';
import { Type } from 'typebox';
import type { Services } from '../../core/services.ts';
import { ERROR_RESPONSES } from '../../http/error-schema.ts';
import { ApiError } from '../../http/errors.ts';
import { ImageParams } from './schema.ts';

/** An id stands for content, which never changes; but its tenant may delete it. */
const CACHE_CONTROL = 'private, max-age=300';
const THUMBNAIL_EDGE = 256;

const Bytes = Type.Unsafe<Uint8Array>(Type.String({ format: 'binary' }));

interface Limits {
  readonly maxImageBytes: number;
}

/** Images' bytes: as they were sent, and small. */
export const imageContentRoutes =
  (
    { images, inputs }: Pick<Services, 'images' | 'inputs'>,
    { maxImageBytes: maxBytes }: Limits,
  ): FastifyPluginAsyncTypebox =>
  async (app) => {
    app.get(
      '/v1/images/:id/content',
      {
        schema: {
          tags: ['Images'],
          summary: "An image's bytes",
          params: ImageParams,
          produces: ['image/png', 'image/jpeg', 'image/webp', 'image/gif'],
          response: { 200: Bytes, ...ERROR_RESPONSES },
        },
      },
      async ({ params: { id }, tenant, memory }, reply) => {
        const image = await images.query({ op: 'get', tenant: tenant.id, id });
        memory.take(image.bytes);
        const bytes = await inputs.get(inputKey(image.sha256), { maxBytes });
        if (bytes === null)
          throw new ApiError('image_gone', `The picture of ${id} is no longer stored`);
        return sendPicture(reply, bytes, image.mediaType);
      },
    );
    app.get(
      '/v1/images/:id/thumbnail',
      {
        schema: {
          tags: ['Images'],
          summary: 'A small copy of an image, as WebP',
          params: ImageParams,
          querystring: Type.Object({
            size: Type.Optional(
              Type.Integer({
                minimum: 16,
                maximum: 512,
                description: `Longest side in pixels; default ${THUMBNAIL_EDGE}.`,
              }),
            ),
          }),
          produces: ['image/webp'],
          response: { 200: Bytes, ...ERROR_RESPONSES },
        },
      },
      async ({ params: { id }, query: { size: edge = THUMBNAIL_EDGE }, tenant }, reply) => {
        const { webp } = await images.query({ op: 'thumbnail', tenant: tenant.id, id, edge });
        return sendPicture(reply, Buffer.from(webp, 'base64'), 'image/webp');
      },
    );
  };

/** Its type was read from its header when it came: no browser takes it for anything else. */
const sendPicture = (reply: FastifyReply, bytes: Uint8Array, type: string): FastifyReply =>
  reply
    .type(type)
    .header('x-content-type-options', 'nosniff')
    .header('content-security-policy', "default-src 'none'")
    .header('cache-control', CACHE_CONTROL)
    .send(Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length));
