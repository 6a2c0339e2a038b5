import type { ECConnectorMetadata, ECConnectorOutput, ECWorkerConnector } from './ec-connector.ts';

/**
 * One step of a worker, as vLLM's runner takes it: bind what the scheduler side sent, begin the
 * loads, do the work, collect what has finished, clear. When the work throws, what has finished is
 * left for the next step to collect.
 */
export async function withConnectorStep<T>(
  connector: ECWorkerConnector,
  metadata: ECConnectorMetadata,
  work: () => T | Promise<T>,
): Promise<{ result: T; output: ECConnectorOutput }> {
  connector.bindConnectorMetadata(metadata);
  try {
    connector.startLoadCaches();
    const result = await work();
    return { result, output: connector.getFinished() };
  } finally {
    connector.clearConnectorMetadata();
  }
}
