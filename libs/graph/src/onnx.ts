import { readFile } from 'node:fs/promises';
import onnxProto, { type onnx } from 'onnx-proto';

/** The few words of ONNX that rewriting passes speak. Types other than these pass through unread. */
export type Model = onnx.ModelProto;
export type Node = onnx.INodeProto;
export type Tensor = onnx.ITensorProto;
export type ValueInfo = onnx.IValueInfoProto;

const proto = onnxProto.onnx;

/** Element types by their number in ONNX. */
export const ELEMENT = { float: 1, uint8: 2, int8: 3, int64: 7, float16: 10 } as const;
export const MICROSOFT = 'com.microsoft';

/** A number is an integer; a float says so. */
export type Attribute = number | readonly number[] | { readonly float: number };

export async function readModel(path: string): Promise<Model> {
  return proto.ModelProto.decode(await readFile(path));
}

export const decodeValueInfo = (bytes: Uint8Array): ValueInfo => proto.ValueInfoProto.decode(bytes);

export function encodeModel(model: Model): Uint8Array {
  return proto.ModelProto.encode(model).finish();
}

export interface GraphParts {
  node: Node[];
  initializer: Tensor[];
  input: ValueInfo[];
  output: ValueInfo[];
  valueInfo: ValueInfo[];
}

/** The graph's lists, to be changed in place. Throws when the model has no graph. */
export function graphOf(model: Model): GraphParts {
  const graph = model.graph;
  if (!graph) throw new TypeError('The model has no graph');
  return graph as GraphParts;
}

export function node(
  opType: string,
  input: readonly string[],
  output: readonly string[],
  attributes: Readonly<Record<string, Attribute>> = {},
  domain = '',
): Node {
  const attribute = Object.entries(attributes).map(([name, value]) => attributeOf(name, value));
  return {
    opType,
    domain,
    input: [...input],
    output: [...output],
    attribute,
  };
}

function attributeOf(name: string, value: Attribute): onnx.IAttributeProto {
  const { AttributeType } = proto.AttributeProto;
  if (typeof value === 'number') return { name, type: AttributeType.INT, i: value };
  if ('float' in value) return { name, type: AttributeType.FLOAT, f: value.float };
  return { name, type: AttributeType.INTS, ints: [...value] };
}

export function int64Tensor(
  name: string,
  values: readonly number[],
  dims: readonly number[],
): Tensor {
  const rawData = new Uint8Array(BigInt64Array.from(values, BigInt).buffer);
  return { name, dataType: ELEMENT.int64, dims: [...dims], rawData };
}

/** A tensor of an array's type, whose memory it shares. */
export function arrayTensor(
  name: string,
  array: Float32Array | Float16Array | Uint8Array | Int8Array,
  dims: readonly number[],
): Tensor {
  const rawData = new Uint8Array(array.buffer, array.byteOffset, array.byteLength);
  return { name, dataType: elementOf(array), dims: [...dims], rawData };
}

function elementOf(array: Float32Array | Float16Array | Uint8Array | Int8Array): number {
  if (array instanceof Float32Array) return ELEMENT.float;
  if (array instanceof Float16Array) return ELEMENT.float16;
  return array instanceof Uint8Array ? ELEMENT.uint8 : ELEMENT.int8;
}

/** A scalar of the given floating-point type. */
export function floatScalar(name: string, value: number, dataType: number): Tensor {
  const data = dataType === ELEMENT.float16 ? Float16Array.of(value) : Float32Array.of(value);
  return { name, dataType, dims: [], rawData: new Uint8Array(data.buffer) };
}

/** A dimension is a size or the name of one. */
export function valueInfo(
  name: string,
  elemType: number,
  dims: readonly (number | string)[],
): ValueInfo {
  const dim = dims.map((size) =>
    typeof size === 'number' ? { dimValue: size } : { dimParam: size },
  );
  return { name, type: { tensorType: { elemType, shape: { dim } } } };
}

export function elementType(info: ValueInfo): number {
  return info.type?.tensorType?.elemType ?? 0;
}

export const rank = (info: ValueInfo): number => info.type?.tensorType?.shape?.dim?.length ?? 0;

/** The size of a dimension, or null where it is only named. */
export function fixedSize(info: ValueInfo, axis: number): number | null {
  const dimension = info.type?.tensorType?.shape?.dim?.[axis];
  const size = Number((dimension?.dimValue as object | number | null | undefined) ?? 0);
  return size > 0 ? size : null;
}

export function intAttribute(of: Node, name: string, fallback: number): number {
  const found = of.attribute?.find((attribute) => attribute.name === name);
  return found?.i === null || found?.i === undefined ? fallback : Number(found.i);
}

export function floatAttribute(of: Node, name: string, fallback: number): number {
  return of.attribute?.find((attribute) => attribute.name === name)?.f ?? fallback;
}

/** Files beside the model that hold its large tensors. */
export function externalFiles(model: Model): Set<string> {
  const locations = new Set<string>();
  for (const tensor of graphOf(model).initializer) {
    for (const entry of tensor.externalData ?? []) {
      if (entry.key === 'location' && entry.value) locations.add(entry.value);
    }
  }
  return locations;
}

export function intsAttribute(of: Node, name: string): readonly number[] {
  return (of.attribute?.find((attribute) => attribute.name === name)?.ints ?? []).map(Number);
}

/** Declares that the model uses operators of a domain, unless it does already. */
export function useDomain(model: Model, domain: string): void {
  if (model.opsetImport.some((entry) => entry.domain === domain)) return;
  model.opsetImport.push({ domain, version: 1 });
}
