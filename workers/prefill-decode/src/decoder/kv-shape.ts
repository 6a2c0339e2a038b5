import { bytesPerElement, type FloatType } from './float-array.ts';

/** Keys and values of every token so far (`full`), or of the last `window` of them. */
export type AttentionState = {
  readonly kvHeads: number;
  readonly headDim: number;
  readonly type: FloatType;
} & ({ readonly kind: 'full' } | { readonly kind: 'window'; readonly window: number });

/** A state of fixed size that each token overwrites: the state after an earlier token is gone. */
interface FixedState {
  readonly kind: 'conv' | 'recurrent';
  readonly shape: readonly number[];
  readonly type: FloatType;
}

/** The state that one layer keeps of a sequence. */
type LayerState = AttentionState | FixedState;

/** The form of a model's cache, layer by layer. */
export type KVShape = readonly LayerState[];

/** The states of attention layers, each of which has a side of keys and one of values. */
export const attentionStates = (shape: KVShape): AttentionState[] =>
  shape.filter((state) => state.kind === 'full' || state.kind === 'window');

/** Bytes per token of a sequence. */
export const bytesPerToken = (shape: KVShape): number =>
  attentionStates(shape).reduce((sum, state) => sum + 2 * sideBytes(state), 0);

/** Bytes per sequence, independent of its length. */
export const bytesPerSequence = (shape: KVShape): number =>
  shape.reduce((sum, state) => sum + ('shape' in state ? fixedBytes(state) : 0), 0);

const sideBytes = ({ kvHeads, headDim, type }: AttentionState): number =>
  kvHeads * headDim * bytesPerElement(type);

const fixedBytes = ({ shape, type }: FixedState): number =>
  shape.reduce((product, size) => product * size, bytesPerElement(type));
