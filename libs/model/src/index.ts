export { findTemplate } from './chat-template.ts';
export type {
  Conversation,
  ImagePart,
  PromptMessage,
  PromptTool,
  TemplateOptions,
  TextPart,
} from './chat-template.ts';
export type { ModelConfig } from './configs.ts';
export { ModelError, ModelFolderError, PromptError } from './errors.ts';
export type { ModelFolderErrorCode, PromptErrorCode } from './errors.ts';
export { fingerprint } from './fingerprint.ts';
export { revision } from './revision.ts';
export { imageLayout } from './geometry.ts';
export { imageRules } from './image-rules.ts';
export type { ImageCost, ImageGeometry, ImageSize } from './geometry.ts';
export { modelCard } from './model-card.ts';
export type { ModelFacts } from './model-card.ts';
export { SUPPORTED_MODEL_TYPES } from './families/index.ts';
export { readModelFolder } from './model-folder.ts';
export type { ModelFolder, ModelFolderOptions } from './model-folder.ts';
export { ONNX_ROLES, requireOnnxFile } from './onnx-files.ts';
export type { OnnxFile, OnnxFiles, OnnxRole, OnnxVariants } from './onnx-files.ts';
export { outputFormat } from './output-format.ts';
export type { OutputFormat, ReasoningFormat, ToolCallFormat } from './output-format.ts';
export type { PromptPositions } from './positions.ts';
export { PromptBuilder } from './prompt-builder.ts';
export type { ImageSpan, Prompt } from './prompt-builder.ts';
export { eosTokenIds } from './special-tokens.ts';
export { tokenBytes } from './vocabulary-bytes.ts';
export { Tokenizer } from './tokenizer.ts';
export type { Section } from './tokenizer.ts';
