import { boolean, fileMode, nullable, text, textList } from "../kinds.ts";
import { account, environment, existingDirectory, startDirectory } from "../particular-kinds.ts";
import { setting } from "../setting.ts";

/** How the server's processes run. The rest of Gunicorn's section is in server-mechanics-requests.ts. */
export const serverMechanics = {
  preloadApp: setting({
    flags: [{ long: "--preload" }],
    kind: boolean,
    default: false,
    status: "planned",
    description: `Import the app in the master first
There is no fork here, so workers share no memory with it.`,
  }),
  sendfile: setting({
    flags: [{ long: "--no-sendfile", stores: false }],
    kind: nullable(boolean),
    default: null,
    defaultText: "on",
    env: { variable: "SENDFILE", read: (text) => /^(?:y|1|yes|true)$/i.test(text) },
    status: "planned",
    description: `Don't send files by the kernel's sendfile`,
  }),
  reusePort: setting({
    flags: [{ long: "--reuse-port" }, { long: "--no-reuse-port", stores: false }],
    kind: boolean,
    default: true,
    defaultOn: ({ platform }) => platform !== "darwin",
    defaultText: "true; false on macOS",
    status: "works",
    description: `Give each worker slot a listening socket of its own
By SO_REUSEPORT, so that the kernel spreads new connections evenly. The master opens the sockets and workers inherit
them, so a worker that leaves resets nothing. --no-reuse-port: one socket that all workers share. macOS doesn't spread
connections, so it is off there.`,
  }),
  chdir: setting({
    flags: [{ long: "--chdir" }],
    metavar: "CHDIR",
    kind: startDirectory,
    default: ".",
    defaultOn: ({ cwd }) => cwd,
    defaultText: "the current directory",
    status: "works",
    description: `Change to this directory before the app is imported
The configuration file is still looked for in the directory that the program was started in.`,
  }),
  daemon: setting({
    flags: [{ long: "--daemon", short: "-D" }],
    kind: boolean,
    default: false,
    status: "planned",
    description: `Run in the background`,
  }),
  rawEnv: setting({
    flags: [{ long: "--env", short: "-e" }],
    metavar: "ENV",
    kind: environment,
    default: [],
    status: "works",
    description: `An environment variable for master and workers, KEY=VALUE; repeat for more
HUP restores what a key was before it was set.`,
  }),
  pidfile: setting({
    flags: [{ long: "--pid", short: "-p" }],
    metavar: "FILE",
    kind: nullable(text),
    default: null,
    status: "planned",
    description: `A file for the master's process id`,
  }),
  workerTmpDir: setting({
    flags: [{ long: "--worker-tmp-dir" }],
    metavar: "DIR",
    kind: nullable(existingDirectory),
    default: null,
    defaultText: "/dev/shm if it is there, else the system's directory for temporary files",
    status: "works",
    description: `Where the file lives that heartbeats are written to
It is mapped by master and workers and has no name once they run. A file system in memory saves writes to a disk.`,
  }),
  user: setting({
    flags: [{ long: "--user", short: "-u" }],
    metavar: "USER",
    kind: nullable(account),
    default: null,
    defaultText: "the user who starts the server",
    status: "planned",
    description: `The user that workers run as`,
  }),
  group: setting({
    flags: [{ long: "--group", short: "-g" }],
    metavar: "GROUP",
    kind: nullable(account),
    default: null,
    defaultText: "the group of the user who starts the server",
    status: "planned",
    description: `The group that workers run as`,
  }),
  umask: setting({
    flags: [{ long: "--umask", short: "-m" }],
    kind: fileMode,
    default: 0,
    status: "planned",
    description: `The file mode bits that unix sockets and files don't get`,
  }),
  initgroups: setting({
    flags: [{ long: "--initgroups" }],
    kind: boolean,
    default: false,
    status: "planned",
    description: `Give workers all groups of their user`,
  }),
  tmpUploadDir: setting({
    kind: nullable(text),
    default: null,
    status: "planned",
    description: `Where request bodies would be spooled; no code of Gunicorn's reads it`,
  }),
  pythonpath: setting({
    flags: [{ long: "--pythonpath" }],
    kind: nullable(text),
    default: null,
    status: { pythonOnly: "use paths in tsconfig.json, or NODE_PATH" },
    description: `Directories that Python looks for modules in`,
  }),
  paste: setting({
    flags: [{ long: "--paste", alias: "--paster" }],
    kind: nullable(text),
    default: null,
    status: { pythonOnly: "pass MODULE:EXPORT" },
    description: `An app described by a PasteDeploy file`,
  }),
  rawPasteGlobalConf: setting({
    flags: [{ long: "--paste-global" }],
    metavar: "CONF",
    kind: textList,
    default: [],
    status: { pythonOnly: "pass values by --env" },
    description: `A variable for a PasteDeploy file`,
  }),
};
