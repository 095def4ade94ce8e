import {
  boolean,
  commaList,
  dictionary,
  fileMode,
  nullable,
  oneOf,
  text,
  textList,
} from "../values/kinds.ts";
import { addresses, proxyMode } from "../values/network-kinds.ts";
import { account, environment } from "../values/process-kinds.ts";
import { existingDirectory, startDirectory } from "../values/path-kinds.ts";
import { setting } from "../setting.ts";

const loopback = ["127.0.0.1", "::1"] as const;

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
    status: "works",
    description: `Don't send files by the kernel's sendfile(2)
On Linux a file of more than 64 KiB that an app answers with goes from the page cache to the socket inside the kernel,
unless the connection is TLS. Without it a thread reads the file, and its bytes are copied twice. SENDFILE=0 in the
environment does the same. Replace files by renaming others over them: who writes into a file that is being sent changes
what its readers get.`,
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
    conceal: (entries) => entries.map((entry) => entry.replace(/=.*/s, "=(hidden)")),
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
    description: `A folder for the file of 1 MiB that heartbeats and counters are written to
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
  secureSchemeHeaders: setting({
    kind: dictionary,
    default: {
      "X-FORWARDED-PROTOCOL": "ssl",
      "X-FORWARDED-PROTO": "https",
      "X-FORWARDED-SSL": "on",
    },
    status: "works",
    description: `Headers by which a trusted proxy says that its client used https
Name and exact value. The scheme of request.url follows them; two that contradict each other are answered with 400.`,
  }),
  forwardedAllowIps: setting({
    flags: [{ long: "--forwarded-allow-ips" }],
    kind: addresses,
    default: loopback,
    env: { variable: "FORWARDED_ALLOW_IPS", read: (text) => text },
    status: "works",
    description: `The proxies whose headers are believed
IP addresses and networks, or * for all; peers on unix sockets are always trusted. X-Forwarded-For changes nothing
here: requestIP is the peer, or what the PROXY protocol says.`,
  }),
  xForwardedForHeader: setting({
    kind: text,
    default: "X-FORWARDED-FOR",
    status: {
      never:
        "X-Forwarded-For can be forged by any client; let the app read it, or use the PROXY protocol",
    },
    description: `The header that names the client behind a trusted proxy`,
  }),
  proxyProtocol: setting({
    flags: [{ long: "--proxy-protocol" }],
    kind: proxyMode,
    default: "off",
    status: "works",
    description: `Accept a PROXY header before a connection's first request
off, v1, v2 or auto; the flag alone is auto. The header stays optional. requestIP then names the client.`,
  }),
  proxyAllowIps: setting({
    flags: [{ long: "--proxy-allow-from" }],
    metavar: "PROXY_ALLOW_IPS",
    kind: addresses,
    default: loopback,
    status: "works",
    description: `The peers that may send a PROXY header
Others that send one get 403.`,
  }),
  protocol: setting({
    flags: [{ long: "--protocol" }],
    kind: oneOf("http", "uwsgi"),
    default: "http",
    status: "planned",
    description: `The protocol on all listeners: http or uwsgi`,
  }),
  uwsgiAllowIps: setting({
    flags: [{ long: "--uwsgi-allow-from" }],
    metavar: "UWSGI_ALLOW_IPS",
    kind: addresses,
    default: loopback,
    status: "planned",
    description: `The peers that may speak uwsgi`,
  }),
  permitObsoleteFolding: setting({
    flags: [{ long: "--permit-obsolete-folding" }],
    kind: boolean,
    default: false,
    status: "works",
    description: `Join header fields that are folded over lines; otherwise 400`,
  }),
  stripHeaderSpaces: setting({
    flags: [{ long: "--strip-header-spaces" }],
    kind: boolean,
    default: false,
    status: "works",
    description: `Drop blanks between a header's name and its colon; otherwise 400`,
  }),
  permitUnconventionalHttpMethod: setting({
    flags: [{ long: "--permit-unconventional-http-method" }],
    kind: boolean,
    default: false,
    status: "works",
    description: `Allow any token as a method
Otherwise 3 to 20 characters, no lower case and no #.`,
  }),
  permitUnconventionalHttpVersion: setting({
    flags: [{ long: "--permit-unconventional-http-version" }],
    kind: boolean,
    default: false,
    status: "works",
    description: `Allow versions other than HTTP/1.0 and HTTP/1.1`,
  }),
  casefoldHttpMethod: setting({
    flags: [{ long: "--casefold-http-method" }],
    kind: boolean,
    default: false,
    status: "works",
    description: `Turn methods to upper case
Lower case in a request also needs permit_unconventional_http_method.`,
  }),
  tolerateDangerousFraming: setting({
    flags: [{ long: "--tolerate-dangerous-framing" }],
    kind: boolean,
    default: false,
    status: { never: "such requests are request smuggling" },
    description: `Accept requests whose length is ambiguous`,
  }),
  forwarderHeaders: setting({
    flags: [{ long: "--forwarder-headers" }],
    metavar: "FORWARDER_HEADERS",
    kind: commaList,
    default: ["SCRIPT_NAME", "PATH_INFO"],
    status: "works",
    description: `Headers with an underscore that a trusted proxy may send
In upper case, whatever header_map says; * for all. SCRIPT_NAME is the path that the app is mounted at.`,
  }),
  headerMap: setting({
    flags: [{ long: "--header-map" }],
    metavar: "HEADER_MAP",
    kind: oneOf("drop", "refuse", "dangerous"),
    default: "drop",
    status: "works",
    description: `What happens to headers with an underscore in their name
drop: the app doesn't see them. refuse: 400. dangerous: they are kept.`,
  }),
  rootPath: setting({
    flags: [{ long: "--root-path" }],
    kind: text,
    default: "",
    status: "works",
    description: `The path that the app is mounted at
For the app to read as server.rootPath; request.url is not changed. The environment variable SCRIPT_NAME, or the header
of that name from a trusted proxy, takes the path off request.url.`,
  }),
};
