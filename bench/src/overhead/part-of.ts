/** A function as a CPU profile names it. */
export interface Frame {
  readonly functionName: string;
  readonly url: string;
}

export const ONNX_RUNTIME = 'ONNX Runtime';
/** Its native functions count for the file of JavaScript that calls them. */
const ONNX_RUNTIME_PACKAGE = 'onnxruntime-node';
const SPECIAL: ReadonlyMap<string, string | null> = new Map([
  ['(root)', null],
  ['(idle)', null],
  ['(program)', 'native code without JavaScript'],
  ['(garbage collector)', 'garbage collection'],
]);

/**
 * The part of a process that a frame belongs to: a package, a module of Node's, a folder of ours. Native
 * functions have no address and belong to their caller's; null: nothing is done.
 */
export function partOf({ functionName, url }: Frame, caller: string | null): string | null {
  const special = SPECIAL.get(functionName);
  if (special !== undefined) return special;
  if (url === '') return caller;
  if (url.startsWith('node:')) return nodeModule(url);
  const installed = /.*\/node_modules\/((?:@[^/]+\/)?[^/]+)\//.exec(url)?.[1];
  if (installed === ONNX_RUNTIME_PACKAGE) return ONNX_RUNTIME;
  return installed ?? ownFolder(url);
}

/** `node:internal/fs/promises` is `node:fs`. */
const nodeModule = (url: string): string =>
  `node:${url.replace('node:', '').replace('internal/', '').split('/')[0]}`;

function ownFolder(url: string): string {
  const folders = /\/((?:api|libs|workers)\/.*)\/[^/]+$/.exec(url)?.[1];
  return folders?.replace('/src', '') ?? url;
}
