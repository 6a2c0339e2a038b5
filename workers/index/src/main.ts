import { runService } from '@epd/service';
import { readIndexConfig } from './config.ts';
import { startIndexWorker } from './index-service.ts';

runService({ name: 'index', config: readIndexConfig, start: startIndexWorker });
