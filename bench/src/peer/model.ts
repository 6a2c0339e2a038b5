import { basename, dirname } from 'node:path';
import {
  AutoModelForImageTextToText,
  AutoProcessor,
  BaseStreamer,
  env,
  RawImage,
  type Message,
  type PreTrainedModel,
  type Processor,
} from '@huggingface/transformers';
import type { ToPeer } from './messages.ts';

/** No token has it: the answer then ends by its length alone. */
const NO_TOKEN = -1;

/** A vision language model held whole in one process, used as the library's documentation shows. */
export class PeerModel {
  readonly #processor: Processor;
  readonly #model: PreTrainedModel;

  constructor(processor: Processor, model: PreTrainedModel) {
    this.#processor = processor;
    this.#model = model;
  }

  /** Loads a local folder; `threads` of ONNX Runtime work on each operator. */
  static async load(folder: string, threads: number): Promise<PeerModel> {
    env.allowRemoteModels = false;
    env.localModelPath = `${dirname(folder)}/`;
    const name = basename(folder);
    const model = await AutoModelForImageTextToText.from_pretrained(name, {
      device: 'cpu',
      dtype: 'fp32',
      session_options: { intraOpNumThreads: threads },
    });
    return new PeerModel(await AutoProcessor.from_pretrained(name), model);
  }

  /** Answers greedily; `onToken` is called as each token is chosen. */
  async answer(question: ToPeer, onToken: (token: number) => void): Promise<void> {
    const options = {
      ...(await this.#inputs(question)),
      do_sample: false,
      max_new_tokens: question.maxTokens,
      ...(question.ignoreEos ? { eos_token_id: [NO_TOKEN] } : {}),
      streamer: new TokenStreamer(onToken),
    };
    // The library's type asks for all of GenerationConfig, whose members have defaults.
    await this.#model.generate(options as unknown as Parameters<PreTrainedModel['generate']>[0]);
  }

  /** The processor wants an image; a text alone goes through its tokenizer. */
  async #inputs({ parts }: ToPeer): Promise<object> {
    const prompt = this.#processor.apply_chat_template([messageOf(parts)], {
      add_generation_prompt: true,
      tokenize: false,
    }) as string;
    const paths = parts.flatMap((part) => ('imagePath' in part ? [part.imagePath] : []));
    const options = { add_special_tokens: false };
    if (paths.length === 0) return this.#processor.tokenizer?.(prompt, options) as object;
    const images = await Promise.all(paths.map((path) => RawImage.read(path)));
    return (await this.#processor(prompt, images, options)) as object;
  }
}

function messageOf(parts: ToPeer['parts']): Message {
  const content = parts.map((part) =>
    'text' in part ? { type: 'text', text: part.text } : { type: 'image' },
  );
  return { role: 'user', content };
}

/** `generate` hands over the prompt first, then token by token. */
class TokenStreamer extends BaseStreamer {
  readonly #onToken: (token: number) => void;
  #promptSeen = false;

  constructor(onToken: (token: number) => void) {
    super();
    this.#onToken = onToken;
  }

  override put(value: bigint[][]): void {
    if (this.#promptSeen) for (const token of value[0] ?? []) this.#onToken(Number(token));
    this.#promptSeen = true;
  }

  override end(): void {}
}
