import { boolean, oneOf } from "../values/kinds.ts";
import { watchedFiles } from "../values/path-kinds.ts";
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
    status: "works",
    description: `Restart workers when code changes
For development. Each worker watches the modules that it has loaded, without packages, and asks for a successor when one changes; it serves on until
that is ready, so no request is lost. While the app can't be loaded, each request is answered with 500 and the error, until a file changes. The configuration
isn't read again: that is what HUP does.`,
  }),
  reloadEngine: setting({
    flags: [{ long: "--reload-engine" }],
    kind: oneOf("auto", "poll", "inotify"),
    default: "auto",
    status: "works",
    description: `How changes are noticed: poll, inotify or auto
poll looks at each file once a second. inotify also looks at once when the system tells of a change, and the worker doesn't start where that fails. auto is
inotify where it works, else poll.`,
  }),
  reloadExtraFiles: setting({
    flags: [{ long: "--reload-extra-file" }],
    kind: watchedFiles,
    default: [],
    status: "works",
    description: `More files or patterns to watch; repeat for more
From the directory that the program was started in, not from chdir. A directory means all files below it. In patterns (with *, ? or [), a name with a dot in
front is only matched if the dot is written out, and packages are left out; a new file that matches is a change.`,
  }),
  enrichResponse: setting({
    flags: [{ long: "--enrich-response" }],
    kind: boolean,
    default: false,
    status: "works",
    description: `Wrap JSON bodies into an object that says who served them and when`,
  }),
  spew: setting({
    flags: [{ long: "--spew" }],
    kind: boolean,
    default: false,
    status: {
      never: "Bun can't tell of each line that it runs; attach a debugger by BUN_INSPECT",
    },
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
