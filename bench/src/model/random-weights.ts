import { uniform } from '../random.ts';

/** Standard deviation that Llama and SigLIP initialize with: activations keep a sane size. */
const DEVIATION = 0.02;

/**
 * Seeded weights, evenly spread around zero. Each name has a stream of its own, so a tensor does not
 * depend on which others were made before it.
 */
export function randomWeights(seed: number, name: string, count: number): Float32Array {
  const next = uniform(seed ^ hashOf(name));
  const spread = DEVIATION * Math.sqrt(12);
  const values = new Float32Array(count);
  for (let i = 0; i < count; i++) values[i] = (next() - 0.5) * spread;
  return values;
}

/** FNV-1a. */
function hashOf(text: string): number {
  let hash = 0x811c9dc5;
  for (let i = 0; i < text.length; i++) hash = Math.imul(hash ^ text.charCodeAt(i), 0x01000193);
  return hash;
}
