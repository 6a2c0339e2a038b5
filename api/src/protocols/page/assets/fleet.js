/* oxlint-disable typescript/no-unsafe-assignment, typescript/no-unsafe-member-access -- plain JavaScript for the browser */
import { call } from './api.js';
import { byId, element, svg } from './element.js';

/** Looks that a curve shows: two minutes at one look in two seconds. */
const LOOKS = 60;
const CURVE = { width: 120, height: 28 };

/** The fleet as it works: what waits for whom, who works, and how many pictures needed no encoder. */
export class Fleet {
  #curves = new Map();
  #last = null;

  /** Returns the answer. `model`: the one that is shown, or the first. */
  async refresh(model) {
    const fleet = await call('/v1/fleet');
    const shown = fleet.models.find(({ id }) => id === model) ?? fleet.models[0];
    byId('fleet').hidden = shown === undefined;
    byId('no-fleet').hidden = shown !== undefined;
    byId('no-fleet').textContent = 'No model is registered yet: the workers are starting.';
    if (shown === undefined) return fleet;
    if (this.#last !== shown.id) this.#curves.clear();
    this.#last = shown.id;
    this.#queue('encode-queue', shown.encodes_waiting, 'picture');
    this.#queue('generate-queue', shown.generates_waiting, 'job');
    workers('encoders', shown.encoders, 'encoder');
    workers('decoders', shown.decoders, 'decoder');
    return fleet;
  }

  /** How many of the pictures of these jobs were not encoded for them. */
  reuse(jobs) {
    const images = jobs.flatMap(({ usage }) => usage?.images ?? []);
    const encoded = images.reduce((sum, one) => sum + one.encoded, 0);
    const reused = images.reduce((sum, one) => sum + one.reused, 0);
    const all = encoded + reused;
    byId('reuse').textContent = all === 0 ? '–' : `${Math.round((100 * reused) / all)} %`;
    byId('reuse-words').textContent = all === 0 ? 'none yet' : `${reused} of ${all}`;
    byId('reuse-bar').style.width = all === 0 ? '0' : `${(100 * reused) / all}%`;
  }

  #queue(id, waiting, what) {
    const curve = [...(this.#curves.get(id) ?? []), waiting].slice(-LOOKS);
    this.#curves.set(id, curve);
    byId(id).querySelector('.number').textContent = waiting;
    byId(id).querySelector('.unit').textContent = `${what}${waiting === 1 ? '' : 's'} waiting`;
    if (curve.length < 2) return; // one look makes no line
    const most = Math.max(4, ...curve);
    const points = curve.map((value, index) => {
      const x = CURVE.width - (curve.length - 1 - index) * (CURVE.width / (LOOKS - 1));
      return `${x.toFixed(1)},${(CURVE.height - 2 - (value / most) * (CURVE.height - 4)).toFixed(1)}`;
    });
    byId(id).querySelector('polyline').setAttribute('points', points.join(' '));
  }
}

/** The curve's frame; it is filled at each look. */
export function drawCurves() {
  for (const place of document.querySelectorAll('.curve'))
    place.append(
      svg(
        'svg',
        {
          viewBox: `0 0 ${CURVE.width} ${CURVE.height}`,
          preserveAspectRatio: 'none',
          'aria-hidden': 'true',
        },
        svg('polyline', {}),
      ),
    );
}

const DOTS_MAX = 12;

function workers(id, number, what) {
  byId(id).querySelector('.number').textContent = number;
  byId(id).querySelector('.unit').textContent = `${what}${number === 1 ? '' : 's'} ready`;
  byId(id)
    .querySelector('.dots')
    .replaceChildren(
      ...Array.from({ length: Math.min(number, DOTS_MAX) }, () =>
        element('span', { class: 'dot' }),
      ),
    );
}
