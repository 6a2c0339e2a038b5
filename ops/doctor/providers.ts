import { fail, ok, warn, type Finding } from './finding.ts';

/** An ONNX graph of one Identity node, for asking a provider whether it can run anything at all. */
const IDENTITY =
  'CAg6NwoQCgF4EgF5IghJZGVudGl0eRIBZ1oPCgF4EgoKCAgBEgQKAggBYg8KAXkSCgoICAESBAoCCAFCBAoAEA0=';

interface Runtime {
  readonly InferenceSession: {
    create(model: Uint8Array, options: object): Promise<{ release(): Promise<void> }>;
  };
}

const FIXES: Readonly<Record<string, string>> = {
  webgpu:
    'It needs libvulkan.so.1 and a Vulkan driver; in a container NVIDIA_DRIVER_CAPABILITIES must include graphics',
  cuda: 'Its libraries do not come with onnxruntime-node; put them beside its binding, or use webgpu',
};

/** Whether each execution provider that the workers are to use runs here; the first that does is used. */
export async function checkProviders(wanted: readonly string[]): Promise<Finding[]> {
  const runtime = await loadRuntime();
  if (runtime === null) {
    return [ok('execution provider', 'not looked at: onnxruntime-node is not installed here')];
  }
  const findings: Finding[] = [];
  for (const provider of wanted) findings.push(await tryProvider(runtime, provider));
  const works = findings.some(({ level }) => level === 'ok');
  if (works) return findings;
  return findings.map(({ check, found, fix }) => fail(check, found, fix));
}

/** The workers depend on it; where the doctor stands alone it is absent. */
async function loadRuntime(): Promise<Runtime | null> {
  try {
    return await import('onnxruntime-node');
  } catch {
    return null;
  }
}

async function tryProvider(runtime: Runtime, provider: string): Promise<Finding> {
  const check = `execution provider ${provider}`;
  try {
    const options = { executionProviders: [provider], logSeverityLevel: 4 };
    const session = await runtime.InferenceSession.create(Buffer.from(IDENTITY, 'base64'), options);
    await session.release();
    return ok(check, 'runs a graph here');
  } catch (error) {
    const [found = 'does not start'] = (error instanceof Error ? error.message : '')
      .trim()
      .split('\n');
    return warn(
      check,
      found,
      FIXES[provider] ?? 'Name one that onnxruntime-node has: cpu, webgpu, cuda',
    );
  }
}
