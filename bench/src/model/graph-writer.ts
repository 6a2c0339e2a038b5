import onnxProto, { type onnx } from 'onnx-proto';
import { randomWeights } from './random-weights.ts';

const { ModelProto, AttributeProto } = onnxProto.onnx;

export const ELEMENT = { float: 1, int32: 6, int64: 7, bool: 9 } as const;
type Element = (typeof ELEMENT)[keyof typeof ELEMENT];

export const MICROSOFT = 'com.microsoft';
const OPSET = 17;
const IR_VERSION = 8;

/** A whole number is written as INT; wrap a number in `float()` to have it written as FLOAT. */
type Attribute = number | readonly number[] | { readonly float: number };
export const float = (value: number): Attribute => ({ float: value });

interface OpOptions {
  readonly outputs?: readonly string[];
  readonly domain?: string;
  readonly attributes?: Readonly<Record<string, Attribute>>;
}

/** Writes one ONNX graph, node after node. Values are known by their names. */
export class GraphWriter {
  readonly #seed: number;
  readonly #nodes: onnx.INodeProto[] = [];
  readonly #initializers: onnx.ITensorProto[] = [];
  readonly #inputs: onnx.IValueInfoProto[] = [];
  readonly #outputs: onnx.IValueInfoProto[] = [];

  constructor(seed: number) {
    this.#seed = seed;
  }

  input(name: string, element: Element, dims: readonly (number | string)[]): string {
    this.#inputs.push(valueInfo(name, element, dims));
    return name;
  }

  output(name: string, element: Element, dims: readonly (number | string)[]): void {
    this.#outputs.push(valueInfo(name, element, dims));
  }

  /** Adds a node and gives its first output's name: `output`, or the first of `options.outputs`. */
  op(opType: string, inputs: readonly string[], output: string, options: OpOptions = {}): string {
    this.#nodes.push({
      name: `node.${output}`,
      opType,
      domain: options.domain ?? '',
      input: [...inputs],
      output: [...(options.outputs ?? [output])],
      attribute: Object.entries(options.attributes ?? {}).map(attributeProto),
    });
    return output;
  }

  /** Random weights of the given shape. */
  weight(name: string, dims: readonly number[]): string {
    return this.floats(name, dims, randomWeights(this.#seed, name, product(dims)));
  }

  filled(name: string, dims: readonly number[], value: number): string {
    return this.floats(name, dims, new Float32Array(product(dims)).fill(value));
  }

  floats(name: string, dims: readonly number[], values: Float32Array): string {
    return this.#initializer(name, ELEMENT.float, dims, values);
  }

  scalar(name: string, value: number): string {
    return this.floats(name, [], Float32Array.of(value));
  }

  /** 64-bit integers; `dims` null makes a scalar of the only value. */
  ints(
    name: string,
    values: readonly number[],
    dims: readonly number[] | null = [values.length],
  ): string {
    return this.#initializer(name, ELEMENT.int64, dims ?? [], BigInt64Array.from(values, BigInt));
  }

  /** The whole model in protobuf. Weights are inline, which a file below 2 GB allows. */
  finish(graphName: string): Uint8Array {
    return ModelProto.encode({
      irVersion: IR_VERSION,
      producerName: 'epd-bench',
      opsetImport: [
        { domain: '', version: OPSET },
        { domain: MICROSOFT, version: 1 },
      ],
      graph: {
        name: graphName,
        node: this.#nodes,
        initializer: this.#initializers,
        input: this.#inputs,
        output: this.#outputs,
      },
    }).finish();
  }

  #initializer(
    name: string,
    dataType: Element,
    dims: readonly number[],
    data: Float32Array | BigInt64Array,
  ): string {
    const rawData = new Uint8Array(data.buffer, data.byteOffset, data.byteLength);
    this.#initializers.push({ name, dataType, dims: [...dims], rawData });
    return name;
  }
}

function attributeProto([name, value]: [string, Attribute]): onnx.IAttributeProto {
  const { INT, INTS, FLOAT } = AttributeProto.AttributeType;
  if (typeof value === 'number') return { name, type: INT, i: value };
  if ('float' in value) return { name, type: FLOAT, f: value.float };
  return { name, type: INTS, ints: [...value] };
}

function valueInfo(
  name: string,
  elemType: Element,
  dims: readonly (number | string)[],
): onnx.IValueInfoProto {
  const dim = dims.map((size) =>
    typeof size === 'number' ? { dimValue: size } : { dimParam: size },
  );
  return { name, type: { tensorType: { elemType, shape: { dim } } } };
}

const product = (dims: readonly number[]): number => dims.reduce((all, size) => all * size, 1);
