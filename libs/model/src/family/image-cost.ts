/** What every family's layout of an image has. */
export interface ImageCost {
  /** Rows and columns of what the image is cut into; both 0 when it is not cut. */
  readonly rows: number;
  readonly cols: number;
  /** Rows of the image's embedding: its visual tokens. */
  readonly tokens: number;
  /** Tokens that the image takes in the prompt: `tokens` and the markers around them. */
  readonly expansion: number;
}
