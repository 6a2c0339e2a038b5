import type { ECConnectorMetadata, ECConnectorOutput, ECWorkerConnector } from './ec-connector.ts';

/**
 * One step of a worker, as vLLM's runner takes it: bind the metadata of the scheduler side, start
 * the loads, do the work, collect finished transfers, clear. When the work throws, the next step
 * collects the finished transfers.
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
