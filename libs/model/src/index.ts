export { findTemplate } from './prompt/chat-template.ts';
export type {
  Conversation,
  ImagePart,
  PromptMessage,
  PromptTool,
  TemplateOptions,
  TextPart,
} from './prompt/chat-template.ts';
export type { ModelConfig } from './files/configs.ts';
export { ModelError, ModelFolderError, PromptError } from './errors.ts';
export type { ModelFolderErrorCode, PromptErrorCode } from './errors.ts';
export { fingerprint } from './folder/fingerprint.ts';
export { revision } from './folder/revision.ts';
export { imageLayout } from './families/geometry.ts';
export { imageRules } from './prompt/image-rules.ts';
export type { PromptImage } from './image-size.ts';
export type { ImageCost, ImageGeometry, ImageSize } from './families/geometry.ts';
export { modelCard } from './model-card.ts';
export type { ModelFacts } from './model-card.ts';
export { SUPPORTED_MODEL_TYPES } from './families/index.ts';
export { readModelFolder } from './folder/model-folder.ts';
export type { ModelFolder, ModelFolderOptions } from './folder/model-folder.ts';
export { ONNX_ROLES, requireOnnxFile } from './files/onnx-files.ts';
export type { OnnxFile, OnnxFiles, OnnxRole, OnnxVariants } from './files/onnx-files.ts';
export { outputFormat } from './prompt/output-format.ts';
export type { OutputFormat, ReasoningFormat, ToolCallFormat } from './prompt/output-format.ts';
export type { PromptPositions } from './positions.ts';
export { PromptBuilder } from './prompt/prompt-builder.ts';
export type { ImageSpan, Prompt } from './prompt/prompt-builder.ts';
export { eosTokenIds } from './tokens/special-tokens.ts';
export { tokenBytes } from './tokens/vocabulary-bytes.ts';
export { Tokenizer } from './tokens/tokenizer.ts';
export type { Section } from './tokens/tokenizer.ts';
