export { eventually } from './eventually.ts';
export { freePort } from '../free-port.ts';
export { memoryOf } from './memory-of.ts';
export { otlpCollector } from './otlp-collector.ts';
export { tempFolder } from './temp-folder.ts';
export { testGraphs } from './test-graphs.ts';
export { keysWithTtl, testConnection, testPrefix, testRedis, testRedisUrl } from './test-redis.ts';
