import { ELEMENT, float, GraphWriter } from './graph-writer.ts';
import { patchesPerSide, tokensPerImage, type ModelShape } from './shape.ts';

const NORM_EPSILON = 1e-6;
/** What a masked patch's attention score is lowered by. */
const MASKED = -1e9;

/**
 * A SigLIP-like encoder with SmolVLM's connector, in the plain operators of a usual export. Inputs:
 * pixel_values (B, N, 3, H, W) float32, pixel_attention_mask (B, N, H, W) bool. Output:
 * image_features (B·N, tokens per image, text width). Positions are those of an unpadded image, which
 * is what the processor makes without splitting; masked patches are not attended to.
 */
export function visionEncoder(shape: ModelShape, seed: number): Uint8Array {
  const graph = new GraphWriter(seed);
  const pixels = graph.input('pixel_values', ELEMENT.float, [
    'batch_size',
    'num_images',
    3,
    'height',
    'width',
  ]);
  const mask = graph.input('pixel_attention_mask', ELEMENT.bool, [
    'batch_size',
    'num_images',
    'height',
    'width',
  ]);
  const bias = attentionBias(graph, shape, mask);
  let x = patchEmbeddings(graph, shape, pixels);
  for (let layer = 0; layer < shape.vision.layers; layer++)
    x = encoderLayer(graph, shape, layer, x, bias);
  connector(graph, shape, norm(graph, shape, 'post_layernorm', x));
  graph.output('image_features', ELEMENT.float, [
    'num_features',
    tokensPerImage(shape),
    shape.text.width,
  ]);
  return graph.finish('vision_encoder');
}

function patchEmbeddings(graph: GraphWriter, shape: ModelShape, pixels: string): string {
  const { width, patch, imageSize } = shape.vision;
  const patches = patchesPerSide(shape) ** 2;
  const flat = graph.op(
    'Reshape',
    [pixels, graph.ints('images_shape', [-1, 3, imageSize, imageSize])],
    'images',
  );
  const weights = [
    graph.weight('patch.weight', [width, 3, patch, patch]),
    graph.filled('patch.bias', [width], 0),
  ];
  const attributes = { kernel_shape: [patch, patch], strides: [patch, patch] };
  const grid = graph.op('Conv', [flat, ...weights], 'patch.conv', { attributes });
  const rows = graph.op(
    'Reshape',
    [grid, graph.ints('patch.shape', [0, width, patches])],
    'patch.flat',
  );
  const tokens = graph.op('Transpose', [rows], 'patch.tokens', { attributes: { perm: [0, 2, 1] } });
  return graph.op('Add', [tokens, graph.weight('positions', [patches, width])], 'embeddings');
}

/** (images, 1, 1, patches): 0 where a patch counts. A patch is masked as its first pixel is. */
function attentionBias(graph: GraphWriter, shape: ModelShape, mask: string): string {
  const { imageSize, patch } = shape.vision;
  const images = graph.op(
    'Reshape',
    [mask, graph.ints('mask_shape', [-1, imageSize, imageSize])],
    'mask.images',
  );
  const strided = graph.op(
    'Slice',
    [
      images,
      graph.ints('mask.starts', [0, 0]),
      graph.ints('mask.ends', [imageSize, imageSize]),
      graph.ints('mask.axes', [1, 2]),
      graph.ints('mask.steps', [patch, patch]),
    ],
    'mask.patches',
  );
  const kept = graph.op('Cast', [strided], 'mask.kept', { attributes: { to: ELEMENT.float } });
  const dropped = graph.op('Sub', [graph.scalar('mask.one', 1), kept], 'mask.dropped');
  const row = graph.ints('mask.row', [-1, 1, 1, patchesPerSide(shape) ** 2]);
  return graph.op(
    'Mul',
    [graph.op('Reshape', [dropped, row], 'mask.rows'), graph.scalar('mask.low', MASKED)],
    'mask.bias',
  );
}

function encoderLayer(
  graph: GraphWriter,
  shape: ModelShape,
  layer: number,
  x: string,
  bias: string,
): string {
  const { width, intermediate } = shape.vision;
  const p = `layers.${layer}`;
  const attended = attention(graph, shape, p, norm(graph, shape, `${p}.norm1`, x), bias);
  const y = graph.op('Add', [x, attended], `${p}.attended`);
  const inner = linear(graph, `${p}.fc1`, norm(graph, shape, `${p}.norm2`, y), width, intermediate);
  const outer = linear(graph, `${p}.fc2`, geluTanh(graph, p, inner), intermediate, width);
  return graph.op('Add', [y, outer], `${p}.out`);
}

