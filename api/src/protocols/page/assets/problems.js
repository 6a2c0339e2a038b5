/* oxlint-disable typescript/no-unsafe-assignment, typescript/no-unsafe-member-access -- plain JavaScript for the browser */
import { byId } from './element.js';

/** Says in words what went wrong; asks for a key where one is wanted. */
export class Problems {
  #askForKey;
  /** The work in the background that the shown problem came from. */
  #source = null;

  constructor(askForKey) {
    this.#askForKey = askForKey;
  }

  /** What a person has asked for: whatever was said before is out of date. */
  async during(work) {
    this.say('');
    await this.#tell(work, null);
  }

  /** What the page does by itself: its problem is shown until it goes well again. */
  async inBackground(work) {
    const went = await this.#tell(work, work);
    if (went && this.#source === work) this.say('');
  }

  say(problem, source = null) {
    byId('problem').textContent = problem;
    this.#source = source;
  }

  async #tell(work, source) {
    try {
      await work();
      return true;
    } catch (error) {
      if (error.status !== 401) this.say(error.message, source);
      else if (!this.#askForKey(error.key)) this.say('This fleet asks for an API key.', source);
      return false;
    }
  }
}
