export { fourBits } from './four-bits.ts';
export { halve } from './halve.ts';
export { quantizeToEight } from './quantize-eight.ts';
export { quantizeToFour } from './quantize-four.ts';
