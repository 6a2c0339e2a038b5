import { HubError } from './errors.ts';

/** The graphs of a split export, by the stem of their files. */
export const GRAPHS = ['vision_encoder', 'embed_tokens', 'decoder_model_merged'] as const;
export type Graph = (typeof GRAPHS)[number];

/** Suffixes of graph files, without the underscore; '' is the file without one (fp32). */
export interface VariantChoice {
  /** For every graph that `graphs` does not name; undefined: the file without a suffix. */
  readonly all?: string;
  readonly graphs: { readonly [graph in Graph]?: string };
}

/** `org/name[@revision][:variant]`, read. */
export interface ModelName {
  /** As the user wrote it. */
  readonly text: string;
  /** The fleet's name of the model: repository and variant. What a revision changes is not its name. */
  readonly id: string;
  readonly repository: string;
  readonly revision: string;
  readonly variants: VariantChoice;
}

/** What users call graphs, and what their files are called. */
const GRAPH_WORDS: Readonly<Record<string, Graph>> = {
  vision: 'vision_encoder',
  encoder: 'vision_encoder',
  embed: 'embed_tokens',
  embeddings: 'embed_tokens',
  decoder: 'decoder_model_merged',
  ...Object.fromEntries(GRAPHS.map((graph) => [graph, graph])),
};

/** Names of precisions, as the Hub's exports spell them in file names. Others are taken as they are. */
const SUFFIXES: Readonly<Record<string, string>> = { fp32: '', q8: 'quantized' };

const REPOSITORY = /^[A-Za-z0-9][\w.-]{0,95}\/[A-Za-z0-9][\w.-]{0,95}$/;
/** A branch, tag or commit. `..` and a leading `-` or `.` name none, and could leave a folder. */
const REVISION = /^(?!.*\.\.)[A-Za-z0-9][\w./-]{0,127}$/;
const SUFFIX = /^[a-z0-9][a-z0-9_]{0,31}$/;

const EXPECTED =
  'org/name, org/name@revision, org/name:q4, org/name:vision=fp16,decoder=q4 or a folder with a file config.json';

/**
 * Reads a Hub name. Variant and revision may come in either order. Throws `HubError` (`invalid_name`)
 * with the part that is wrong, what was expected and what was found.
 */
export function parseModelName(text: string): ModelName {
  const { repository, revision, variant } = split(text);
  if (!REPOSITORY.test(repository) || /\.\.|--/.test(repository)) {
    throw invalid(text, `${JSON.stringify(repository)} is no repository name`);
  }
  if (!REVISION.test(revision)) {
    throw invalid(text, `${JSON.stringify(revision)} is no branch, tag or commit`);
  }
  const id = variant === null ? repository : `${repository}:${variant.toLowerCase()}`;
  return { text, id, repository, revision, variants: parseVariants(text, variant) };
}

/** The file suffix of a precision: `q8` → `quantized`, `fp32` → ''. */
function suffixOf(word: string): string {
  return SUFFIXES[word] ?? word;
}

/** The name with its revision fixed, as `parseModelName` reads it. */
export function pinned({ repository, id }: ModelName, commit: string): string {
  return `${repository}@${commit}${id.slice(repository.length)}`;
}

/** The precision that a suffix stands for: the other way round. */
export function precisionOf(fileSuffix: string): string {
  const known = Object.entries(SUFFIXES).find(([, other]) => other === fileSuffix);
  return known?.[0] ?? fileSuffix;
}

function split(text: string): { repository: string; revision: string; variant: string | null } {
  const repository = /^[^@:]*/.exec(text)?.[0] ?? '';
  const rest = text.slice(repository.length);
  const parts = /^(?:@(?<r1>[^:@]*))?(?::(?<v>[^:@]*))?(?:@(?<r2>[^:@]*))?$/.exec(rest);
  const { r1, r2, v } = parts?.groups ?? {};
  if (!parts || (r1 !== undefined && r2 !== undefined)) {
    throw invalid(text, `${JSON.stringify(rest)} is no revision and variant`);
  }
  return { repository, revision: r1 ?? r2 ?? 'main', variant: v ?? null };
}

function parseVariants(text: string, variant: string | null): VariantChoice {
  if (variant === null) return { graphs: {} };
  if (!variant.includes('=')) return { all: suffix(text, variant), graphs: {} };
  const pairs = variant.split(',').map((pair) => {
    const [word = '', value = ''] = pair.split('=');
    const graph = Object.hasOwn(GRAPH_WORDS, word) ? GRAPH_WORDS[word] : undefined;
    if (graph === undefined || pair.split('=').length !== 2) {
      throw invalid(text, `${JSON.stringify(pair)} names none of vision, embed, decoder`);
    }
    return [graph, suffix(text, value)] as const;
  });
  return { graphs: Object.fromEntries(pairs) };
}

function suffix(text: string, word: string): string {
  const lower = word.toLowerCase();
  if (!SUFFIX.test(lower)) throw invalid(text, `${JSON.stringify(word)} is no variant`);
  return suffixOf(lower);
}

function invalid(text: string, why: string): HubError {
  const message = `Expected a model as ${EXPECTED}, got ${JSON.stringify(text)}: ${why}`;
  return new HubError('invalid_name', message);
}
