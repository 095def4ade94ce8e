import { boolean, fileMode, nullable, text, textList } from "../values/kinds.ts";
import { account, environment } from "../values/process-kinds.ts";
import { existingDirectory, startDirectory } from "../values/path-kinds.ts";
import { setting } from "../setting.ts";

/** How the server's processes run. The rest of Gunicorn's section is in server-mechanics-requests.ts. */
export const serverMechanics = {
  preloadApp: setting({
    flags: [{ long: "--preload" }],
    kind: boolean,
    default: false,
    status: "works",
    description: `Import the app once before the server starts, and refuse to start if that fails
It happens in a process that ends at once: before the listening sockets are opened, and at HUP before anything of the new
configuration is used, as the user that workers run as. There is no fork here: workers share no memory with it, and each
imports the app itself. A failure at the start is exit code 1, as in Gunicorn.`,
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
connections, so it is off there. Unix sockets, fd://N and sockets of systemd are always shared.`,
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
    status: "works",
    description: `Run in the background
The command returns when the first worker serves, with exit code 0. If the server doesn't get that far, it shows what the
server had to say, and returns its exit code. The server runs in a session of its own, with its standard streams at
/dev/null (see enable_stdio_inheritance; errorlog keeps the log) and, if umask is 0, with a umask of 022. The directory
stays what it was.`,
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
    status: "works",
    description: `A file for the master's process id
Its folder must exist. A file that names a process which runs is an error; one that names no such process is overwritten.
It is removed at the end, if it still names this master. Its mode is 0644.`,
  }),
  workerTmpDir: setting({
    flags: [{ long: "--worker-tmp-dir" }],
    metavar: "DIR",
    kind: nullable(existingDirectory),
    default: null,
    defaultText: "memory without a file",
    status: "works",
    description: `A folder for the file of 640 KiB that heartbeats and counters are written to
It is mapped by master and workers and has no name once they run. HUP doesn't change it. A folder that can't be written, or has no room, ends the start. Without
the setting no file is needed; where the system refuses such memory, /dev/shm is tried, then the system's directory for temporary files.`,
  }),
  user: setting({
    flags: [{ long: "--user", short: "-u" }],
    metavar: "USER",
    kind: nullable(account),
    default: null,
    defaultText: "the user who starts the server",
    status: "works",
    description: `The user that workers run as
A name or a number. The master stays who it is, so that it can open ports and files again. Workers change before they
import the app, and can't change back: they have the user's primary group unless a group is set, and no other groups
unless initgroups is set. Only root can set another user. Workers of class serve open their sockets
as this user, so they can't have a port that only root may open.`,
  }),
  group: setting({
    flags: [{ long: "--group", short: "-g" }],
    metavar: "GROUP",
    kind: nullable(account),
    default: null,
    defaultText: "the group of the user who starts the server",
    status: "works",
    description: `The group that workers run as
A name or a number. Workers that change user or group have no other groups, unless initgroups is set.`,
  }),
  umask: setting({
    flags: [{ long: "--umask", short: "-m" }],
    kind: fileMode,
    default: 0,
    status: "works",
    description: `The mode bits that unix sockets and other new files don't get
0 is meant for unix sockets alone, and lets every user connect: other files then follow the umask that the server was
started with. Another value is the umask of master and workers, so that files of the app follow it too. An octal
number begins with 0: --umask 007, and with 0o in a configuration file: 0o007.`,
  }),
  initgroups: setting({
    flags: [{ long: "--initgroups" }],
    kind: boolean,
    default: false,
    status: "works",
    description: `Give workers all groups of their user
Those that the group database lists for it. Without user or group it does nothing.`,
  }),
  tmpUploadDir: setting({
    kind: nullable(text),
    default: null,
    status: { never: "request bodies are never written to a disk" },
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
