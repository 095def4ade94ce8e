import { nullable, text } from "../values/kinds.ts";
import { setting } from "../setting.ts";

export const configFile = {
  config: setting({
    flags: [{ long: "--config", short: "-c" }],
    metavar: "CONFIG",
    kind: nullable(text),
    default: null,
    defaultText: "./gunicorn.conf.ts, .js, .mjs or .json, if there",
    status: "works",
    description: `The configuration file: PATH, file:PATH or module:NAME
Only the command line and GUNICORN_CMD_ARGS may set it, the command line wins, and one file is read. A path is relative to
the directory that the program was started in. Without it, the one of gunicorn.conf.ts, .js, .mjs and .json that exists
is read; two of them are an error.`,
  }),
  wsgiApp: setting({
    metavar: "APP_MODULE",
    kind: nullable(text),
    default: null,
    status: "works",
    description: `The app, MODULE:EXPORT, when the command line names none
The positional word always wins.`,
  }),
};