function attention(
  graph: GraphWriter,
  shape: ModelShape,
  p: string,
  x: string,
  bias: string,
): string {
  const { width, heads } = shape.vision;
  const headDim = width / heads;
  const split = graph.ints(`${p}.split`, [0, 0, heads, headDim]);
  const part = (name: string, perm: readonly number[]): string => {
    const flat = linear(graph, `${p}.${name}`, x, width, width);
    const byHead = graph.op('Reshape', [flat, split], `${p}.${name}.heads`);
    return graph.op('Transpose', [byHead], `${p}.${name}.t`, { attributes: { perm } });
  };
  const [q, k, v] = [part('q', [0, 2, 1, 3]), part('k', [0, 2, 3, 1]), part('v', [0, 2, 1, 3])];
  const products = graph.op('MatMul', [q, k], `${p}.products`);
  const scaled = graph.op(
    'Mul',
    [products, graph.scalar(`${p}.scale`, headDim ** -0.5)],
    `${p}.scaled`,
  );
  const scores = graph.op('Add', [scaled, bias], `${p}.scores`);
  const weights = graph.op('Softmax', [scores], `${p}.weights`, { attributes: { axis: -1 } });
  const mixed = graph.op('MatMul', [weights, v], `${p}.mixed`);
  const rows = graph.op('Transpose', [mixed], `${p}.mixed.t`, {
    attributes: { perm: [0, 2, 1, 3] },
  });
  const joined = graph.op('Reshape', [rows, graph.ints(`${p}.join`, [0, 0, width])], `${p}.joined`);
  return linear(graph, `${p}.o`, joined, width, width);
}

/** Merges `scaleFactor`² neighbouring patches into one row and projects it to the decoder's width. */
function connector(graph: GraphWriter, shape: ModelShape, x: string): void {
  const { width } = shape.vision;
  const { scaleFactor: s } = shape;
  const side = patchesPerSide(shape);
  const reshape = (value: string, name: string, dims: readonly number[]): string =>
    graph.op('Reshape', [value, graph.ints(`${name}.shape`, dims)], name);
  const transpose = (value: string, name: string): string =>
    graph.op('Transpose', [value], name, { attributes: { perm: [0, 2, 1, 3] } });
  const columns = reshape(x, 'shuffle.columns', [-1, side, side / s, width * s]);
  const turned = transpose(columns, 'shuffle.turned');
  const squares = reshape(turned, 'shuffle.squares', [-1, side / s, side / s, width * s * s]);
  const rows = reshape(transpose(squares, 'shuffle.back'), 'shuffle.rows', [
    -1,
    tokensPerImage(shape),
    width * s * s,
  ]);
  graph.op(
    'MatMul',
    [rows, graph.weight('connector.weight', [width * s * s, shape.text.width])],
    'image_features',
  );
}

function norm(graph: GraphWriter, shape: ModelShape, name: string, x: string): string {
  const { width } = shape.vision;
  const parameters = [
    graph.filled(`${name}.weight`, [width], 1),
    graph.filled(`${name}.bias`, [width], 0),
  ];
  return graph.op('LayerNormalization', [x, ...parameters], name, {
    attributes: { axis: -1, epsilon: float(NORM_EPSILON) },
  });
}

function linear(graph: GraphWriter, name: string, x: string, from: number, to: number): string {
  const product = graph.op(
    'MatMul',
    [x, graph.weight(`${name}.weight`, [from, to])],
    `${name}.product`,
  );
  return graph.op('Add', [graph.filled(`${name}.bias`, [to], 0), product], name);
}

/** gelu_pytorch_tanh as exporters write it: ½·x·(1 + tanh(√(2/π)·(x + 0.044715·x³))). */
function geluTanh(graph: GraphWriter, p: string, x: string): string {
  const times = (value: string, factor: string, name: string): string =>
    graph.op('Mul', [value, factor], `${p}.gelu.${name}`);
  const number = (name: string, value: number): string => graph.scalar(`${p}.gelu.${name}`, value);
  const cube = times(x, times(x, x, 'square'), 'cube');
  const sum = graph.op('Add', [x, times(number('c', 0.044715), cube, 'small')], `${p}.gelu.sum`);
  const inner = times(number('root', Math.sqrt(2 / Math.PI)), sum, 'inner');
  const tanh = graph.op('Tanh', [inner], `${p}.gelu.tanh`);
  const lifted = graph.op('Add', [number('one', 1), tanh], `${p}.gelu.lifted`);
  return times(number('half', 0.5), times(x, lifted, 'doubled'), 'out');
}
