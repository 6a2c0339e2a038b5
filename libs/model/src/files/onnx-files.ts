import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { missing } from './json-file.ts';

/** The graphs of a split export. A worker loads only those that its side needs. */
export const ONNX_ROLES = ['vision_encoder', 'embed_tokens', 'decoder_model_merged'] as const;
export type OnnxRole = (typeof ONNX_ROLES)[number];

/**
 * Which variant of each graph to take, by the suffix that exports use: `fp16`, `q4`, `q4f16`, `int8`,
 * `eager` and so on. A role that is not named takes the file without a suffix.
 */
export type OnnxVariants = { readonly [role in OnnxRole]?: string };

export interface OnnxFile {
  readonly path: string;
  /** Files beside it that hold weights too large for a protobuf, in order of name. */
  readonly dataPaths: readonly string[];
}

export interface OnnxFiles {
  /** Where the files are, or would be. */
  readonly folder: string;
  readonly variants: OnnxVariants;
  /** Names of all graphs there. */
  readonly files: readonly string[];
  readonly present: { readonly [role in OnnxRole]?: OnnxFile };
}

/** The graphs of `modelFolder/onnx`. An absent graph is no error: not every worker needs each. */
export async function findOnnxFiles(
  modelFolder: string,
  variants: OnnxVariants,
): Promise<OnnxFiles> {
  const folder = join(modelFolder, 'onnx');
  const names = await namesIn(folder);
  const present: { [role in OnnxRole]?: OnnxFile } = {};
  for (const role of ONNX_ROLES) {
    const name = onnxName(role, variants);
    if (names.includes(name)) present[role] = onnxFileOf(folder, name, names);
  }
  const files = names.filter((name) => name.endsWith('.onnx'));
  return { folder, variants, files, present };
}

/** The role's graph. Throws `ModelFolderError` (`missing_file`) with the path that was looked for. */
export function requireOnnxFile(files: OnnxFiles, role: OnnxRole): OnnxFile {
  const file = files.present[role];
  if (file === undefined) throw missing(join(files.folder, onnxName(role, files.variants)));
  return file;
}

function onnxName(role: OnnxRole, variants: OnnxVariants): string {
  const variant = variants[role] ?? '';
  return variant === '' ? `${role}.onnx` : `${role}_${variant}.onnx`;
}

/** Exports keep external weights in `<graph>.onnx_data`, `<graph>.onnx_data_1`, … or `<graph>.onnx.data`. */
function onnxFileOf(folder: string, name: string, names: readonly string[]): OnnxFile {
  const isData = (other: string): boolean =>
    other.startsWith(`${name}_data`) || other.startsWith(`${name}.data`);
  const dataPaths = names
    .filter(isData)
    .toSorted()
    .map((other) => join(folder, other));
  return { path: join(folder, name), dataPaths };
}

async function namesIn(folder: string): Promise<string[]> {
  try {
    return await readdir(folder);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return [];
    throw error;
  }
}
