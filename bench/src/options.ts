import { parseArgs } from 'node:util';

const COMMANDS = [
  'serve',
  'ttft',
  'isolation',
  'engine',
  'drafts',
  'encoder',
  'memory',
  'connector',
  'api',
  'constraint',
  'images',
  'takeover',
  'overhead',
  'alone',
] as const;
export type Command = (typeof COMMANDS)[number];

const CORES = ['auto', 'awake', 'asleep'] as const;
export type CoresMode = (typeof CORES)[number];

export interface BenchOptions {
  readonly command: Command;
  readonly json: string | null;
  /** `tiny`: the bundled model. `smolvlm`: random weights in SmolVLM-256M's shape. Null: the question's own. */
  readonly model: 'tiny' | 'smolvlm' | null;
  /** Share of the built model's layers, in (0, 1]. */
  readonly scale: number;
  /** What `engine` is compared with beside its own kinds of graph. */
  readonly peer: 'llama' | null;
  /** More requests and rounds: minutes instead of a minute or two. */
  readonly full: boolean;
  /** ONNX Runtime threads of the peer; null: one, or one per core, whichever is faster. */
  readonly peerThreads: number | null;
  /** ONNX Runtime's execution providers, first choice first: of `encoder`, and of encoders in `serve`. */
  readonly providers: readonly string[];
  /** Processes of the fleet in `serve`. */
  readonly encoders: number;
  readonly decoders: number;
  /** A file of schemas for `constraint`, one a line; null: some of our own. */
  readonly schemas: string | null;
  /** Whether cores may sleep between one piece of work and the next; `auto`: where they are woken in time. */
  readonly cores: CoresMode;
}

export const USAGE = `npm run bench -- <${COMMANDS.join('|')}> [--json FILE] [--full]
                [--model tiny|smolvlm] [--scale 0.1..1] [--peer-threads N] [--peer llama]
                [--encoders N] [--decoders N] [--providers webgpu,cpu] [--cores awake|asleep]
                [--schemas FILE.jsonl]
docs/benchmarks.md says what each measures.`;

export class UsageError extends Error {
  override readonly name = 'UsageError';
}

/** Throws UsageError with what was expected. */
export function readOptions(args: readonly string[]): BenchOptions {
  const { values, positionals } = parsed(args);
  const command = COMMANDS.find((name) => name === positionals[0]);
  if (command === undefined || positionals.length !== 1) {
    throw new UsageError(
      `Expected one of ${COMMANDS.join(', ')}, got ${positionals.join(' ') || 'nothing'}`,
    );
  }
  return {
    command,
    json: values.json ?? null,
    model: modelOf(values.model),
    scale: number('scale', values.scale ?? '1', (value) => value > 0 && value <= 1, 'in (0, 1]'),
    peer: peerOf(command, values.peer),
    full: values.full ?? false,
    peerThreads:
      values['peer-threads'] === undefined ? null : count('peer-threads', values['peer-threads']),
    providers: (values.providers ?? 'cpu').split(','),
    encoders: count('encoders', values.encoders ?? '1'),
    decoders: count('decoders', values.decoders ?? '1'),
    schemas: values.schemas ?? null,
    cores: coresOf(values.cores ?? 'auto'),
  };
}

function parsed(args: readonly string[]) {
  try {
    return parseArgs({
      args: [...args],
      allowPositionals: true,
      options: {
        json: { type: 'string' },
        model: { type: 'string' },
        scale: { type: 'string' },
        peer: { type: 'string' },
        full: { type: 'boolean' },
        'peer-threads': { type: 'string' },
        encoders: { type: 'string' },
        decoders: { type: 'string' },
        providers: { type: 'string' },
        schemas: { type: 'string' },
        cores: { type: 'string' },
      },
    });
  } catch (error) {
    throw new UsageError(error instanceof Error ? error.message : String(error), { cause: error });
  }
}

function modelOf(name: string | undefined): 'tiny' | 'smolvlm' | null {
  if (name === undefined || name === 'tiny' || name === 'smolvlm') return name ?? null;
  throw new UsageError(`--model: expected tiny or smolvlm, got ${name}`);
}

function peerOf(command: Command, name: string | undefined): 'llama' | null {
  if (name === undefined) return null;
  if (name !== 'llama') throw new UsageError(`--peer: expected llama, got ${name}`);
  if (command !== 'engine') throw new UsageError(`--peer: expected with engine, got ${command}`);
  return name;
}

function coresOf(text: string): CoresMode {
  const mode = CORES.find((each) => each === text);
  if (mode !== undefined) return mode;
  throw new UsageError(`--cores: expected ${CORES.join(', ')}, got ${text}`);
}

const count = (name: string, text: string): number =>
  number(
    name,
    text,
    (value) => Number.isInteger(value) && value >= 1,
    'that is whole and 1 or more',
  );

function number(
  name: string,
  text: string,
  accepts: (value: number) => boolean,
  expected: string,
): number {
  const value = Number(text);
  if (text !== '' && accepts(value)) return value;
  throw new UsageError(`--${name}: expected a number ${expected}, got ${JSON.stringify(text)}`);
}
