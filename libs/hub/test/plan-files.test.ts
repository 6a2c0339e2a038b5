import test from 'ava';
import { HubError } from '../src/errors.ts';
import { GRAPHS, parseModelName } from '../src/model-name.ts';
import { planFiles } from '../src/plan-files.ts';

const files = (...paths: string[]) => paths.map((path) => ({ path, size: 1 }));
const EXPORT = files(
  'README.md',
  'config.json',
  'tokenizer.json',
  'chat_template.jinja',
  'model.safetensors',
  'onnx/vision_encoder.onnx',
  'onnx/vision_encoder_fp16.onnx',
  'onnx/embed_tokens.onnx',
  'onnx/embed_tokens_fp16.onnx',
  'onnx/decoder_model_merged.onnx',
  'onnx/decoder_model_merged.onnx_data',
  'onnx/decoder_model_merged.onnx_data_1',
  'onnx/decoder_model_merged_q4.onnx',
  'onnx/decoder_model_merged_q4.onnx_data',
  'onnx/decoder_model_merged_q4f16.onnx',
);
const paths = (plan: { files: readonly { path: string }[] }) => plan.files.map(({ path }) => path);

test('an encoder takes the configuration and its own graph, no decoder and no weights of others', (t) => {
  const plan = planFiles(EXPORT, parseModelName('a/b'), ['vision_encoder']);
  t.deepEqual(paths(plan), [
    'config.json',
    'tokenizer.json',
    'chat_template.jinja',
    'onnx/vision_encoder.onnx',
  ]);
});

test('a graph comes with its external weights, and not with those of another variant', (t) => {
  const plain = paths(planFiles(EXPORT, parseModelName('a/b'), ['decoder_model_merged']));
  t.deepEqual(plain.slice(3), [
    'onnx/decoder_model_merged.onnx',
    'onnx/decoder_model_merged.onnx_data',
    'onnx/decoder_model_merged.onnx_data_1',
  ]);
  const q4 = paths(planFiles(EXPORT, parseModelName('a/b:q4'), ['decoder_model_merged']));
  t.deepEqual(q4.slice(3), [
    'onnx/decoder_model_merged_q4.onnx',
    'onnx/decoder_model_merged_q4.onnx_data',
  ]);
});

test('where the whole model’s variant is not there for a smaller graph, the nearest is taken and said', (t) => {
  const plan = planFiles(EXPORT, parseModelName('a/b:q4f16'), GRAPHS);
  t.deepEqual(plan.suffixes, {
    vision_encoder: 'fp16',
    embed_tokens: 'fp16',
    decoder_model_merged: 'q4f16',
  });
  t.deepEqual(
    plan.substitutes.map(({ graph }) => graph),
    ['vision_encoder', 'embed_tokens'],
  );
});

test('a decoder’s variant that is not there is refused with those that are', (t) => {
  const name = parseModelName('a/b:int8');
  const error = t.throws(() => planFiles(EXPORT, name, GRAPHS.slice(2)), { instanceOf: HubError });
  t.is(error?.code, 'missing_variant');
  t.regex(error?.message ?? '', /no onnx\/decoder_model_merged_int8\.onnx.*fp32, q4, q4f16/);
});

test('a variant named for one graph is not exchanged', (t) => {
  const name = parseModelName('a/b:vision=q4');
  t.throws(() => planFiles(EXPORT, name, ['vision_encoder']), { message: /fp32, fp16/ });
});

test('a repository for onnxruntime-genai is refused by that name, with what would work', (t) => {
  const other = files('config.json', 'genai_config.json', 'model.onnx', 'vision.onnx');
  const error = t.throws(() => planFiles(other, parseModelName('a/b'), GRAPHS), {
    instanceOf: HubError,
  });
  t.is(error?.code, 'other_layout');
  t.regex(error?.message ?? '', /genai_config\.json.*onnx\/vision_encoder\.onnx/);
});
