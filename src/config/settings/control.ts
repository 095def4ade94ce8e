import { boolean, fileMode, nullable, text } from "../values/kinds.ts";
import { setting } from "../setting.ts";

export const control = {
  adminBind: setting({
    flags: [{ long: "--admin-bind" }],
    metavar: "ADDRESS",
    kind: nullable(text),
    default: null,
    status: "planned",
    ours: true,
    description: `The address of health checks and metrics`,
  }),
  controlSocket: setting({
    flags: [{ long: "--control-socket" }],
    metavar: "PATH",
    kind: nullable(text),
    default: null,
    defaultText: "$XDG_RUNTIME_DIR/gunicorn.ctl or ~/.gunicorn/gunicorn.ctl, once supported",
    status: "planned",
    description: `The unix socket of the control command`,
  }),
  controlSocketMode: setting({
    flags: [{ long: "--control-socket-mode" }],
    kind: fileMode,
    default: 0o600,
    status: "planned",
    description: `The file mode of the control socket`,
  }),
  controlSocketDisable: setting({
    flags: [{ long: "--no-control-socket" }],
    kind: boolean,
    default: false,
    status: "planned",
    description: `Open no control socket`,
  }),
};
