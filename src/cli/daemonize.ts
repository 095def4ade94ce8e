import { resolve } from "node:path";
import type { EarlySignals } from "../arbiter/act/master/early-signals.ts";
import { commandAnew, type Origin } from "../arbiter/act/master/upgrade.ts";
import type { Config } from "../config/types.ts";
import { inheritedStream } from "../log/sinks/inherited-stream.ts";
import { writeFully } from "../os/write-fully.ts";
import { launch } from "../os/processes/daemon.ts";
import { isTerminal } from "../os/processes/terminal.ts";

/** What the daemon is told in place of its launcher. A window that changes is none of its business. */
const passedOn: ReadonlySet<string> = new Set([
  "SIGTERM",
  "SIGINT",
  "SIGQUIT",
  "SIGHUP",
  "SIGUSR1",
  "SIGUSR2",
]);

/**
 * Starts this program once more, in the background, where and as it was started itself.
 * @returns 0 when it serves, or its exit code
 */
export async function daemonize(
  config: Config,
  origin: Origin,
  signals: EarlySignals,
): Promise<number> {
  if (origin.env["NOTIFY_SOCKET"] !== undefined) {
    warn("you shouldn't specify `daemon = True` when launching by systemd with `Type = notify`");
  }
  const keeps = {
    stdout: config.enableStdioInheritance && !isTerminal(1),
    stderr: config.enableStdioInheritance && !isTerminal(2),
  };
  const { exitCode, output } = await launch({
    command: commandAnew(origin),
    cwd: origin.directory,
    env: origin.env,
    keeps,
    // The daemon is in another session: a terminal's Ctrl-C reaches only the launcher.
    onStart: (daemon) =>
      signals.handTo((signal) => {
        if (passedOn.has(signal)) daemon.kill(signal);
      }),
  });
  const { errorlog, chdir } = config;
  const stream = errorlog === "-" ? 2 : inheritedStream(resolve(chdir, errorlog), "errorlog");
  const isKept = stream === null || (stream === 1 ? keeps.stdout : keeps.stderr);
  if (exitCode !== 0) writeFully(2, output);
  else if (!isKept && !config.syslog) {
    warn("the daemon's error log goes to /dev/null, name a file by --error-logfile to keep it");
  }
  return exitCode;
}

function warn(text: string): void {
  writeFully(2, `Warning: ${text}\n`);
}
