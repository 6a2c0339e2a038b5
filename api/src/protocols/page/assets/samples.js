/* oxlint-disable typescript/no-unsafe-assignment, typescript/no-unsafe-member-access -- plain JavaScript for the browser */
import { dataUri } from './data-uri.js';
import { byId, element } from './element.js';

const SAMPLES = [
  { name: 'shapes.png', shows: 'Coloured shapes', question: 'What color is the ring?' },
  { name: 'bear.png', shows: 'A bear', question: 'What is this?' },
  { name: 'fries.png', shows: 'French fries', question: 'What is this?' },
  { name: 'word.png', shows: 'A word', question: 'Read the text.' },
];

/** Pictures to begin with: a click takes one, and asks its question where none was written. */
export function showSamples(take) {
  byId('samples').append(
    ...SAMPLES.map((sample) =>
      element(
        'li',
        {},
        element(
          'button',
          {
            type: 'button',
            class: 'sample',
            title: sample.question,
            onclick: () => use(sample, take),
          },
          element('img', {
            src: `/page/samples/${sample.name}`,
            alt: '',
            width: '48',
            height: '48',
          }),
          sample.shows,
        ),
      ),
    ),
  );
}

async function use({ name, question }, take) {
  const response = await fetch(`/page/samples/${name}`);
  take({ name, url: await dataUri(await response.blob()) });
  const field = byId('question');
  const untouched = SAMPLES.some((sample) => sample.question === field.value);
  if (field.value === '' || untouched) field.value = question;
}
