/* oxlint-disable typescript/no-unsafe-assignment, typescript/no-unsafe-member-access -- plain JavaScript for the browser */
/** The API key, kept for this tab only. */
import { byId, element } from './element.js';
import { forgetThumbnails } from './seen.js';

const KEY = 'epd-key';

export const storedKey = () => sessionStorage.getItem(KEY) ?? '';

/** A dialog to give, change and forget the key; `changed` is called after each. */
export class KeyPanel {
  #dialog = keyDialog();
  #asked = false;

  constructor(changed) {
    document.body.append(this.#dialog);
    byId('key-open').addEventListener('click', () => this.#open(''));
    byId('key-form').addEventListener('submit', () => {
      sessionStorage.setItem(KEY, byId('key').value.trim());
      this.#label();
      changed();
    });
    byId('key-forget').addEventListener('click', () => {
      sessionStorage.removeItem(KEY);
      forgetThumbnails();
      this.#dialog.close();
      this.#label();
      changed();
    });
    byId('key-cancel').addEventListener('click', () => this.#dialog.close());
    this.#label();
  }

  get isAsking() {
    return this.#dialog.open;
  }

  /**
   * A key is wanted, or `tried` was refused. False: nobody is asked, for whoever was asked before gave none.
   */
  ask(tried) {
    if (this.#dialog.open || tried !== storedKey()) return true;
    if (this.#asked && tried === '') return false;
    this.#asked = true;
    this.#label(false);
    this.#open(tried === '' ? 'This fleet asks for a key.' : 'This fleet does not know that key.');
    return true;
  }

  #open(why) {
    byId('key-why').textContent = why;
    byId('key').value = '';
    byId('key-forget').hidden = storedKey() === '';
    this.#dialog.showModal();
  }

  /** `isTaken`: whether the key that is kept may be right. */
  #label(isTaken = storedKey() !== '') {
    byId('key-open').textContent = isTaken ? 'API key ✓' : 'API key';
  }
}

const keyDialog = () =>
  element(
    'dialog',
    { 'aria-labelledby': 'key-title' },
    element(
      'form',
      { method: 'dialog', id: 'key-form' },
      element('h2', { id: 'key-title' }, 'API key'),
      element('p', { id: 'key-why', role: 'status' }),
      element('label', { for: 'key' }, 'Key'),
      element('input', { id: 'key', type: 'password', autocomplete: 'off', required: '' }),
      element('p', { class: 'note' }, 'Kept for this tab only.'),
      element(
        'div',
        { class: 'actions' },
        element('button', { type: 'submit' }, 'Use this key'),
        element('button', { type: 'button', class: 'quiet', id: 'key-forget' }, 'Forget the key'),
        element('button', { type: 'button', class: 'quiet', id: 'key-cancel' }, 'Cancel'),
      ),
    ),
  );
