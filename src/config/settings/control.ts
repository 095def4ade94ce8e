import { boolean, fileMode, nullable, text } from "../values/kinds.ts";
import { filePath } from "../values/tls-kinds.ts";
import { setting } from "../setting.ts";

export const control = {
  adminBind: setting({
    flags: [{ long: "--admin-bind" }],
    metavar: "ADDRESS",
    kind: nullable(text),
    default: null,
    ours: true,
    status: "works",
    description: `The address of health checks and metrics: HOST:PORT or unix:PATH
The master answers there by HTTP/1.1, whatever the workers do: /live, /ready, /metrics for Prometheus, and /stats as JSON; see docs/monitoring.md. While
the address is in use by somebody else, the log says so and it is tried again. A reload opens, moves and closes it.`,
  }),
  adminTokenFile: setting({
    flags: [{ long: "--admin-token-file" }],
    metavar: "FILE",
    kind: nullable(filePath),
    default: null,
    ours: true,
    status: "works",
    description: `The token that /metrics and /stats ask for
A client sends it as Authorization: Bearer TOKEN. Or the environment variable GUNICORN_ADMIN_TOKEN, which workers don't get. /live and /ready need none.`,
  }),
  controlSocket: setting({
    flags: [{ long: "--control-socket" }],
    metavar: "PATH",
    kind: nullable(text),
    default: null,
    status: "works",
    description: `The unix socket of the control command, gunicorn-ts ctl
A path, from chdir, or auto: beside the pid file, app.ctl of app.pid; without one it is gunicorn-ts-PID.ctl in $RUNTIME_DIRECTORY or $XDG_RUNTIME_DIR.
Whoever connects must be the user that the master runs as, or root. A socket file that nobody answers on is replaced; where somebody answers, the server
doesn't start. See docs/control.md.`,
  }),
  controlSocketMode: setting({
    flags: [{ long: "--control-socket-mode" }],
    kind: fileMode,
    default: 0o600,
    status: "works",
    description: `The file mode of the control socket
The socket has it from its first moment. Others than the server's own user and root are refused whatever it is.`,
  }),
  controlSocketDisable: setting({
    flags: [{ long: "--no-control-socket" }],
    kind: boolean,
    default: false,
    status: "works",
    description: `Open no control socket, whatever control_socket says`,
  }),
};
