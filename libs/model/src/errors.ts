/**
 * What this package throws by intention. Misuse of an API (wrong arguments) is a `TypeError`.
 * `code` is stable and may cross a process.
 */
export class ModelError extends Error {
  override readonly name: string = 'ModelError';
  readonly code: string;

  constructor(code: string, message: string, options?: ErrorOptions) {
    super(message, options);
    this.code = code;
  }
}

export type ModelFolderErrorCode =
  | 'folder_not_found'
  | 'missing_file'
  | 'invalid_json'
  | 'invalid_config'
  | 'unsupported_model';

/** A model folder that cannot be used. The message names the file, what was expected and what was found. */
export class ModelFolderError extends ModelError {
  override readonly name = 'ModelFolderError';
  declare readonly code: ModelFolderErrorCode;
  readonly file: string;
  readonly expected: string;
  readonly found: string;

  constructor(
    code: ModelFolderErrorCode,
    facts: { readonly file: string; readonly expected: string; readonly found: string },
    options?: ErrorOptions,
  ) {
    super(code, `${facts.file}: expected ${facts.expected}, found ${facts.found}`, options);
    this.file = facts.file;
    this.expected = facts.expected;
    this.found = facts.found;
  }
}

/** An image of a shape that the model does not take, whatever it shows. */
export class ImageShapeError extends ModelError {
  override readonly name = 'ImageShapeError';

  constructor(message: string) {
    super('image_shape', message);
  }
}

export type PromptErrorCode = 'unknown_image' | 'template_failed' | 'image_lost';

/** Messages that do not make a prompt of this model. */
export class PromptError extends ModelError {
  override readonly name = 'PromptError';
  declare readonly code: PromptErrorCode;
}
