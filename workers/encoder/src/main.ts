import { runService } from '@epd/service';
import { readEncoderConfig } from './config.ts';
import { startEncoder } from './encoder-service.ts';

runService({ name: 'encoder', config: readEncoderConfig, start: startEncoder });
