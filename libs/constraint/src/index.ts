export { checkConstraint } from './check.ts';
export { ConstraintCompiler, constraintDigest } from './compiler.ts';
export type {
  ChoiceConstraint,
  Constraint,
  JsonConstraint,
  RegexConstraint,
  Tag,
  TaggedConstraint,
} from './constraint.ts';
export { ConstraintError, type ConstraintErrorCode } from './errors.ts';
export { follows } from './follows.ts';
export type { Machine, State } from './grammar/machine.ts';
export { DEFAULT_LIMITS, type ConstraintLimits } from './limits.ts';
export { allow, allows, maskWords, type TokenMask } from './vocabulary/token-mask.ts';
export type { TokenBytes } from './vocabulary/token-trie.ts';
export { buildVocabulary, type Vocabulary } from './vocabulary/vocabulary.ts';
