import { runService } from '@epd/service';
import { readPdConfig } from './config.ts';
import { startWorker } from './worker.ts';

runService({ name: 'prefill-decode', config: readPdConfig, start: startWorker });
