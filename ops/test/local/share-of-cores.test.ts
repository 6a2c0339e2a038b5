import test from 'ava';
import { coreSettings, threadsEach } from '../../local/share-of-cores.ts';

test('workers on one machine share its cores, and none is left without', (t) => {
  t.is(threadsEach(2, 16), 8);
  t.is(threadsEach(3, 16), 5);
  t.is(threadsEach(4, 2), 1);
  t.is(threadsEach(0, 4), 4);
});

test('threads that somebody set stay as they are', (t) => {
  const settings = coreSettings(2, { EPD_PD_THREADS: '7' });
  t.is(settings.EPD_PD_THREADS, '7');
  t.is(settings.EPD_ENCODER_THREADS, String(threadsEach(2)));
});
