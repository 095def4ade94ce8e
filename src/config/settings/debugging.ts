import { boolean, oneOf, textList } from "../kinds.ts";
import { setting } from "../setting.ts";

export const debugging = {
  debug: setting({
    flags: [{ long: "--debug" }],
    kind: boolean,
    default: false,
    status: { pythonOnly: "use --log-level debug and --workers 1" },
    description: `Gunicorn 0.17's debug mode`,
  }),
  reload: setting({
    flags: [{ long: "--reload" }],
    kind: boolean,
    default: false,
    status: "planned",
    description: `Restart workers when code changes
For development.`,
  }),
  reloadEngine: setting({
    flags: [{ long: "--reload-engine" }],
    kind: oneOf("auto", "poll", "inotify"),
    default: "auto",
    status: "planned",
    description: `How changes are noticed: poll, inotify or auto`,
  }),
  reloadExtraFiles: setting({
    flags: [{ long: "--reload-extra-file" }],
    metavar: "FILES",
    kind: textList,
    default: [],
    status: "planned",
    description: `More files or patterns to watch; repeat for more`,
  }),
  enrichResponse: setting({
    flags: [{ long: "--enrich-response" }],
    kind: boolean,
    default: false,
    status: "planned",
    description: `Wrap JSON bodies into an object that says who served them and when`,
  }),
  spew: setting({
    flags: [{ long: "--spew" }],
    kind: boolean,
    default: false,
    status: { pythonOnly: "attach a debugger by BUN_INSPECT" },
    description: `Print every line of Python that runs`,
  }),
  checkConfig: setting({
    flags: [{ long: "--check-config" }],
    kind: boolean,
    default: false,
    status: "works",
    description: `Check the configuration, import the app, and exit
Exit code 0 and no output when all is well, else 1. Bind addresses and raw_env are checked too, which Gunicorn doesn't.`,
  }),
  printConfig: setting({
    flags: [{ long: "--print-config" }],
    kind: boolean,
    default: false,
    status: "works",
    description: `Print every setting's value, then do what --check-config does`,
  }),
};
