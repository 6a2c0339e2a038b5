import { runService } from '@epd/service';
import { readEncoderConfig } from './config.ts';
import { startEncoder } from './service.ts';

runService({ name: 'encoder', config: readEncoderConfig, start: startEncoder });
