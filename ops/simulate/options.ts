import { parseArgs } from 'node:util';

export const USAGE = `npm run simulate -- [options]

Plays a trace of requests against fleets of three kinds (monoliths scaled whole, a fixed number of
encoders and prefill/decode workers, both scaled by the chart's own settings) and says what waited,
what was missed and what it cost.

  --trace FILE         CSV with the header at_ms,images,image_tokens,prompt_tokens,output_tokens
                       (without it: the shipped trace with bursts of images)
  --generate           a new trace of the same kind instead, from --seed
  --seed N             seed of generated traces and of added load            (7)
  --load N             that many times the requests                          (4)
  --times FILE         stage times; see ops/simulate/times                 (tiny-vlm on a CPU)
  --values FILE        chart values whose autoscaling settings are simulated (the chart's own)
  --fixed E:PD         the fixed fleet                                       (what the plan needs)
  --slots N            sequences that a worker runs at a time                (8)
  --chunk-tokens N     prompt tokens in one step                             (256)
  --batch-tokens N     visual tokens in one encode batch                     (1024)
  --start-seconds N    from ordering a worker until it serves                (40)
  --ttft-ms N          objective: time to the first token                    (2000)
  --tpot-ms N          objective: time per token after it                    (200)
  --lost-max N         share of requests that may miss the objective         (0.01)
  --prices E:PD        what a minute of a worker costs                       (1:1)
  --most N             workers of one kind that the plan tries at most       (12)
  --svg FILE           where the plot is written                             (.data/simulation.svg)
`;

/** The command line, typed. Throws an Error for what cannot be read. */
export function readOptions(args: readonly string[]) {
  const { values } = parseArgs({
    args: [...args],
    options: {
      help: { type: 'boolean', default: false },
      trace: { type: 'string' },
      generate: { type: 'boolean', default: false },
      seed: { type: 'string', default: '7' },
      load: { type: 'string', default: '4' },
      times: { type: 'string', default: 'ops/simulate/times/tiny-vlm-cpu.json' },
      values: { type: 'string', default: 'infra/helm/epd-fleet/values.yaml' },
      fixed: { type: 'string' },
      slots: { type: 'string', default: '8' },
      'chunk-tokens': { type: 'string', default: '256' },
      'batch-tokens': { type: 'string', default: '1024' },
      'start-seconds': { type: 'string', default: '40' },
      'ttft-ms': { type: 'string', default: '2000' },
      'tpot-ms': { type: 'string', default: '200' },
      'lost-max': { type: 'string', default: '0.01' },
      prices: { type: 'string', default: '1:1' },
      most: { type: 'string', default: '12' },
      svg: { type: 'string', default: '.data/simulation.svg' },
    },
  });
  const number = (name: Exclude<keyof typeof values, 'help' | 'generate'>): number => {
    const value = Number(values[name] || Number.NaN);
    if (!(value >= 0)) throw new Error(`--${name} must be a number, not ${values[name]}`);
    return value;
  };
  const [encoder, decoder] = pair('--prices', values.prices);
  return {
    help: values.help,
    trace: values.trace,
    generate: values.generate,
    seed: number('seed'),
    load: number('load'),
    times: values.times,
    values: values.values,
    fixed: values.fixed === undefined ? null : pair('--fixed', values.fixed),
    settings: {
      slots: number('slots'),
      chunkTokens: number('chunk-tokens'),
      batchTokens: number('batch-tokens'),
      startMs: number('start-seconds') * 1000,
    },
    objective: { ttftMs: number('ttft-ms'), tpotMs: number('tpot-ms') },
    lostMax: number('lost-max'),
    prices: { encoder, decoder },
    most: number('most'),
    svg: values.svg,
  };
}

export type Options = ReturnType<typeof readOptions>;

function pair(name: string, text: string): [number, number] {
  const match = /^(\d+(?:\.\d+)?):(\d+(?:\.\d+)?)$/.exec(text);
  if (match === null) throw new Error(`${name} must be two numbers like 2:3, not ${text}`);
  return [Number(match[1]), Number(match[2])];
}
