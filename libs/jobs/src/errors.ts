/** What goes wrong with the record of a job itself. A job that fails is no error here: it is an ending. */
export class JobsError extends Error {
  override readonly name: string = 'JobsError';
  readonly code: string;

  constructor(code: string, message: string, options?: ErrorOptions) {
    super(message, options);
    this.code = code;
  }
}

/** A page was to begin after a job that has no place in the list. */
export class PlaceError extends JobsError {
  override readonly name = 'PlaceError';

  constructor(jobId: string) {
    super('place_unknown', `No job ${JSON.stringify(jobId.slice(0, 80))}: unknown or forgotten`);
  }
}

/** A record in Redis that this version cannot read: written by a newer one, or damaged. */
export class RecordError extends JobsError {
  override readonly name = 'RecordError';

  constructor(jobId: string, reason: string, options?: ErrorOptions) {
    super('record_unreadable', `The record of job ${jobId} cannot be read: ${reason}`, options);
  }
}
