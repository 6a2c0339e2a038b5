/** `npm start`: the fleet on this machine, until Ctrl-C. */
import { FLEET_USAGE, fleetOptions } from '../local/fleet-options.ts';
import { summary } from '../local/summary.ts';
import { complain, say, withFleet } from '../local/with-fleet.ts';

const args = process.argv.slice(2);
if (args.includes('--help') || args.includes('-h')) {
  say(`npm start -- [flags]\n\n${FLEET_USAGE}`);
} else {
  try {
    await withFleet(fleetOptions(args, process.env), async (fleet, stop) => {
      say(summary(fleet));
      say(`Ctrl-C stops it. Open ${fleet.urls[0]}/`);
      await stop.asked;
      return true;
    });
  } catch (error) {
    complain(error);
  }
}
