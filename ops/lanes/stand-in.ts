/** Takes the place of ava in a test file of a group; `together.ts` says for which. */
import { collector } from './collected.ts';
import { DECLARED } from './together.ts';

export default collector(new URL(import.meta.url).searchParams.get('file') ?? '', DECLARED);
