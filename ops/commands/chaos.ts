/** `npm run chaos`: breaks a fleet on purpose and counts what is lost. */
import { main } from '../chaos/main.ts';
import { complain } from '../local/with-fleet.ts';

try {
  await main(process.argv.slice(2));
} catch (error) {
  complain(error);
}
