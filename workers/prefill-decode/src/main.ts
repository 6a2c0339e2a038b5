import { runService } from '@epd/service';
import { readPdConfig } from './config.ts';
import { startWorker } from './service.ts';

runService({ name: 'prefill-decode', config: readPdConfig, start: startWorker });
