export { batchWrites } from './batched-writes.ts';
export { describeConfig, readConfig, type ConfigProperty, type ConfigRow } from './config.ts';
export { ConfigError, RedisUnavailableError, ServiceError, type ConfigProblem } from './errors.ts';
export { ecMetrics } from './ec-metrics.ts';
export { constraintLimits, fleetConfig, type StoreConfig } from './fleet-config.ts';
export { freePort } from './free-port.ts';
export { createLogger, withoutPassword, type Logger, type LogLevel } from './logger.ts';
export { isRedisOutage } from './outage.ts';
export { projectPath } from './project-path.ts';
export { connectRedis, redisOptions, waitForRedis } from './redis.ts';
export {
  EXIT_INVALID_CONFIG,
  runService,
  type RunningService,
  type Service,
  type ServiceContext,
} from './run-service.ts';
export { storeIdentity, storeName, storeOptions, type StoreOptions } from './store-options.ts';
export {
  addDefaultMetrics,
  readiness,
  serveTelemetry,
  type Readiness,
  type TelemetryServer,
} from './telemetry.ts';
export { workerReadiness } from './worker-readiness.ts';
export {
  recordSpan,
  startSpan,
  startTracing,
  tracingConfig,
  type Span,
  type SpanOptions,
  type TracingConfig,
} from './tracing.ts';
