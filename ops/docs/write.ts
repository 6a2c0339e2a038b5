import { writeFile } from 'node:fs/promises';
import { projectPath } from '@epd/service';
import { configReference } from './config-reference.ts';

/** `npm run docs:config`. */
await writeFile(projectPath('docs/configuration.md'), configReference());
