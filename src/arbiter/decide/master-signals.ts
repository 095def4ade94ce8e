/** The signals that the master handles, by Gunicorn's names in the log. */
export const masterSignals = {
  SIGHUP: "hup",
  SIGQUIT: "quit",
  SIGINT: "int",
  SIGTERM: "term",
  SIGTTIN: "ttin",
  SIGTTOU: "ttou",
  SIGUSR1: "usr1",
  SIGUSR2: "usr2",
  SIGWINCH: "winch",
  SIGCHLD: "chld",
} as const satisfies Partial<Record<NodeJS.Signals, string>>;
export type SignalName = (typeof masterSignals)[keyof typeof masterSignals];
