import { ELEMENT, type GraphParts, type Node, type Tensor } from './onnx.ts';
import { producersOf } from './prune.ts';

/** Who makes and who reads each value of a graph, and what constants hold. To be made anew after a change. */
export class GraphIndex {
  readonly #producers: ReadonlyMap<string, Node>;
  readonly #readers = new Map<string, Node[]>();
  readonly #weights: ReadonlyMap<string, Tensor>;

  constructor(graph: GraphParts) {
    this.#producers = producersOf(graph);
    this.#weights = new Map(graph.initializer.map((tensor) => [tensor.name ?? '', tensor]));
    for (const node of graph.node) for (const name of node.input ?? []) this.#note(name, node);
  }

  producer(name: string): Node | undefined {
    return this.#producers.get(name);
  }

  /** The only node that reads a value; undefined when there are none or several. */
  reader(name: string): Node | undefined {
    const [first, ...others] = this.#readers.get(name) ?? [];
    return others.length === 0 ? first : undefined;
  }

  /** A weight or constant by name, wherever the export keeps it. */
  constant(name: string): Tensor | undefined {
    const weight = this.#weights.get(name);
    if (weight) return weight;
    const producer = this.#producers.get(name);
    if (producer?.opType !== 'Constant') return undefined;
    return producer.attribute?.find((attribute) => attribute.name === 'value')?.t ?? undefined;
  }

  /** The value of a 32-bit floating-point constant of one element. */
  scalar(name: string): number | undefined {
    const tensor = this.constant(name);
    if (tensor === undefined || elements(tensor) !== 1) return undefined;
    if (tensor.floatData?.length === 1) return tensor.floatData[0];
    const { rawData } = tensor;
    if (tensor.dataType !== ELEMENT.float || rawData?.byteLength !== 4) return undefined;
    return new DataView(rawData.buffer, rawData.byteOffset).getFloat32(0, true);
  }

  /** The values of a constant of 64-bit integers. */
  integers(name: string): readonly number[] | undefined {
    const tensor = this.constant(name);
    if (tensor?.dataType !== ELEMENT.int64) return undefined;
    const { rawData, int64Data } = tensor;
    if (!rawData || rawData.byteLength === 0) return int64Data?.map(Number);
    const view = new DataView(rawData.buffer, rawData.byteOffset, rawData.byteLength);
    return Array.from({ length: rawData.byteLength / 8 }, (_, index) =>
      Number(view.getBigInt64(8 * index, true)),
    );
  }

  /**
   * Of a node with two inputs where one is such a constant: the other input. Undefined when neither or
   * both are.
   */
  besides(node: Node, value: number, tolerance = 1e-4): string | undefined {
    const [a = '', b = ''] = node.input ?? [];
    const is = (name: string): boolean => {
      const scalar = this.scalar(name);
      return scalar !== undefined && Math.abs(scalar - value) <= tolerance * Math.abs(value);
    };
    if (is(a) === is(b)) return undefined;
    return is(a) ? b : a;
  }

  #note(name: string, node: Node): void {
    if (name === '') return;
    const readers = this.#readers.get(name) ?? [];
    if (!readers.includes(node)) readers.push(node);
    this.#readers.set(name, readers);
  }
}

const elements = ({ dims }: Tensor): number =>
  (dims ?? []).reduce((product: number, size) => product * Number(size), 1);
