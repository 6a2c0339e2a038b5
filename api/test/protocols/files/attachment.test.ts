import test from 'ava';
import { attachment } from '../../../src/protocols/files/attachment.ts';

for (const [name, header] of [
  ['in.jsonl', 'attachment; filename="in.jsonl"'],
  ['a b.png', 'attachment; filename="a b.png"'],
  ['"x"\\.txt', `attachment; filename="_x__.txt"; filename*=UTF-8''%22x%22%5C.txt`],
  [
    "naïve (1)'*.txt",
    `attachment; filename="na_ve (1)'*.txt"; filename*=UTF-8''na%C3%AFve%20%281%29%27%2A.txt`,
  ],
  ['画.png', `attachment; filename="_.png"; filename*=UTF-8''%E7%94%BB.png`],
  ['\ud800', `attachment; filename="_"; filename*=UTF-8''%EF%BF%BD`],
] as const) {
  test(`a file is saved as ${JSON.stringify(name)}`, (t) => {
    t.is(attachment(name), header);
    t.notThrows(() => new Headers({ 'content-disposition': attachment(name) }));
  });
}
