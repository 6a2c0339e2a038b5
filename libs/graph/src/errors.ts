/** The graph is not of a form that the pass knows: it is run as it is. Never shown to a client. */
export class NotRewritableError extends Error {
  override readonly name = 'NotRewritableError';
}
