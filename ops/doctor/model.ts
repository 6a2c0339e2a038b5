import { createReadStream } from 'node:fs';
import { GRAPHS, openModel } from '@epd/hub';
import {
  ONNX_ROLES,
  fingerprint,
  modelCard,
  readModelFolder,
  revision,
  type ModelFacts,
  type ModelFolder,
} from '@epd/model';
import { projectPath } from '@epd/service';
import type { DoctorConfig } from './config.ts';
import { fail, guarded, ok, warn, type Finding } from './finding.ts';
import { brokenOnnx } from './onnx-file.ts';

/** The model folder as the workers would read it; its card is for comparing with what is registered. */
export async function checkModel(
  config: DoctorConfig,
): Promise<{ findings: Finding[]; card: ModelFacts | null }> {
  let card: ModelFacts | null = null;
  const fix =
    'Set EPD_MODEL to a model on the Hugging Face Hub (npm run models -- pull NAME) or to a folder in its layout';
  const findings = await guarded('model', fix, async () => {
    // What a worker would fetch is not fetched here: it may be gigabytes.
    const offline = { ...config, hfHubOffline: true };
    const opened = await openModel(offline, { graphs: GRAPHS, base: projectPath('.') });
    const variants = {
      ...opened.variants,
      ...(config.decoder === undefined ? {} : { decoder_model_merged: config.decoder }),
      ...(config.visionEncoder === undefined ? {} : { vision_encoder: config.visionEncoder }),
    };
    const folder = await readModelFolder(opened.folder, { id: opened.id, variants });
    const digest = await fingerprint(folder);
    if (digest !== null) card = modelCard(folder, digest, await revisionOf(folder, digest));
    return [folderFinding(folder, card), await graphs(folder), ...(await decoderKind(folder))];
  });
  return { findings, card };
}

/** Of a folder with all graphs; missing ones have a finding of their own. */
async function revisionOf(folder: ModelFolder, digest: string): Promise<string | undefined> {
  const { embed_tokens: embedTokens, decoder_model_merged: decoder } = folder.onnx.present;
  return embedTokens && decoder ? revision(folder, digest) : undefined;
}

function folderFinding(folder: ModelFolder, card: ModelFacts | null): Finding {
  const { model_type: type } = folder.config;
  const found = `${folder.id} (${type}) in ${folder.path}`;
  return ok(
    'model',
    card === null ? found : `${found}, fingerprint ${card.fingerprint.slice(0, 12)}`,
  );
}

async function graphs({ onnx }: ModelFolder): Promise<Finding> {
  const missing = ONNX_ROLES.filter((role) => onnx.present[role] === undefined);
  if (missing.length > 0) {
    const files = missing.map((role) => fileName(role, onnx.variants[role]));
    const fix = `Put ${files.join(', ')} into ${onnx.folder}, or name another variant: EPD_VISION_ENCODER, EPD_DECODER`;
    return fail('model graphs', `without ${missing.join(', ')}`, fix);
  }
  for (const { path } of ONNX_ROLES.map((role) => onnx.present[role]!)) {
    const wrong = await brokenOnnx(path);
    if (wrong !== null) return fail('model graphs', `${path}: ${wrong}`, 'Copy the file again');
  }
  return ok('model graphs', ONNX_ROLES.join(', '));
}

const fileName = (role: string, variant = ''): string =>
  variant === '' ? `${role}.onnx` : `${role}_${variant}.onnx`;

async function decoderKind({ onnx }: ModelFolder): Promise<Finding[]> {
  const decoder = onnx.present.decoder_model_merged;
  if (decoder === undefined) return [];
  const names = await namesIn(decoder.path, ['GroupQueryAttention', 'position_ids']);
  if (names.has('GroupQueryAttention')) {
    return [
      ok(
        'decoder graph',
        'GroupQueryAttention: rewritten once, then the KV cache is used in place',
      ),
    ];
  }
  if (names.has('position_ids')) {
    return [
      warn(
        'decoder graph',
        'plain attention that concatenates: the KV cache is copied in every step',
        'Export with GroupQueryAttention (onnxruntime-genai or the optimizer of transformers)',
      ),
    ];
  }
  return [ok('decoder graph', 'another kind: it runs as it is')];
}

/** Which names occur in a graph's file, read a piece at a time: weights may be gigabytes. */
async function namesIn(path: string, names: readonly string[]): Promise<Set<string>> {
  const found = new Set<string>();
  const overlap = Math.max(...names.map((name) => name.length));
  let tail = Buffer.alloc(0);
  for await (const chunk of createReadStream(path, {
    highWaterMark: 4 << 20,
  }) as AsyncIterable<Buffer>) {
    const piece = Buffer.concat([tail, chunk]);
    for (const name of names) if (piece.includes(name)) found.add(name);
    if (found.size === names.length) break;
    tail = piece.subarray(-overlap);
  }
  return found;
}
