/**
 * A program that is not ours ends with whoever started it: this shell script holds it, passes
 * SIGTERM on, and ends it some seconds after its own standard input is closed, which the kernel does
 * for a launcher that was killed. The seconds are for the workers, which stop by themselves then and
 * still want Redis.
 */
const SCRIPT = `
exec 3<&0
"$@" </dev/null & server=$!
{ cat <&3 >/dev/null; sleep 5; kill -TERM $server; } 2>/dev/null & guard=$!
trap 'kill -TERM $server 2>/dev/null' TERM
wait $server; code=$?
while kill -0 $server 2>/dev/null; do wait $server; code=$?; done
kill $guard 2>/dev/null
exit $code
`;

/** The command that runs another under guard. Its standard input must be a pipe. */
export function guarded(
  command: string,
  args: readonly string[],
): { readonly command: string; readonly args: readonly string[] } {
  return { command: '/bin/sh', args: ['-c', SCRIPT, 'guard', command, ...args] };
}
