import type { Constraint } from '@epd/constraint';
import type { OpenSequence } from './messages.ts';
import { ConstraintError, type TokenConstraint, type TokenMask } from './token-constraint.ts';
import { MaskLink } from '../constraint/mask-link.ts';
import type { MaskConnection, ToMasks } from '../constraint/mask-messages.ts';
import { BROKEN, PENDING, SharedMask } from '../constraint/shared-mask.ts';

type Connection = Omit<MaskConnection, 'link'> & { readonly link: MaskLink };

/** The runner's side of the mask thread. */
export class MaskClient {
  #connection: Connection | null = null;

  connect({ link, ...connection }: MaskConnection): void {
    this.#connection?.port.close();
    this.#connection = { ...connection, link: new MaskLink(link) };
  }

  close(): void {
    this.#connection?.port.close();
    this.#connection = null;
  }

  readonly constraintOf = ({ sequence, sampling }: OpenSequence): TokenConstraint | null => {
    const { constraint } = sampling;
    if (constraint === undefined || constraint === null) return null;
    if (this.#connection === null) throw lost(null);
    return new MaskedSequence(this.#connection, sequence, constraint);
  };
}

/** The constraint of one sequence, by masks that another thread computes. */
class MaskedSequence implements TokenConstraint {
  /** The masks end the answer: after a complete one only end tokens are allowed. */
  readonly done = false;
  readonly #connection: Connection;
  readonly #sequence: number;
  readonly #shared: SharedMask;
  #accepted = 0;

  constructor(connection: Connection, sequence: number, constraint: Constraint) {
    this.#connection = connection;
    this.#sequence = sequence;
    this.#shared = SharedMask.allocate(connection.tokens);
    this.#send({ type: 'open', sequence, constraint, memory: this.#shared.memory });
  }

  mask(): TokenMask {
    const { link, limitMs } = this.#connection;
    const ready = link.open ? this.#shared.wait(this.#accepted, limitMs, () => link.open) : PENDING;
    if (ready === PENDING) {
      // The others would be waited for in vain, too.
      link.lose();
      throw lost(link);
    }
    if (ready === BROKEN)
      throw new ConstraintError('constraint_broken', 'The answer violates its constraint');
    if (ready !== this.#accepted)
      throw new ConstraintError(
        'constraint_too_complex',
        'Computing the token mask exceeded its work limit',
      );
    return this.#shared.mask;
  }

  accept(id: number): void {
    this.#accepted++;
    this.#shared.want(this.#accepted);
    this.#send({ type: 'accept', sequence: this.#sequence, id });
  }

  close(): void {
    this.#send({ type: 'close', sequence: this.#sequence });
  }

  #send(message: ToMasks): void {
    this.#connection.port.postMessage(message, []);
  }
}

/** Another claim may resume the job and replay its tokens. */
const lost = (link: MaskLink | null): ConstraintError =>
  link?.replaced === true
    ? new ConstraintError('constraint_replaced', 'The mask thread was replaced')
    : new ConstraintError('constraint_lost', 'The mask thread does not respond');
