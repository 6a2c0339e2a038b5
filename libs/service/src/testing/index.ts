export { eventually } from './eventually.ts';
export { freePort } from '../free-port.ts';
export { tempFolder } from './temp-folder.ts';
export { testPrefix, testRedisUrl } from './test-redis.ts';
