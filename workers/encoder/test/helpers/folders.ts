import { fileURLToPath } from 'node:url';

export const TINY_VLM = fileURLToPath(new URL('../../../../models/tiny-vlm', import.meta.url));
